#include "repo_publish.h"
#include "../verify/json.h"

static SatchelRoleHead
head_of(SatchelRepoStore *repo, SatchelRole role, gint64 version, gint64 now_s)
{
	return (SatchelRoleHead){
		.dialect = satchel_repo_store_get_settings(repo)->dialect,
		.version = version,
		.expires_s = satchel_repo_store_expiry(repo, role, now_s),
	};
}

static GBytes *
seal(SatchelRepoStore *repo, json_t *signed_, GPtrArray *keys, SatchelRole role, GError **error)
{
	return satchel_role_author_seal(signed_, keys,
					satchel_repo_store_get_settings(repo)->dialect,
					satchel_role_author_name(role), error);
}

/* Signs with the keys that the newest root gives the role, and writes. (transfer full) */
static GBytes *
seal_and_save(SatchelRepoStore *repo, json_t *signed_, SatchelRole role, GError **error)
{
	g_autoptr(GPtrArray) keys = satchel_repo_store_load_keys(repo, role, error);
	g_autoptr(GBytes) file = NULL;

	if (keys == NULL)
		return NULL;
	file = seal(repo, signed_, keys, role, error);
	if (file == NULL || !satchel_repo_store_save_role(repo, role, file, error))
		return NULL;
	return g_steal_pointer(&file);
}

/* ---- a new repository ---- */

static gboolean
create_root(SatchelRepoStore *repo, const gint64 n_keys[SATCHEL_N_ROLES], gint64 now_s,
	    GError **error)
{
	SatchelRoleHead head = head_of(repo, SATCHEL_ROLE_ROOT, 1, now_s);
	g_autoptr(SatchelJson) root = satchel_role_author_root(&head);
	g_autoptr(GPtrArray) root_keys = NULL;
	g_autoptr(GBytes) file = NULL;

	for (guint i = 0; i < SATCHEL_N_ROLES; i++) {
		SatchelRole role = (SatchelRole)i;
		guint n = (guint)n_keys[i];
		g_autoptr(GPtrArray) keys = satchel_repo_store_make_keys(repo, role, n, error);

		if (keys == NULL)
			return FALSE;
		satchel_role_author_set_keys(root, role, keys, n, head.dialect);
		if (role == SATCHEL_ROLE_ROOT)
			root_keys = g_steal_pointer(&keys);
	}
	file = seal(repo, root, root_keys, SATCHEL_ROLE_ROOT, error);
	return file != NULL && satchel_repo_store_save_root(repo, file, error);
}

/* Snapshot and timestamp over @targets. */
static gboolean
save_listings(SatchelRepoStore *repo, GBytes *targets, const gint64 versions[SATCHEL_N_ROLES],
	      gint64 now_s, GError **error)
{
	gint64 snapshot_version = versions[SATCHEL_ROLE_SNAPSHOT];
	SatchelRoleHead head = head_of(repo, SATCHEL_ROLE_SNAPSHOT, snapshot_version, now_s);
	g_autoptr(SatchelJson) snapshot =
		satchel_role_author_snapshot(&head, targets, versions[SATCHEL_ROLE_TARGETS]);
	g_autoptr(SatchelJson) timestamp = NULL;
	g_autoptr(GBytes) snapshot_file = NULL;
	g_autoptr(GBytes) timestamp_file = NULL;

	snapshot_file = seal_and_save(repo, snapshot, SATCHEL_ROLE_SNAPSHOT, error);
	if (snapshot_file == NULL)
		return FALSE;
	head = head_of(repo, SATCHEL_ROLE_TIMESTAMP, versions[SATCHEL_ROLE_TIMESTAMP], now_s);
	timestamp = satchel_role_author_timestamp(&head, snapshot_file, snapshot_version);
	timestamp_file = seal_and_save(repo, timestamp, SATCHEL_ROLE_TIMESTAMP, error);
	return timestamp_file != NULL;
}

gboolean
satchel_repo_publish_create(SatchelRepoStore *repo, const gint64 n_keys[SATCHEL_N_ROLES],
			    gint64 now_s, GError **error)
{
	const gint64 versions[SATCHEL_N_ROLES] = {1, 1, 1, 1};
	SatchelRoleHead head = head_of(repo, SATCHEL_ROLE_TARGETS, 1, now_s);
	g_autoptr(SatchelJson) targets = satchel_role_author_targets(&head);
	g_autoptr(GBytes) file = NULL;

	if (!create_root(repo, n_keys, now_s, error))
		return FALSE;
	file = seal_and_save(repo, targets, SATCHEL_ROLE_TARGETS, error);
	return file != NULL && save_listings(repo, file, versions, now_s, error);
}

/* ---- changes ---- */

static gboolean
get_version(json_t *document, SatchelRole role, gint64 *version, GError **error)
{
	json_t *signed_ = json_object_get(document, "signed");

	if (satchel_json_get_int(signed_, "version", 1, G_MAXINT64 - 1, version, error))
		return TRUE;
	g_prefix_error(error, "%s: ", satchel_role_author_name(role));
	return FALSE;
}

gboolean
satchel_repo_publish_targets(SatchelRepoStore *repo, json_t *document, gint64 now_s, GError **error)
{
	json_t *signed_ = json_object_get(document, "signed");
	g_autoptr(GBytes) file = NULL;
	gint64 version = 0;

	if (!get_version(document, SATCHEL_ROLE_TARGETS, &version, error))
		return FALSE;
	satchel_role_author_renew(signed_, version + 1,
				  satchel_repo_store_expiry(repo, SATCHEL_ROLE_TARGETS, now_s));
	file = seal_and_save(repo, signed_, SATCHEL_ROLE_TARGETS, error);
	return file != NULL;
}

static gboolean
bring_targets_up_to_date(SatchelRepoStore *repo, gint64 now_s, gint64 *version, GBytes **file,
			 GError **error)
{
	gboolean valid = FALSE;
	gint64 expires_s = 0;
	g_autoptr(SatchelJson) document =
		satchel_repo_store_load_role(repo, SATCHEL_ROLE_TARGETS, &valid, error);

	if (document == NULL || !satchel_json_get_time(json_object_get(document, "signed"),
						       "expires", &expires_s, error))
		return FALSE;
	if (!valid || expires_s <= now_s) {
		if (!satchel_repo_publish_targets(repo, document, now_s, error))
			return FALSE;
		json_decref(g_steal_pointer(&document));
		document = satchel_repo_store_load_role(repo, SATCHEL_ROLE_TARGETS, &valid, error);
		if (document == NULL)
			return FALSE;
	}
	*file = satchel_role_author_file(document, error);
	return *file != NULL && get_version(document, SATCHEL_ROLE_TARGETS, version, error);
}

static gboolean
next_version(SatchelRepoStore *repo, SatchelRole role, gint64 *version, GError **error)
{
	gboolean valid = FALSE;
	g_autoptr(SatchelJson) document = satchel_repo_store_load_role(repo, role, &valid, error);

	if (document == NULL || !get_version(document, role, version, error))
		return FALSE;
	*version += 1;
	return TRUE;
}

gboolean
satchel_repo_publish_run(SatchelRepoStore *repo, gint64 now_s, GError **error)
{
	gint64 versions[SATCHEL_N_ROLES] = {0};
	g_autoptr(GBytes) targets = NULL;

	if (!bring_targets_up_to_date(repo, now_s, &versions[SATCHEL_ROLE_TARGETS], &targets,
				      error))
		return FALSE;
	return next_version(repo, SATCHEL_ROLE_SNAPSHOT, &versions[SATCHEL_ROLE_SNAPSHOT], error) &&
	       next_version(repo, SATCHEL_ROLE_TIMESTAMP, &versions[SATCHEL_ROLE_TIMESTAMP],
			    error) &&
	       save_listings(repo, targets, versions, now_s, error);
}

/* The old root keys, and the new ones where root itself changes hands. */
static GPtrArray *
root_signers(SatchelRepoStore *repo, SatchelRole role, GPtrArray *new_keys, GError **error)
{
	g_autoptr(GPtrArray) old_keys =
		satchel_repo_store_load_keys(repo, SATCHEL_ROLE_ROOT, error);

	if (old_keys == NULL)
		return NULL;
	if (role == SATCHEL_ROLE_ROOT)
		g_ptr_array_extend_and_steal(old_keys, new_keys);
	else
		g_ptr_array_unref(new_keys);
	return g_steal_pointer(&old_keys);
}

gboolean
satchel_repo_publish_rotate(SatchelRepoStore *repo, SatchelRole role, gint64 now_s, GError **error)
{
	SatchelDialect dialect = satchel_repo_store_get_settings(repo)->dialect;
	json_t *old = json_object_get(satchel_repo_store_get_root(repo), "signed");
	g_autoptr(SatchelJson) root = json_deep_copy(old);
	g_autoptr(GPtrArray) new_keys = NULL;
	g_autoptr(GPtrArray) signers = NULL;
	g_autoptr(GBytes) file = NULL;

	new_keys = satchel_repo_store_make_keys(repo, role,
						satchel_repo_store_get_n_keys(repo, role), error);
	if (new_keys == NULL)
		return FALSE;
	satchel_role_author_set_keys(root, role, new_keys,
				     satchel_repo_store_get_threshold(repo, role), dialect);
	satchel_role_author_renew(root, satchel_repo_store_get_root_version(repo) + 1,
				  satchel_repo_store_expiry(repo, SATCHEL_ROLE_ROOT, now_s));
	signers = root_signers(repo, role, g_steal_pointer(&new_keys), error);
	if (signers == NULL)
		return FALSE;
	file = seal(repo, root, signers, SATCHEL_ROLE_ROOT, error);
	if (file == NULL || !satchel_repo_store_save_root(repo, file, error))
		return FALSE;
	/* From here on the other roles may be signed by keys that are gone; what follows, or a
	 * later `repo publish`, signs them again. */
	return role == SATCHEL_ROLE_ROOT || satchel_repo_publish_run(repo, now_s, error);
}
