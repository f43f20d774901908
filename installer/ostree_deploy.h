#pragma once
#include "sysroot.h"

/**
 * satchel_ostree_deploy:
 * @sysroot: borrowed; opened writable
 * @commit: complete in its repository
 * @keep: (nullable): commits whose deployments stay, NULL-terminated: the one that runs and the one
 *   that a rollback leads to
 *
 * Makes @commit the default of the next boot, with the kernel arguments and the /etc of the
 * deployment before it. Written so that a power cut at any instruction leaves a /boot that boots
 * the old or the new one: nothing that the old one needs is deleted before the new one is in place
 * on the disk itself.
 *
 * Errors: SATCHEL_ERROR_BUSY (another process changes the sysroot), SATCHEL_ERROR_NO_SPACE,
 * SATCHEL_ERROR_FAILED.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_ostree_deploy(SatchelSysroot *sysroot, const char *commit, const char *const *keep,
			       GError **error);

/* The second half of a deployment that was cut off behind its swap: settles /boot and cleans up. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_ostree_deploy_finish(SatchelSysroot *sysroot, GError **error);
