#pragma once
#include "threshold.h"
#include <satchel/metadata.h>

/*
 * The roles that are trusted at one moment, and the rules by which another may join them:
 * TUF 1.0.34, 5.3 to 5.6, as pure functions of bytes and time. Roles are offered in order; each
 * offer either makes the set newer or leaves it as it was, with an error. Not thread-safe.
 *
 * Errors: SATCHEL_ERROR_METADATA_INVALID (form, signature, version, hash), _EXPIRED. Messages name
 * role, version and rule.
 */
typedef struct SatchelTrustedSet SatchelTrustedSet;

/* @root: borrowed (a reference is taken). @now_s: the run's one "now". (transfer full) */
SatchelTrustedSet *satchel_trusted_set_new(SatchelRoot *root, gint64 now_s);

/* Root N+1. Only before the first timestamp. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_trusted_set_update_root(SatchelTrustedSet *self, GBytes *document, GError **error);

/* After the last root: its expiry. TUF 5.3.10. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_trusted_set_check_root_expiry(const SatchelTrustedSet *self, GError **error);

/**
 * satchel_trusted_set_update_timestamp:
 *
 * Signature, version not lower than the present one, its snapshot's version neither. Equal version:
 * the present one is kept, *@unchanged is set. Expiry is checked last and on its own: an expired
 * timestamp joins the set as rollback reference (FALSE, _EXPIRED), and no snapshot follows it.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_trusted_set_update_timestamp(SatchelTrustedSet *self, GBytes *document,
					      gboolean *unchanged, GError **error);

/**
 * satchel_trusted_set_update_snapshot:
 * @stored: TRUE for the device's own copy, which the timestamp's hash need not match as long as it
 * is only the rollback reference (it was matched when it was stored)
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_trusted_set_update_snapshot(SatchelTrustedSet *self, GBytes *document,
					     gboolean stored, GError **error);

G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_trusted_set_update_targets(SatchelTrustedSet *self, GBytes *document,
					    GError **error);

/* @delegator: "targets" or a delegated role that is in the set. The result is trusted for this
 * delegator only. Borrowed from the set. */
G_GNUC_WARN_UNUSED_RESULT
const SatchelTargets *satchel_trusted_set_update_delegated(SatchelTrustedSet *self,
							   const char *role, const char *delegator,
							   GBytes *document, GError **error);

/* NULL until they joined. A timestamp or snapshot that is only a rollback reference counts. */
SatchelRoot *satchel_trusted_set_get_root(const SatchelTrustedSet *self);
SatchelTimestamp *satchel_trusted_set_get_timestamp(const SatchelTrustedSet *self);
SatchelSnapshot *satchel_trusted_set_get_snapshot(const SatchelTrustedSet *self);
SatchelTargets *satchel_trusted_set_get_targets(const SatchelTrustedSet *self);

/* What the snapshot says of @role ("targets" or a delegated one): version, and the length that
 * bounds its download (or @default_max_bytes). FALSE where it is not listed
 * (SATCHEL_ERROR_METADATA_INVALID). */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_trusted_set_get_listed(const SatchelTrustedSet *self, const char *role,
					gsize default_max_bytes, gint64 *version, gsize *max_bytes,
					GError **error);

void satchel_trusted_set_free(SatchelTrustedSet *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelTrustedSet, satchel_trusted_set_free)
