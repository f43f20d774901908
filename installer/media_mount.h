#pragma once
#include "media_device.h"

/*
 * The stick's file system, where nobody else sees it: in a mount namespace of the calling thread,
 * on a folder of a name that nobody can know.
 */
typedef struct SatchelMediaMount SatchelMediaMount;

/**
 * satchel_media_mount_new:
 * @run_dir: where the folder is made
 *
 * Read-only, and of nothing on it will a program, a device or a set-user-id bit count. The calling
 * thread keeps its own mounts for good.
 *
 * Errors: SATCHEL_ERROR_DOWNLOAD_FAILED where the file system cannot be mounted;
 * SATCHEL_ERROR_FAILED.
 *
 * Returns: (transfer full): the mount, or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelMediaMount *satchel_media_mount_new(const SatchelMediaDevice *device, const char *run_dir,
					   GError **error);

const char *satchel_media_mount_get_path(const SatchelMediaMount *self);

/* Unmounts it; the stick may go. What is still open keeps it busy, and is the caller's fault. */
void satchel_media_mount_release(SatchelMediaMount *self);

/* Mounts it again, to be written to. Errors: as above; a stick with a write-protect switch is one.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_media_mount_for_writing(SatchelMediaMount *self, GError **error);

void satchel_media_mount_free(SatchelMediaMount *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelMediaMount, satchel_media_mount_free)
