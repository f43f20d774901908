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
 * @unchanged: (out) (nullable): TRUE where the present one was kept
 *
 * Signature, version not lower than the present one, its snapshot's version neither. Equal version:
 * the present one is kept, *@unchanged is set. Expiry (the root's too) is checked last and on its
 * own: an expired timestamp joins the set as rollback reference (FALSE, _EXPIRED), and no snapshot
 * follows it. A stored one is offered in just the same way, first. Only before the first snapshot.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_trusted_set_update_timestamp(SatchelTrustedSet *self, GBytes *document,
					      gboolean *unchanged, GError **error);

/**
 * satchel_trusted_set_update_snapshot:
 * @stored: TRUE for the device's own copy, FALSE for one that a source gave
 *
 * TRUE: it is of the version (and, where given, hash and length) that the timestamp says, has not
 * expired, takes nothing back that the present snapshot listed, and targets may follow.
 * FALSE with @stored: its signature may still be good; then it has joined as rollback reference
 * only, and the caller fetches another. FALSE without @stored: the set is as it was.
 * So: `stored copy accepted, or else fetched copy accepted`. TUF 5.5.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_trusted_set_update_snapshot(SatchelTrustedSet *self, GBytes *document,
					     gboolean stored, GError **error);

/* Needs a snapshot for which the above gave TRUE. Once. TUF 5.6. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_trusted_set_update_targets(SatchelTrustedSet *self, GBytes *document,
					    GError **error);

/**
 * satchel_trusted_set_update_delegated:
 * @delegator: the targets role or a delegated one, from this set
 *
 * Verifies @document as @role with the keys that @delegator gives for it. What is trusted for one
 * delegator is not for another: offer the same bytes again for each.
 *
 * Returns: (transfer none): the role, owned by the set; or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
const SatchelTargets *satchel_trusted_set_update_delegated(SatchelTrustedSet *self,
							   const char *role,
							   const SatchelTargets *delegator,
							   GBytes *document, GError **error);

/* What joined before as @role of just this @delegator, or NULL. Borrowed from the set. */
const SatchelTargets *satchel_trusted_set_get_delegated(const SatchelTrustedSet *self,
							const char *role,
							const SatchelTargets *delegator);

/* NULL until they joined. A timestamp or snapshot that is only a rollback reference counts. */
SatchelRoot *satchel_trusted_set_get_root(const SatchelTrustedSet *self);
SatchelTimestamp *satchel_trusted_set_get_timestamp(const SatchelTrustedSet *self);
SatchelSnapshot *satchel_trusted_set_get_snapshot(const SatchelTrustedSet *self);
SatchelTargets *satchel_trusted_set_get_targets(const SatchelTrustedSet *self);

/**
 * satchel_trusted_set_get_listed:
 * @role: "snapshot" (asks the timestamp), "targets" or a delegated role (asks the snapshot; no
 *   delegated role can be called "snapshot")
 * @max_bytes: (out): the length that bounds its download, at most @default_max_bytes. In the uptane
 *   dialect lengths are of canonical forms and bound no download: it is @default_max_bytes.
 *
 * Errors: SATCHEL_ERROR_METADATA_INVALID where @role is not listed.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_trusted_set_get_listed(const SatchelTrustedSet *self, const char *role,
					gsize default_max_bytes, gint64 *version, gsize *max_bytes,
					GError **error);

void satchel_trusted_set_free(SatchelTrustedSet *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelTrustedSet, satchel_trusted_set_free)
