#include "media_mount.h"
#include "../verify/path_safety.h"
#include <errno.h>
#include <libmount.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#define OPTIONS "nosuid,nodev,noexec,noatime"

struct SatchelMediaMount {
	const SatchelMediaDevice *device;
	char *path;
	gboolean mounted;
};

static gboolean
fail(const char *what, int problem, GError **error)
{
	g_autofree char *quoted = satchel_path_quote(what);

	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED, "%s: %s", quoted,
		    g_strerror(problem));
	return FALSE;
}

static gboolean
enter_own_mounts(GError **error)
{
	if (unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0)
		return TRUE;
	return fail("a mount namespace", errno, error);
}

/* FAT and exFAT have no owners: everybody may read, as on other file systems by their modes. */
static const char *
get_options(const SatchelMediaDevice *device, gboolean writable)
{
	gboolean fat = g_str_equal(device->file_system, "vfat") ||
		       g_str_equal(device->file_system, "exfat");

	if (writable)
		return fat ? "rw," OPTIONS ",uid=0,gid=0,umask=022" : "rw," OPTIONS;
	return fat ? "ro," OPTIONS ",uid=0,gid=0,umask=022" : "ro," OPTIONS;
}

/* No helper program, no table of mounts: what is mounted where is nobody else's affair. */
static int
try_mount(const SatchelMediaMount *self, const char *options)
{
	struct libmnt_context *context = mnt_new_context();
	int result = -ENOMEM;

	if (context == NULL)
		return result;
	mnt_context_disable_helpers(context, TRUE);
	mnt_context_disable_mtab(context, TRUE);
	mnt_context_disable_canonicalize(context, TRUE);
	if (mnt_context_set_source(context, self->device->node) == 0 &&
	    mnt_context_set_target(context, self->path) == 0 &&
	    mnt_context_set_fstype(context, self->device->file_system) == 0 &&
	    mnt_context_set_options(context, options) == 0)
		result = mnt_context_mount(context);
	/* Above 0 it is what the system call gave; it says why. */
	if (result > 0 || (result == 0 && mnt_context_get_status(context) != 1))
		result = mnt_context_get_syscall_errno(context);
	mnt_free_context(context);
	return ABS(result);
}

static gboolean
do_mount(SatchelMediaMount *self, gboolean writable, GError **error)
{
	int problem = try_mount(self, get_options(self->device, writable));

	self->mounted = problem == 0;
	if (self->mounted)
		return TRUE;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
		    "the stick is unreadable: %s (%s) cannot be mounted: %s", self->device->node,
		    self->device->file_system, g_strerror(problem));
	return FALSE;
}

SatchelMediaMount *
satchel_media_mount_new(const SatchelMediaDevice *device, const char *run_dir, GError **error)
{
	g_autoptr(SatchelMediaMount) self = g_new0(SatchelMediaMount, 1);

	self->device = device;
	if (g_mkdir_with_parents(run_dir, 0755) != 0) {
		fail(run_dir, errno, error);
		return NULL;
	}
	if (!enter_own_mounts(error))
		return NULL;
	self->path = g_build_filename(run_dir, "stick-XXXXXX", NULL);
	if (g_mkdtemp_full(self->path, 0700) == NULL) {
		fail(self->path, errno, error);
		g_clear_pointer(&self->path, g_free);
		return NULL;
	}
	return do_mount(self, FALSE, error) ? g_steal_pointer(&self) : NULL;
}

const char *
satchel_media_mount_get_path(const SatchelMediaMount *self)
{
	return self->path;
}

void
satchel_media_mount_release(SatchelMediaMount *self)
{
	/* Where the stick is gone already, its file system is given up. */
	if (self->mounted && umount2(self->path, UMOUNT_NOFOLLOW) != 0)
		(void)umount2(self->path, UMOUNT_NOFOLLOW | MNT_DETACH);
	self->mounted = FALSE;
}

gboolean
satchel_media_mount_for_writing(SatchelMediaMount *self, GError **error)
{
	satchel_media_mount_release(self);
	return do_mount(self, TRUE, error);
}

void
satchel_media_mount_free(SatchelMediaMount *self)
{
	satchel_media_mount_release(self);
	if (self->path != NULL)
		(void)rmdir(self->path);
	g_free(self->path);
	g_free(self);
}
