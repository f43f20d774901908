#pragma once
#include "offer.h"
#include <satchel/status.h>

/* The steps of an update, on a device that is opened for update. Each leaves a state from which the
 * next one, or the same one again, can go on, wherever it was cut off. */

/* TRUE where opening the device has just brought the installation of @wanted (nullable: of any) to
 * its end: what `install` was asked for is done. */
gboolean satchel_update_was_resumed(const SatchelDevice *device, const char *wanted);

/* Errors: SATCHEL_ERROR_INSTALLATION_IN_PROGRESS where an installation waits for `run`. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_update_check_idle(const SatchelDevice *device, GError **error);

/* Brings the content of @target from the offer's bundle. Errors: as satchel_ostree_pull(). */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_update_pull(SatchelDevice *device, const SatchelOffer *offer,
			     const SatchelOstreeTarget *target, GError **error);

/**
 * satchel_update_install:
 * @outcome: (out): DONE where @target's commit runs already, NEEDS_REBOOT where it is deployed
 *
 * Errors: SATCHEL_ERROR_DOWNLOAD_FAILED where it was not pulled; SATCHEL_ERROR_ROLLED_BACK where it
 * could not be deployed, the device being as before and @target failing; SATCHEL_ERROR_BUSY,
 * SATCHEL_ERROR_FAILED.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_update_install(SatchelDevice *device, const SatchelOffer *offer,
				const SatchelOstreeTarget *target, SatchelOutcome *outcome,
				GError **error);

/**
 * satchel_update_finalize:
 * @outcome: (out): DONE where the device runs what was installed, NEEDS_REBOOT where it was not
 *   rebooted yet
 *
 * Errors: SATCHEL_ERROR_NO_PENDING_INSTALLATION; SATCHEL_ERROR_ROLLED_BACK where something else was
 * booted.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_update_finalize(SatchelDevice *device, SatchelOutcome *outcome, GError **error);
