#pragma once
#include "json.h"
#include <satchel/bundle_thin.h>

/* The thin part of `x-satchel`: "from", "full" and "deltas". Pure. */

/**
 * satchel_bundle_thin_parse:
 * @addition: the object `x-satchel`
 * @thin: (out): NULL where the bundle leaves nothing out; free it with satchel_bundle_thin_free()
 *
 * Errors: SATCHEL_ERROR_METADATA_INVALID.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_bundle_thin_parse(const json_t *addition, SatchelBundleThin **thin,
				   GError **error);

/* Adds the same members to @addition. */
void satchel_bundle_thin_to_json(const SatchelBundleThin *self, json_t *addition);

/* NULL is fine. */
void satchel_bundle_thin_free(SatchelBundleThin *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelBundleThin, satchel_bundle_thin_free)
