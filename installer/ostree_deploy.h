#pragma once
#include "sysroot.h"

/**
 * satchel_ostree_deploy:
 * @sysroot: borrowed; opened writable
 * @commit: complete in its repository
 * @keep: (nullable): commits whose deployments stay, NULL-terminated: the one that runs and the one
 *   that a rollback leads to
 * @cancellable: (nullable): heeded until the new tree is checked out, not from there on
 *
 * Makes @commit the default of the next boot, with the kernel arguments and the /etc of the
 * deployment before it. Written so that a power cut at any instruction leaves a /boot that boots
 * the old or the new one: nothing that the old one needs is deleted before the new one is in place
 * on the disk itself.
 *
 * Errors: SATCHEL_ERROR_BUSY (another process changes the sysroot, or has staged a deployment),
 * SATCHEL_ERROR_NO_SPACE, SATCHEL_ERROR_CANCELLED, SATCHEL_ERROR_FAILED. After one the next boot
 * takes what it would have taken, or @commit: ask the sysroot.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_ostree_deploy(SatchelSysroot *sysroot, const char *commit, const char *const *keep,
			       GCancellable *cancellable, GError **error);

/* The same with the deployment of @commit that is there already: it is made the default again as it
 * is, with its own /etc and kernel arguments. Errors: SATCHEL_ERROR_ROLLBACK_TARGET_NOT_FOUND where
 * there is none; as above. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_ostree_deploy_existing(SatchelSysroot *sysroot, const char *commit,
					const char *const *keep, GError **error);

/* The second half of a deployment that was cut off behind its swap: settles /boot and cleans up. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_ostree_deploy_finish(SatchelSysroot *sysroot, GError **error);
