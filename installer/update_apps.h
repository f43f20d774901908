#pragma once
#include "device_parts.h"

/* The part that apps have in an update: an installation that changes nothing else, the start after
 * a reboot, and the ways back. */

/**
 * satchel_update_apps_install:
 * @target: with the commit that runs; all of its content is on the device
 * @bundle: (nullable): SHA-256 of the metadata of the bundle that it comes from
 * @outcome: (out): APPS_NEED_FINALIZATION where the start was put off
 *
 * From the moment at which something that runs is touched, the state says that @target is pending:
 * cut off, `run` goes on.
 *
 * Errors: as satchel_device_apps_load() (nothing was changed), satchel_update_apps_settle().
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_update_apps_install(SatchelDevice *device, const SatchelStateTarget *target,
				     const char *bundle, GCancellable *cancellable,
				     SatchelOutcome *outcome, GError **error);

/**
 * satchel_update_apps_settle:
 *
 * Starts the apps of what is pending, on the system that it wants.
 *
 * Errors: where they do not come up, what is pending is failing: SATCHEL_ERROR_ROLLED_BACK (the
 * apps before it run again), SATCHEL_ERROR_ROLLBACK_NEEDS_REBOOT (the system before it is the
 * default again), SATCHEL_ERROR_ROLLBACK_FAILED. SATCHEL_ERROR_CANCELLED, and where the system
 * stays the same SATCHEL_ERROR_ENGINE_UNREACHABLE: it stays pending.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_update_apps_settle(SatchelDevice *device, GCancellable *cancellable,
				    GError **error);

/* Starts the apps of what runs, which is what a rollback came back to. Errors:
 * SATCHEL_ERROR_ROLLBACK_FAILED, SATCHEL_ERROR_CANCELLED, SATCHEL_ERROR_ENGINE_UNREACHABLE. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_update_apps_return(SatchelDevice *device, GCancellable *cancellable,
				    GError **error);

/* The same, where the state says already that the device is back: cut off or cancelled, which is a
 * remark, `run` starts them. Error: SATCHEL_ERROR_ROLLBACK_FAILED. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_update_apps_return_noted(SatchelDevice *device, GCancellable *cancellable,
					  GError **error);

/* Nothing is pending: what does not run of the apps of what runs is started, be it that a power cut
 * came between stopping and starting. Nobody waits for what comes of it. What goes wrong is a
 * remark. Error: SATCHEL_ERROR_CANCELLED. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_update_apps_keep(SatchelDevice *device, GCancellable *cancellable, GError **error);
