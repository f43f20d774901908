#pragma once
#include "command_line.h"
#include "offer.h"
#include <satchel/status.h>

/* Checks the bundle of --src-dir, as every command that acts on one does. Says why it was refused,
 * where there is more than one reason. (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
SatchelOffer *satchel_command_offer_check(const SatchelCommandLine *line, SatchelDevice *device,
					  GError **error);

/* What the stored metadata offer, as satchel_offer_from_stored() tells. (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
SatchelOffer *satchel_command_offer_stored(const SatchelCommandLine *line, SatchelDevice *device,
					   GError **error);

/* Prints what is on offer, and gives what `check` and `list` come to.
 * @wanted: (nullable): a name or version.
 *
 * Errors: SATCHEL_ERROR_TARGET_NOT_FOUND, _ROLLBACK_TARGET_NOT_FOUND; the list is printed then,
 * too, for it is good. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_command_offer_print(const SatchelOffer *offer, const SatchelDevice *device,
				     const char *wanted, gboolean json, SatchelOutcome *outcome,
				     GError **error);
