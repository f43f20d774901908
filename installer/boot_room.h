#pragma once
#include "sysroot.h"

/**
 * satchel_boot_room_check:
 * @sysroot: borrowed
 * @boot_fd: its /boot
 * @commit: that is to be deployed, complete in its repository
 *
 * Is there room in /boot for the kernel, initramfs and device trees of @commit, beside those that
 * are there, and for the entries? Those of a kernel that a deployment has already are shared.
 *
 * Errors: SATCHEL_ERROR_NO_SPACE, which says how much is lacking; SATCHEL_ERROR_FAILED.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_boot_room_check(SatchelSysroot *sysroot, int boot_fd, const char *commit,
				 GError **error);
