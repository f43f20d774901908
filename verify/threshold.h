#pragma once
#include "json.h"
#include <satchel/key.h>

/*
 * The keys of one role and how many distinct ones must sign: what a delegator (root, or a targets
 * role for its delegations) says of a role. Immutable; pure.
 */
typedef struct SatchelRoleKeys SatchelRoleKeys;

/**
 * satchel_role_keys_new:
 * @keys: the delegator's `keys` object, keyid to key; unusable keys are kept out, silently
 * @role: an object with `keyids` and `threshold`
 *
 * A keyid that stands twice in `keyids` counts once. In the tuf dialect a key whose keyid is not
 * the SHA-256 of its canonical form does not count; uptane's keyids are opaque.
 *
 * Errors: SATCHEL_ERROR_METADATA_INVALID for a wrong form or a threshold below 1. A threshold above
 * the number of keys is no error here: such a role can never be satisfied.
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelRoleKeys *satchel_role_keys_new(const json_t *keys, const json_t *role,
				       SatchelDialect dialect, GError **error);

/*
 * The same for many roles of one delegator: each key is read at most once, however many roles list
 * it. Borrows @keys. Not thread-safe.
 */
typedef struct SatchelRoleKeyTable SatchelRoleKeyTable;

G_GNUC_WARN_UNUSED_RESULT
SatchelRoleKeyTable *satchel_role_key_table_new(const json_t *keys, SatchelDialect dialect,
						GError **error);
G_GNUC_WARN_UNUSED_RESULT
SatchelRoleKeys *satchel_role_keys_new_from_table(SatchelRoleKeyTable *table, const json_t *role,
						  GError **error);
void satchel_role_key_table_free(SatchelRoleKeyTable *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelRoleKeyTable, satchel_role_key_table_free)

/**
 * satchel_role_keys_verify:
 * @signatures: the document's `signatures` array
 * @message: canonical bytes of its `signed`
 *
 * Counts distinct key material. Unknown keyids, unusable or wrong signatures do not count and do no
 * harm; a keyid that stands twice in @signatures is refused. TUF 4.2.1 and 5.3.4.
 *
 * Errors: SATCHEL_ERROR_METADATA_INVALID, "N of M signatures".
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_role_keys_verify(const SatchelRoleKeys *self, const json_t *signatures,
				  GBytes *message, GError **error);

guint satchel_role_keys_get_threshold(const SatchelRoleKeys *self);
/* Every listed keyid, also those of unusable keys; NULL-terminated, borrowed. */
const char *const *satchel_role_keys_get_keyids(const SatchelRoleKeys *self);
/* The usable key of that id, or NULL. Borrowed. */
SatchelKey *satchel_role_keys_lookup(const SatchelRoleKeys *self, const char *keyid);
/* Same threshold and same set of key material. */
gboolean satchel_role_keys_equal(const SatchelRoleKeys *a, const SatchelRoleKeys *b);
/* Keyids among the role's whose signature over @message is good; each once. (transfer full) */
GStrv satchel_role_keys_good_keyids(const SatchelRoleKeys *self, const json_t *signatures,
				    GBytes *message);

SatchelRoleKeys *satchel_role_keys_ref(SatchelRoleKeys *self);
void satchel_role_keys_unref(SatchelRoleKeys *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelRoleKeys, satchel_role_keys_unref)
