#include "../verify/clock.h"
#include "../verify/path_safety.h"
#include "config_files.h"
#include "device_parts.h"
#include "device_state.h"
#include "ostree_deploy.h"
#include "provisioned_root.h"
#include "reboot_sentinel.h"
#include "state_file.h"
#include "update_boot.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Below storage.path. */
#define STATE_DIR "satchel"

static gboolean
read_settings(SatchelDevice *self, const char *const *config_paths, GError **error)
{
	g_autoptr(SatchelConfig) config = satchel_config_files_read(config_paths, error);

	if (config == NULL)
		return FALSE;
	self->settings = satchel_settings_new(config, g_get_host_name(), error);
	if (self->settings == NULL)
		return FALSE;
	self->dir = g_build_filename(self->settings->storage_path, STATE_DIR, NULL);
	return satchel_device_identity_read(self->settings->client_cert, &self->identity, error);
}

static gboolean
open_dir(SatchelDevice *self, GError **error)
{
	g_autofree char *quoted = NULL;
	int problem = 0;

	/* Keys of no kind are in here, but the state is nobody else's to read. */
	if (self->mode == SATCHEL_DEVICE_UPDATE && g_mkdir_with_parents(self->dir, 0700) != 0)
		problem = errno;
	else
		self->dir_fd = open(self->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (self->dir_fd >= 0)
		return TRUE;
	problem = problem != 0 ? problem : errno;
	if (self->mode == SATCHEL_DEVICE_READ_ONLY && problem == ENOENT)
		return TRUE;
	quoted = satchel_path_quote(self->dir);
	g_set_error(error, SATCHEL_ERROR,
		    problem == ENOSPC || problem == EDQUOT ? SATCHEL_ERROR_NO_SPACE
							   : SATCHEL_ERROR_FAILED,
		    "%s: %s%s", quoted, g_strerror(problem),
		    problem == EACCES || problem == EPERM ? "; run this as root" : "");
	return FALSE;
}

static gboolean
set_sentinel(const SatchelDevice *self, GError **error)
{
	return !satchel_sysroot_is_booted(self->sysroot) ||
	       satchel_reboot_sentinel_set(self->settings->reboot_sentinel_dir,
					   self->settings->reboot_sentinel_name, error);
}

/* An installation that was cut off: what it came to is noted before anything else happens. */
static gboolean
reconcile(SatchelDevice *self, GError **error)
{
	SatchelSysrootFacts facts = satchel_device_get_facts(self);

	switch (satchel_update_plan_reconcile(self->state, &facts)) {
	case SATCHEL_RECONCILE_NOTHING:
		if (self->state->pending == NULL)
			satchel_update_boot_disarm(self);
		return TRUE;
	case SATCHEL_RECONCILE_DEPLOYED:
		/* Behind a power cut the old one may run once more: only the next reboot tells. */
		if (!set_sentinel(self, error) ||
		    !satchel_ostree_deploy_finish(self->sysroot, error) ||
		    !satchel_update_boot_deployed(self, self->state->installing->commit, error))
			return FALSE;
		satchel_state_deployed(self->state, self->clock_s);
		/* What was found in the sysroot is nothing that anybody asked for now. */
		self->resumed = !self->rebuilt;
		break;
	case SATCHEL_RECONCILE_ABANDON:
		satchel_update_boot_disarm(self);
		satchel_state_abandon(self->state);
		break;
	}
	return satchel_device_save(self, error);
}

/* The same for those who only look: what is told is true, and nothing is written. */
static void
reconcile_view(SatchelDevice *self)
{
	SatchelSysrootFacts facts = satchel_device_get_facts(self);

	if (satchel_update_plan_reconcile(self->state, &facts) == SATCHEL_RECONCILE_DEPLOYED)
		satchel_state_deployed(self->state, self->clock_s);
}

static gboolean
open_parts(SatchelDevice *self, const char *const *config_paths, GError **error)
{
	gboolean update = self->mode == SATCHEL_DEVICE_UPDATE;

	if (!read_settings(self, config_paths, error) || !open_dir(self, error))
		return FALSE;
	if (update) {
		self->lock = satchel_lock_take(self->dir_fd, error);
		if (self->lock == NULL || (self->settings->foreign_lock != NULL &&
					   !satchel_lock_take_foreign(self->settings->foreign_lock,
								      &self->foreign_lock, error)))
			return FALSE;
	}
	self->type = self->identity.type != NULL
			     ? self->identity.type
			     : satchel_provisioned_root_guess_type(self->settings->root_dir);
	self->sysroot = satchel_sysroot_open(self->settings->sysroot, self->settings->os,
					     self->settings->booted ? SATCHEL_SYSROOT_BOOTED
								    : SATCHEL_SYSROOT_STAGED,
					     update, error);
	if (self->sysroot == NULL)
		return FALSE;
	satchel_sysroot_set_reserved_percent(self->sysroot, self->settings->reserved_percent);
	if (!satchel_device_load_state(self, error))
		return FALSE;
	if (update)
		return reconcile(self, error);
	reconcile_view(self);
	return TRUE;
}

SatchelDevice *
satchel_device_open(const char *const *config_paths, SatchelDeviceMode mode, GError **error)
{
	static gint n_opened;
	g_autoptr(SatchelDevice) self = g_new0(SatchelDevice, 1);

	self->id = (guint)g_atomic_int_add(&n_opened, 1);
	self->mode = mode;
	self->dir_fd = -1;
	self->clock_s = satchel_clock_now_s();
	self->remarks = g_ptr_array_new_with_free_func(g_free);
	return open_parts(self, config_paths, error) ? g_steal_pointer(&self) : NULL;
}

void
satchel_device_remark(SatchelDevice *self, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_ptr_array_add(self->remarks, g_strdup_vprintf(format, args));
	va_end(args);
}

gboolean
satchel_device_check_update(const SatchelDevice *self, GError **error)
{
	if (self->mode == SATCHEL_DEVICE_UPDATE)
		return TRUE;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE,
		    "the device is opened read-only: open it for update");
	return FALSE;
}

SatchelSysrootFacts
satchel_device_get_facts(const SatchelDevice *self)
{
	SatchelSysrootFacts facts = {0};

	facts.runs = satchel_sysroot_is_booted(self->sysroot);
	facts.booted_commit = satchel_sysroot_get_booted_commit(self->sysroot);
	facts.default_commit = satchel_sysroot_get_default_commit(self->sysroot);
	facts.rebooted = !facts.runs ||
			 !satchel_reboot_sentinel_is_set(self->settings->reboot_sentinel_dir,
							 self->settings->reboot_sentinel_name);
	return facts;
}

const char *
satchel_device_get_running_commit(const SatchelDevice *self)
{
	SatchelSysrootFacts facts = satchel_device_get_facts(self);

	return satchel_update_plan_running_commit(self->state, &facts);
}

const SatchelStateTarget *
satchel_device_get_running_target(const SatchelDevice *self)
{
	SatchelSysrootFacts facts = satchel_device_get_facts(self);

	return satchel_update_plan_running_target(self->state, &facts);
}

gint64
satchel_device_get_floor(const SatchelDevice *self)
{
	return MAX(self->state->lowest_version, (gint64)self->settings->lowest_version);
}

gboolean
satchel_device_save(SatchelDevice *self, GError **error)
{
	return satchel_state_file_save(self->dir_fd, self->state, error);
}

void
satchel_device_close(SatchelDevice *self)
{
	g_clear_pointer(&self->sysroot, satchel_sysroot_free);
	g_clear_pointer(&self->state, satchel_state_free);
	satchel_device_identity_clear(&self->identity);
	if (self->dir_fd >= 0)
		close(self->dir_fd);
	/* Last: until here nobody else may have begun. */
	g_clear_pointer(&self->foreign_lock, satchel_lock_release);
	g_clear_pointer(&self->lock, satchel_lock_release);
	g_clear_pointer(&self->settings, satchel_settings_free);
	g_free(self->dir);
	g_ptr_array_unref(self->remarks);
	g_free(self);
}
