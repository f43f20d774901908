#include "update_boot.h"
#include "boot_flags.h"
#include <string.h>

#define FIRMWARE_PENDING "bootupgrade_available"
#define FIRMWARE_VERSION "bootfirmware_version"
#define FIRMWARE_PROTECTED "rollback_protection"
/* Where fioefi_setenv finds the firmware. */
#define FIRMWARE_ROOT "FIO_OSTREE_TARGET_SYSROOT"
/* A line is enough. */
#define FIRMWARE_FILE_BYTES 4096u

static SatchelRollbackMode
get_mode(const SatchelDevice *device)
{
	return device->settings->rollback_mode;
}

/* *@text: (transfer full): SATCHEL_FIRMWARE_FILE of @commit; NULL: it has none. */
static gboolean
read_firmware_file(SatchelDevice *device, const char *commit, char **text, GError **error)
{
	g_autoptr(GFile) root = NULL;
	g_autoptr(GFile) file = NULL;
	g_autoptr(GInputStream) stream = NULL;
	g_autoptr(GError) local_error = NULL;
	g_autofree char *bytes = g_malloc0(FIRMWARE_FILE_BYTES + 1);
	gsize n_bytes = 0;

	*text = NULL;
	if (ostree_repo_read_commit(satchel_sysroot_get_repo(device->sysroot), commit, &root, NULL,
				    NULL, &local_error)) {
		file = g_file_resolve_relative_path(root, SATCHEL_FIRMWARE_FILE);
		stream = G_INPUT_STREAM(g_file_read(file, NULL, &local_error));
	}
	if (g_error_matches(local_error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
		return TRUE;
	if (stream == NULL || !g_input_stream_read_all(stream, bytes, FIRMWARE_FILE_BYTES, &n_bytes,
						       NULL, &local_error))
		return satchel_sysroot_take_error(g_steal_pointer(&local_error),
						  SATCHEL_ERROR_FAILED, "/" SATCHEL_FIRMWARE_FILE,
						  error);
	*text = g_steal_pointer(&bytes);
	return TRUE;
}

static gboolean
check_not_pending(SatchelDevice *device, GError **error)
{
	gboolean pending = FALSE;

	if (!device->settings->ostree_update_block)
		return TRUE;
	if (!satchel_boot_flags_is_set(get_mode(device), FIRMWARE_PENDING, &pending, error))
		return FALSE;
	if (pending)
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_REBOOT_FOR_BOOT_FIRMWARE,
			    "an update of the boot firmware waits for a reboot; reboot, then start "
			    "again");
	return !pending;
}

gboolean
satchel_update_boot_check(SatchelDevice *device, const char *commit, char **refusal, GError **error)
{
	gboolean is_protected = FALSE;
	g_autofree char *text = NULL;
	g_autofree char *current = NULL;
	g_autoptr(GError) local_error = NULL;

	*refusal = NULL;
	if (!satchel_boot_rules_has_firmware(get_mode(device)))
		return TRUE;
	if (!check_not_pending(device, error) ||
	    !satchel_boot_flags_is_set(get_mode(device), FIRMWARE_PROTECTED, &is_protected, error))
		return FALSE;
	if (!is_protected)
		return TRUE;
	if (!read_firmware_file(device, commit, &text, error) ||
	    !satchel_boot_flags_read(get_mode(device), FIRMWARE_VERSION, &current, error))
		return FALSE;
	if (!satchel_boot_rules_check_protected(text, current, &local_error))
		*refusal = g_strdup(local_error->message);
	return TRUE;
}

gboolean
satchel_update_boot_arm(SatchelDevice *device, GError **error)
{
	if (satchel_boot_flags_set(get_mode(device), satchel_boot_rules_get_armed(get_mode(device)),
				   error))
		return TRUE;
	satchel_update_boot_disarm(device);
	return FALSE;
}

void
satchel_update_boot_disarm(SatchelDevice *device)
{
	g_autoptr(GError) local_error = NULL;

	if (!satchel_boot_flags_set(get_mode(device),
				    satchel_boot_rules_get_confirmed(get_mode(device)),
				    &local_error))
		satchel_device_remark(device, "%s", local_error->message);
}

void
satchel_update_boot_withdraw(SatchelDevice *device)
{
	static const SatchelBootFlag offered[] = {{FIRMWARE_PENDING, "0"}, {NULL}};
	g_autofree char *text = NULL;
	g_autoptr(GError) local_error = NULL;

	satchel_update_boot_disarm(device);
	if (satchel_boot_rules_can_withdraw_firmware(get_mode(device)) &&
	    (!read_firmware_file(device, device->state->pending->commit, &text, &local_error) ||
	     (text != NULL && !satchel_boot_flags_set(get_mode(device), offered, &local_error))))
		satchel_device_remark(device, "%s", local_error->message);
}

/* "NAME=FOLDER" of the deployment of @commit; NULL: there is none. (transfer full) */
static char *
name_deployment(SatchelDevice *device, const char *commit)
{
	OstreeSysroot *ostree = satchel_sysroot_get_ostree(device->sysroot);
	g_autoptr(GPtrArray) all = ostree_sysroot_get_deployments(ostree);

	for (guint i = 0; i < all->len; i++) {
		OstreeDeployment *one = g_ptr_array_index(all, i);
		g_autofree char *path = NULL;

		if (!g_str_equal(ostree_deployment_get_csum(one), commit))
			continue;
		path = ostree_sysroot_get_deployment_dirpath(ostree, one);
		return g_strdup_printf(
			FIRMWARE_ROOT "=%s%s%s", satchel_sysroot_get_path(device->sysroot),
			g_str_has_suffix(satchel_sysroot_get_path(device->sysroot), "/") ? "" : "/",
			path);
	}
	return NULL;
}

static gboolean
offer_firmware(SatchelDevice *device, const char *commit, GError **error)
{
	g_autofree char *text = NULL;
	g_autofree char *version = NULL;
	g_autofree char *current = NULL;
	g_autofree char *folder = NULL;

	if (!read_firmware_file(device, commit, &text, error))
		return FALSE;
	version = text == NULL ? NULL : satchel_boot_rules_parse_version(text);
	if (version == NULL)
		return TRUE;
	if (!satchel_boot_flags_read(get_mode(device), FIRMWARE_VERSION, &current, error))
		return FALSE;
	if (g_strcmp0(version, current) == 0)
		return TRUE;
	folder = name_deployment(device, commit);
	return satchel_boot_flags_write(get_mode(device), FIRMWARE_PENDING, "1", folder, error);
}

gboolean
satchel_update_boot_deployed(SatchelDevice *device, const char *commit, GError **error)
{
	g_autoptr(GError) local_error = NULL;

	if (!satchel_boot_flags_set(get_mode(device),
				    satchel_boot_rules_get_deployed(get_mode(device)), error))
		return FALSE;
	/* The system is installed, and boots with the firmware that it has. */
	if (satchel_boot_rules_has_firmware(get_mode(device)) &&
	    !offer_firmware(device, commit, &local_error))
		satchel_device_remark(device, "the boot firmware will not be updated: %s",
				      local_error->message);
	return TRUE;
}

gboolean
satchel_update_boot_confirm(SatchelDevice *device, gboolean *firmware, GError **error)
{
	*firmware = FALSE;
	if (!satchel_boot_flags_set(get_mode(device),
				    satchel_boot_rules_get_confirmed(get_mode(device)), error))
		return FALSE;
	return !satchel_boot_rules_has_firmware(get_mode(device)) ||
	       satchel_boot_flags_is_set(get_mode(device), FIRMWARE_PENDING, firmware, error);
}
