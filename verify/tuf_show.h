#pragma once
#include <satchel/trust_store.h>

/**
 * satchel_tuf_show:
 * @json: by schemas/tuf-show.schema.json, else for people
 *
 * Prints to stdout what the store holds and what of it still verifies. Expired roles are shown as
 * such. Writes nothing to the store.
 *
 * Errors: SATCHEL_ERROR_METADATA_NOT_FOUND, SATCHEL_ERROR_METADATA_FAILURE: no trusted root.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_tuf_show(SatchelTrustStore *store, gint64 now_s, gboolean json, GError **error);
