#pragma once
#include "repo_store.h"

/*
 * Changes of a repository that touch several files. Killed at any instruction, they leave what the
 * same command, or `repo publish`, completes.
 */

/**
 * satchel_repo_publish_create:
 * @n_keys: by role; all of a role's keys must sign
 *
 * Root 1 and the first version of the other roles, without targets.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_repo_publish_create(SatchelRepoStore *repo, const gint64 n_keys[SATCHEL_N_ROLES],
				     gint64 now_s, GError **error);

/* Writes @document (whole, changed in place) as targets with the next version and a new expiry. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_repo_publish_targets(SatchelRepoStore *repo, json_t *document, gint64 now_s,
				      GError **error);

/**
 * satchel_repo_publish_run:
 *
 * The next snapshot and the next timestamp, with new expiries. Targets are signed again only where
 * they have expired or the newest root's keys have not signed them: their key may be kept offline.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_repo_publish_run(SatchelRepoStore *repo, gint64 now_s, GError **error);

/**
 * satchel_repo_publish_rotate:
 *
 * As many new keys for @role as it has, root N+1 signed by the old root keys and the new ones
 * (TUF 6.1), and where @role is not root, all that satchel_repo_publish_run() does.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_repo_publish_rotate(SatchelRepoStore *repo, SatchelRole role, gint64 now_s,
				     GError **error);
