#pragma once
#include "device_parts.h"

/* The reason of what is left because somebody wanted it. */
#define SATCHEL_ROLLBACK_BY_HAND "rolled back by hand"

/* The steps that an installation and a rollback have in common. */

/* Notes, before anything is deployed, that @target (borrowed) is about to be. @bundle: (nullable):
 * SHA-256 of the metadata of the bundle that it comes from. The boot loader counts from here on.
 * Errors: SATCHEL_ERROR_FAILED where nothing is deployed so far, where the boot loader cannot be
 * told, or where a reboot could not be noticed; as satchel_device_save(). */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_update_run_begin(SatchelDevice *device, const SatchelStateTarget *target,
				  const char *bundle, GError **error);

/**
 * satchel_update_run_deploy:
 * @existing: its deployment is there already, and is made the default again
 * @unchanged: (out): TRUE with an error: the next boot takes what it would have taken, and the
 * state still says that the installation has begun: the caller sets it right
 *
 * Deploys what was begun and notes it. Errors: as satchel_ostree_deploy(), satchel_device_save().
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_update_run_deploy(SatchelDevice *device, gboolean existing,
				   GCancellable *cancellable, gboolean *unchanged, GError **error);

/* What is pending runs, and is confirmed to boot loader and state. @outcome: (out): DONE or
 * REBOOT_FOR_BOOT_FIRMWARE. Error: SATCHEL_ERROR_FAILED; as satchel_device_save(). */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_update_run_confirm(SatchelDevice *device, SatchelOutcome *outcome, GError **error);

/* What is pending, and runs, fails for @cause: the system before it becomes the default again, and
 * is pending. @blame: what is left is a failing target, where it was pending.
 * Errors: SATCHEL_ERROR_ROLLBACK_TARGET_NOT_FOUND, else as satchel_update_rollback(). */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_update_rollback_leave(SatchelDevice *device, const GError *cause, gboolean blame,
				       GCancellable *cancellable, GError **error);

/* The running deployment, and that to which a rollback leads, are kept beside a new one: sets up to
 * three members of @keep, NULL-terminated, borrowed from the state. */
void satchel_update_run_list_kept(const SatchelDevice *device, const char *keep[3]);

/* There is nothing to reboot for any more. */
void satchel_update_run_forget_reboot(const SatchelDevice *device);
