#pragma once
#include <satchel/canonical_json.h>
#include <satchel/limits.h>
#pragma GCC visibility push(default)

/* A root role that has passed verification. Holding one *is* the proof; never mutated. */
typedef struct SatchelRoot SatchelRoot;

/**
 * satchel_root_new_trusted:
 * @document: the root that the caller vouches for (provisioned, or from the trust store), borrowed
 *
 * Its own keys must still have signed it to its own threshold. Its `_type` decides the dialect.
 * Expiry is not looked at. TUF 5.2.
 *
 * Errors: SATCHEL_ERROR_METADATA_INVALID. Pure; callable from any thread.
 *
 * Returns: (transfer full): the trusted root, or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelRoot *satchel_root_new_trusted(GBytes *document, GError **error);

/**
 * satchel_root_advance:
 * @trusted: root version N, borrowed
 * @candidate: document claiming to be version N+1, at most SATCHEL_LIMIT_ROOT_BYTES, borrowed
 *
 * Both thresholds, exactly N+1, same dialect. TUF 5.3.4, 5.3.5.
 *
 * Errors: SATCHEL_ERROR_METADATA_INVALID. Pure; callable from any thread.
 *
 * Returns: (transfer full): the new trusted root, or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelRoot *satchel_root_advance(const SatchelRoot *trusted, GBytes *candidate, GError **error);

/* @now_s: seconds since 1970-01-01 UTC, chosen by the caller. Expiry must be later than now.
 * Error: SATCHEL_ERROR_METADATA_EXPIRED. TUF 5.3.10. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_root_check_expiry(const SatchelRoot *self, gint64 now_s, GError **error);

SatchelDialect satchel_root_get_dialect(const SatchelRoot *self);
gint64 satchel_root_get_version(const SatchelRoot *self);
gint64 satchel_root_get_expires_s(const SatchelRoot *self);
/* Always FALSE in the uptane dialect, whatever the file says. */
gboolean satchel_root_get_consistent_snapshot(const SatchelRoot *self);
/* Byte for byte as received. Borrowed. */
GBytes *satchel_root_get_bytes(const SatchelRoot *self);

/**
 * satchel_root_same_role_keys:
 * @role: "root", "timestamp", "snapshot" or "targets"
 *
 * FALSE where the two roots give @role other keys or another threshold. After a change for
 * timestamp or snapshot both stored ones are forgotten, so that a version number that went too far
 * with stolen keys can be taken back. TUF 5.3.11.
 */
gboolean satchel_root_same_role_keys(const SatchelRoot *a, const SatchelRoot *b, const char *role);

SatchelRoot *satchel_root_ref(SatchelRoot *self);
void satchel_root_unref(SatchelRoot *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelRoot, satchel_root_unref)

#pragma GCC visibility pop
