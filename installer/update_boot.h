#pragma once
#include "device_parts.h"

/* What the boot loader is told around an installation, and what it has to say to it. Nothing, where
 * the configuration names no boot loader that counts. */

/**
 * satchel_update_boot_check:
 * @commit: that is to be installed, complete in the repository
 * @refusal: (out) (transfer full): NULL, or why @commit must not be installed: by its boot firmware
 *
 * Before anything is changed.
 *
 * Errors: SATCHEL_ERROR_REBOOT_FOR_BOOT_FIRMWARE: an update of the boot firmware waits for a
 * reboot; SATCHEL_ERROR_FAILED: the boot loader cannot be asked.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_update_boot_check(SatchelDevice *device, const char *commit, char **refusal,
				   GError **error);

/* Before a deployment is written. Errors: SATCHEL_ERROR_FAILED; nothing is set then. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_update_boot_arm(SatchelDevice *device, GError **error);

/* Where the deployment failed, or nothing was under way to begin with. What cannot be set is a
 * remark: the next start tries it again. */
void satchel_update_boot_disarm(SatchelDevice *device);

/* Where the pending installation is called off before its first boot: the same, and the boot
 * firmware that it came with is not offered any more, if the boot loader can be told so. */
void satchel_update_boot_withdraw(SatchelDevice *device);

/* Once @commit is deployed: the boot loader takes it, and is offered its firmware. May be repeated.
 * Errors: SATCHEL_ERROR_FAILED: the boot loader might go on with the old one. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_update_boot_deployed(SatchelDevice *device, const char *commit, GError **error);

/* What runs is to be kept. *@firmware: an update of the boot firmware waits for another reboot.
 * Errors: SATCHEL_ERROR_FAILED: the boot loader might go back. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_update_boot_confirm(SatchelDevice *device, gboolean *firmware, GError **error);
