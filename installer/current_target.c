#include "current_target.h"
#include "../verify/atomic_write.h"
#include "../verify/json.h"
#include "../verify/target_match.h"
#include "device_state.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define FILE_NAME "current-target"

char *
satchel_current_target_path(const SatchelDevice *device)
{
	return g_build_filename(device->settings->storage_path, FILE_NAME, NULL);
}

/* Between double quotes a shell heeds these four; what would end the line is replaced. */
static void
append_line(GString *text, const char *name, const char *value)
{
	g_string_append_printf(text, "%s=\"", name);
	for (; *value != '\0'; value++) {
		if (strchr("\\\"$`", *value) != NULL)
			g_string_append_c(text, '\\');
		g_string_append_c(text, g_ascii_iscntrl(*value) ? '?' : *value);
	}
	g_string_append(text, "\"\n");
}

static void
append_release(GString *text, const SatchelOstreeTarget *release)
{
	static const char *const members[][2] = {
		{"lmp-manifest-sha", "LMP_MANIFEST_SHA"},
		{"meta-subscriber-overrides-sha", "META_SUBSCRIBER_OVERRIDES_SHA"},
		{"containers-sha", "CONTAINERS_SHA"},
	};
	g_autoptr(SatchelJson) custom =
		satchel_json_parse(satchel_ostree_target_get_custom(release), NULL);
	g_autofree char *tags =
		g_strjoinv(",", (char **)(guintptr)satchel_ostree_target_get_tags(release));

	for (gsize i = 0; i < G_N_ELEMENTS(members); i++) {
		const char *value = json_string_value(json_object_get(custom, members[i][0]));

		if (value != NULL && *value != '\0')
			append_line(text, members[i][1], value);
	}
	if (*tags != '\0')
		append_line(text, "TAG", tags);
}

char *
satchel_current_target_format(const SatchelStateTarget *target, const SatchelOstreeTarget *release)
{
	GString *text = g_string_new(NULL);
	g_autofree char *version = NULL;

	if (target != NULL && target->version >= 0)
		version = g_strdup_printf("%" G_GINT64_FORMAT, target->version);
	append_line(text, "TARGET_NAME", target != NULL ? target->name : "unknown");
	append_line(text, "CUSTOM_VERSION", version != NULL ? version : "");
	if (release != NULL)
		append_release(text, release);
	return g_string_free(text, FALSE);
}

/* (transfer full) (nullable) */
static SatchelOstreeTarget *
find_release(SatchelDevice *device, const SatchelStateTarget *target)
{
	g_autoptr(SatchelTargets) role = NULL;
	g_autoptr(SatchelOstreeTarget) release = NULL;
	const SatchelTarget *entry = NULL;

	if (target == NULL)
		return NULL;
	role = satchel_device_load_trusted_targets(device);
	entry = role != NULL ? satchel_targets_lookup(role, target->name) : NULL;
	release = entry != NULL ? satchel_ostree_target_new(entry, NULL) : NULL;
	if (release == NULL ||
	    !g_str_equal(satchel_ostree_target_get_commit(release), target->commit))
		return NULL;
	return g_steal_pointer(&release);
}

static gboolean
write_file(const SatchelDevice *device, const char *text, GError **error)
{
	g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
	int dir_fd = open(device->settings->storage_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	gboolean good;

	if (dir_fd < 0) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED, "%s", g_strerror(errno));
		return FALSE;
	}
	good = satchel_atomic_write(dir_fd, FILE_NAME, bytes, 0644, error);
	close(dir_fd);
	return good;
}

void
satchel_current_target_update(SatchelDevice *device)
{
	const SatchelStateTarget *running = satchel_device_get_running_target(device);
	g_autoptr(SatchelOstreeTarget) release = find_release(device, running);
	g_autofree char *text = satchel_current_target_format(running, release);
	g_autofree char *path = satchel_current_target_path(device);
	g_autofree char *present = NULL;
	g_autoptr(GError) error = NULL;

	if (g_file_get_contents(path, &present, NULL, NULL) && g_str_equal(present, text))
		return;
	if (!write_file(device, text, &error))
		satchel_device_remark(device, "error: %s: %s", path, error->message);
}
