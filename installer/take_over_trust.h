#pragma once
#include "aktualizr_database.h"
#include "device_parts.h"

/**
 * satchel_take_over_trust:
 * @self: opened for update
 * @told: gets what was taken, and what not and why
 *
 * Roots of the database are trusted as far as a chain leads to them from the device's own root; the
 * other roles, so that nothing older is taken from now on, as far as they verify under the last of
 * them. Expired ones still say what is older.
 *
 * Errors: those of storing what was verified: SATCHEL_ERROR_NO_SPACE, _METADATA_FAILURE.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_take_over_trust(SatchelDevice *self, SatchelAktualizrDatabase *database,
				 GString *told, GError **error);
