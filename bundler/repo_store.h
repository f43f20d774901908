#pragma once
#include "role_author.h"
#include <satchel/root.h>

/*
 * A TUF repository that we author, as files and nothing else:
 *
 *   REPO/repo.json                dialect, type of key, days until roles expire
 *   REPO/keys/ROLE-KEYID.pem      private keys, PKCS#8, mode 0600, never overwritten or deleted
 *   REPO/metadata/N.root.json     every root
 *   REPO/metadata/{targets,snapshot,timestamp}.json
 *
 * Each file is written atomically and durably. While it is open, a lock on the folder keeps other
 * authors out. Not thread-safe.
 */
typedef struct SatchelRepoStore SatchelRepoStore;

typedef struct {
	SatchelDialect dialect;
	SatchelScheme scheme; /* of new keys */
	gint64 expires_days[SATCHEL_N_ROLES];
} SatchelRepoSettings;

/* Lays out an empty repository in the open folder @dir_fd (borrowed), which nobody else knows yet:
 * no roots, no roles. @path: for messages. (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
SatchelRepoStore *satchel_repo_store_create(int dir_fd, const char *path,
					    const SatchelRepoSettings *settings, GError **error);

/**
 * satchel_repo_store_open:
 *
 * Errors: SATCHEL_ERROR_BUSY where another author is at work; SATCHEL_ERROR_METADATA_NOT_FOUND
 * where there is no repository; SATCHEL_ERROR_METADATA_INVALID where its newest root is damaged.
 *
 * Returns: (transfer full)
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelRepoStore *satchel_repo_store_open(const char *path, GError **error);

const SatchelRepoSettings *satchel_repo_store_get_settings(const SatchelRepoStore *self);

/* @now_s plus the days that @role has by the settings. */
gint64 satchel_repo_store_expiry(const SatchelRepoStore *self, SatchelRole role, gint64 now_s);

/* The newest root; 0 and NULL in a fresh repository. The tree is the whole document, borrowed until
 * the next root is saved. */
gint64 satchel_repo_store_get_root_version(const SatchelRepoStore *self);
json_t *satchel_repo_store_get_root(const SatchelRepoStore *self);

/* Writes root N+1, or root 1. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_repo_store_save_root(SatchelRepoStore *self, GBytes *file, GError **error);

/**
 * satchel_repo_store_load_role:
 * @role: any but root
 * @valid: (out): whether its threshold by the newest root is met
 *
 * Returns: (transfer full): the whole document
 */
G_GNUC_WARN_UNUSED_RESULT
json_t *satchel_repo_store_load_role(SatchelRepoStore *self, SatchelRole role, gboolean *valid,
				     GError **error);

G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_repo_store_save_role(SatchelRepoStore *self, SatchelRole role, GBytes *file,
				      GError **error);

/* Makes @n_keys keys by the settings and writes them. (element-type SatchelPrivateKey) (transfer
 * full) */
G_GNUC_WARN_UNUSED_RESULT
GPtrArray *satchel_repo_store_make_keys(SatchelRepoStore *self, SatchelRole role, guint n_keys,
					GError **error);

/**
 * satchel_repo_store_load_keys:
 *
 * The private keys in REPO/keys that the newest root lists for @role. Fewer than its threshold is
 * SATCHEL_ERROR_FAILED, saying which are missing.
 *
 * Returns: (transfer full) (element-type SatchelPrivateKey)
 */
G_GNUC_WARN_UNUSED_RESULT
GPtrArray *satchel_repo_store_load_keys(SatchelRepoStore *self, SatchelRole role, GError **error);

/* The role's keyids and threshold by the newest root. */
guint satchel_repo_store_get_n_keys(const SatchelRepoStore *self, SatchelRole role);
guint satchel_repo_store_get_threshold(const SatchelRepoStore *self, SatchelRole role);

void satchel_repo_store_free(SatchelRepoStore *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelRepoStore, satchel_repo_store_free)
