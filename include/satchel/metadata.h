#pragma once
#include <satchel/root.h>
#pragma GCC visibility push(default)

/*
 * Verified timestamp, snapshot and targets roles, and the entries of the last. Made only by the
 * trusted set (verify/trusted_set.h), so that holding one is the proof. Immutable and
 * reference-counted; callable from any thread. Strings and bytes are borrowed from the object.
 */
typedef struct SatchelTimestamp SatchelTimestamp;
typedef struct SatchelSnapshot SatchelSnapshot;
typedef struct SatchelTargets SatchelTargets;
typedef struct SatchelTarget SatchelTarget; /* borrowed from its SatchelTargets */

gint64 satchel_timestamp_get_version(const SatchelTimestamp *self);
gint64 satchel_timestamp_get_expires_s(const SatchelTimestamp *self);
gint64 satchel_timestamp_get_snapshot_version(const SatchelTimestamp *self);
GBytes *satchel_timestamp_get_bytes(const SatchelTimestamp *self);
SatchelTimestamp *satchel_timestamp_ref(SatchelTimestamp *self);
void satchel_timestamp_unref(SatchelTimestamp *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelTimestamp, satchel_timestamp_unref)

gint64 satchel_snapshot_get_version(const SatchelSnapshot *self);
gint64 satchel_snapshot_get_expires_s(const SatchelSnapshot *self);
GBytes *satchel_snapshot_get_bytes(const SatchelSnapshot *self);
SatchelSnapshot *satchel_snapshot_ref(SatchelSnapshot *self);
void satchel_snapshot_unref(SatchelSnapshot *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelSnapshot, satchel_snapshot_unref)

/* "targets", or the delegated role's name. */
const char *satchel_targets_get_role(const SatchelTargets *self);
gint64 satchel_targets_get_version(const SatchelTargets *self);
gint64 satchel_targets_get_expires_s(const SatchelTargets *self);
GBytes *satchel_targets_get_bytes(const SatchelTargets *self);
/* Entries in order of name (bytes). */
guint satchel_targets_get_n_targets(const SatchelTargets *self);
const SatchelTarget *satchel_targets_get_target(const SatchelTargets *self, guint index);
/* NULL when this role does not list @name; delegations are not searched. */
const SatchelTarget *satchel_targets_lookup(const SatchelTargets *self, const char *name);
SatchelTargets *satchel_targets_ref(SatchelTargets *self);
void satchel_targets_unref(SatchelTargets *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelTargets, satchel_targets_unref)

const char *satchel_target_get_name(const SatchelTarget *self);
guint64 satchel_target_get_length_bytes(const SatchelTarget *self);
/* Lower-case hex digest for @algorithm ("sha256", "sha512"), or NULL when the role gives none. */
const char *satchel_target_get_hash(const SatchelTarget *self, const char *algorithm);
/* The entry's `custom` object as compact JSON text, or NULL when it has none. */
GBytes *satchel_target_get_custom(const SatchelTarget *self);

#pragma GCC visibility pop
