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

/* Stores verified bytes. A delegated role never lands on a top-level role's file. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_trust_store_save(SatchelTrustStore *self, const char *role, GBytes *document,
				  GError **error);

/* Stores a verified root as the trusted one and in the history. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_trust_store_save_root(SatchelTrustStore *self, const SatchelRoot *root,
				       GError **error);

/* Forgets a role (key rotation: TUF 5.3.11). No such role is fine. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_trust_store_remove(SatchelTrustStore *self, const char *role, GError **error);

/* The time floor in seconds since 1970, 0 where none is stored. A damaged file is an error. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_trust_store_load_floor(SatchelTrustStore *self, gint64 *floor_s, GError **error);

/* Raises the floor to a *verified* time; a lower one changes nothing. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_trust_store_raise_floor(SatchelTrustStore *self, gint64 verified_s,
					 GError **error);

/* Writes what is staged, each file atomically, root first. Killed in between, the rest is an older
 * but valid set that the next run brings up to date. Nothing staged: nothing happens. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_trust_store_commit(SatchelTrustStore *self, GError **error);

void satchel_trust_store_free(SatchelTrustStore *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelTrustStore, satchel_trust_store_free)

#pragma GCC visibility pop
