#pragma once
#include <satchel/root.h>
#pragma GCC visibility push(default)

/*
 * Trusted metadata and the time floor on disk. Files: root.json, timestamp.json, snapshot.json,
 * targets.json and encoded delegated roles, byte for byte as received; `roots/N.root.json`, the
 * history; `time-floor`. Every write is whole, atomic and durable (temp file, fsync, rename, fsync
 * of the folder). What is read back is *not* trusted until it verified again against the root.
 *
 * A staged store keeps its writes in memory until satchel_trust_store_commit(), so that a bundle
 * that is refused in the end leaves nothing behind. One process at a time writes; callers hold the
 * device lock. Not thread-safe.
 */
typedef struct SatchelTrustStore SatchelTrustStore;

typedef enum {
	SATCHEL_TRUST_STORE_READ_ONLY, /* writes are kept in memory and can never be committed */
	SATCHEL_TRUST_STORE_STAGED,    /* writes reach the disk on commit */
	SATCHEL_TRUST_STORE_DIRECT,    /* each write reaches the disk at once */
} SatchelTrustStoreMode;

/**
 * satchel_trust_store_open:
 * @dir: (nullable): the folder; it is made on the first write. NULL: a store in memory only
 * @mode: see above; NULL @dir implies READ_ONLY
 *
 * Errors: SATCHEL_ERROR_METADATA_FAILURE where @dir exists and is no folder or cannot be read.
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelTrustStore *satchel_trust_store_open(const char *dir, SatchelTrustStoreMode mode,
					    GError **error);

/**
 * satchel_trust_store_load:
 * @role: role name, not encoded ("root", "timestamp", a delegated role)
 * @max_bytes: a longer file is an error
 *
 * Staged writes are seen. Absence is NULL *without* error. The bytes are not verified.
 * Errors: SATCHEL_ERROR_METADATA_FAILURE.
 */
GBytes *satchel_trust_store_load(SatchelTrustStore *self, const char *role, gsize max_bytes,
				 GError **error);

/* Stores verified bytes of any role but root. A delegated role never lands on a top-level role's
 * file, whatever its name is and whether or not the file system tells cases apart. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_trust_store_save(SatchelTrustStore *self, const char *role, GBytes *document,
				  GError **error);

/* Stores a verified root as the trusted one and in the history. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_trust_store_save_root(SatchelTrustStore *self, const SatchelRoot *root,
				       GError **error);

/* TRUE when just this root stands in the history: it was trusted once. */
gboolean satchel_trust_store_knows_root(SatchelTrustStore *self, const SatchelRoot *root);

/**
 * satchel_trust_store_advance_root:
 * @trusted: the root that is stored
 * @next: what satchel_root_advance() made of it
 *
 * The same for a root that follows another. Where the keys of timestamp or snapshot changed, both
 * are forgotten (TUF 5.3.11): after the new root is in the history and before it is the trusted
 * one, so that a power cut in between neither keeps them nor opens a way back.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_trust_store_advance_root(SatchelTrustStore *self, const SatchelRoot *trusted,
					  const SatchelRoot *next, GError **error);

/**
 * satchel_trust_store_load_root:
 * @provisioned: (nullable): a root that the caller vouches for by other means, such as the one that
 *   came with the device's read-only file system
 *
 * The trusted root, verified. A root is signed by its own keys, so that the stored file by itself
 * proves only that it is whole, not that it is the one that was stored. With @provisioned the proof
 * is complete: the newest root to which it leads, link by link, through the history and root.json.
 * Whatever else stands in root.json (nothing, garbage, a stranger's root) is replaced by it.
 * Without @provisioned root.json must be there and whole. In both cases roots of the history that
 * follow it are taken, too: what a power cut kept from becoming root.json.
 *
 * Errors: SATCHEL_ERROR_METADATA_NOT_FOUND where there is none and no @provisioned;
 * SATCHEL_ERROR_METADATA_FAILURE where it is damaged, or storing the repaired one failed.
 *
 * Returns: (transfer full): the root, or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelRoot *satchel_trust_store_load_root(SatchelTrustStore *self, SatchelRoot *provisioned,
					   GError **error);

/**
 * satchel_trust_store_load_remembered:
 *
 * For a root.json that is gone or damaged and nothing else to vouch for one: the newest whole root
 * of the history, as good as the root.json that it was once. The caller gives it to
 * satchel_trust_store_load_root().
 *
 * Errors: SATCHEL_ERROR_METADATA_FAILURE where there was a root, in root.json or in the history,
 * and none is whole.
 *
 * Returns: (transfer full): the root; NULL without error where the store never had one
 */
SatchelRoot *satchel_trust_store_load_remembered(SatchelTrustStore *self, GError **error);

/* Forgets a role (key rotation: TUF 5.3.11). No such role is fine. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_trust_store_remove(SatchelTrustStore *self, const char *role, GError **error);

/* The time floor in seconds since 1970, 0 where none is stored. A damaged file is an error. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_trust_store_load_floor(SatchelTrustStore *self, gint64 *floor_s, GError **error);

/* After a damaged one: takes what stands in its place out of the way (`time-floor.damaged-N`), at
 * once, so that none is stored; a read-only store only passes it over. Who can damage the file
 * could as well remove it, so nobody gains by it; the caller has other floors, and says what
 * happened. Error: SATCHEL_ERROR_METADATA_FAILURE. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_trust_store_set_floor_aside(SatchelTrustStore *self, GError **error);

/* Raises the floor to a *verified* time; a lower one changes nothing. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_trust_store_raise_floor(SatchelTrustStore *self, gint64 verified_s,
					 GError **error);

/**
 * satchel_trust_store_copy:
 *
 * The same in memory, with what is staged, for one who may not read the folder. The time floor is
 * not in it.
 *
 * Errors: SATCHEL_ERROR_METADATA_FAILURE.
 *
 * Returns: (transfer full): the copy, or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelTrustStore *satchel_trust_store_copy(SatchelTrustStore *self, GError **error);

/* Writes what is staged, each file atomically, root first. Killed in between, the rest is an older
 * but valid set that the next run brings up to date. Nothing staged: nothing happens. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_trust_store_commit(SatchelTrustStore *self, GError **error);

void satchel_trust_store_free(SatchelTrustStore *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelTrustStore, satchel_trust_store_free)

#pragma GCC visibility pop
