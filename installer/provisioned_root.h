#pragma once
#include <satchel/root.h>

/* The trusted root that came with the device's image: DIR/{ci,prod}/N.root.json. */

/**
 * satchel_provisioned_root_read:
 * @dir: uptane_metadata_path
 * @type: (nullable): "ci" or "prod"; NULL: unknown, and only what both folders share is taken
 *
 * The newest file is where the chain ends; its predecessors, as far as they are there, must lead to
 * it. Expiry is not looked at: an image may be older than its roots' lives.
 *
 * Errors: SATCHEL_ERROR_METADATA_INVALID (a root that its predecessor did not sign),
 * SATCHEL_ERROR_METADATA_FAILURE (unreadable), SATCHEL_ERROR_METADATA_NOT_FOUND (none is there).
 *
 * Returns: (transfer full): the newest root, or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelRoot *satchel_provisioned_root_read(const char *dir, const char *type, GError **error);

/* The one of "ci" and "prod" that has roots; NULL where none has, or both. */
const char *satchel_provisioned_root_guess_type(const char *dir);
