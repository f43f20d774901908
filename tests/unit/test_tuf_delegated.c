#include "../support/tuf_lab.h"

/* Refreshes and searches; *@error where either fails. */
static gboolean
find(const TufLab *f, const char *path, GError **error)
{
	g_autoptr(SatchelTrustStore) store = lab_open_store(f, SATCHEL_TRUST_STORE_DIRECT);
	g_autoptr(SatchelTufClient) client = lab_new_client(f, store);
	const SatchelTarget *target = NULL;

	if (!satchel_tuf_client_refresh(client, error))
		return FALSE;
	target = satchel_tuf_client_find_target(client, path, error);
	if (target == NULL)
		return FALSE;
	g_assert_cmpstr(satchel_target_get_name(target), ==, path);
	return TRUE;
}

static void
assert_found(const TufLab *f, const char *path)
{
	g_autoptr(GError) error = NULL;

	g_assert_true(find(f, path, &error));
	g_assert_no_error(error);
}

static void
assert_search_fails(const TufLab *f, const char *path, SatchelError code)
{
	g_autoptr(GError) error = NULL;

	g_assert_false(find(f, path, &error));
	g_assert_error(error, SATCHEL_ERROR, (int)code);
}

static void
test_delegated_target_is_found_and_its_role_stored(TufLab *f, gconstpointer data)
{
	repo_delegate(f->repo, "targets", "apps", "apps/*", FALSE);
	repo_add_target(f->repo, "apps", "apps/one", "content");
	repo_publish(f->repo, "apps");
	repo_bump(f->repo, "targets", "snapshot", "timestamp", NULL);
	assert_found(f, "apps/one");
	lab_assert_asked(f,
			 "2.root.json timestamp.json 2.snapshot.json 2.targets.json 1.apps.json");
	g_assert_cmpint(lab_stored_version(f, "apps"), ==, 1);
	assert_found(f, "apps/one");
	lab_assert_asked(f, "2.root.json timestamp.json");
}

static void
test_role_that_may_not_say_so_is_not_asked(TufLab *f, gconstpointer data)
{
	repo_delegate(f->repo, "targets", "apps", "apps/*", FALSE);
	repo_add_target(f->repo, "apps", "other/one", "content");
	repo_publish(f->repo, "apps");
	repo_bump(f->repo, "targets", "snapshot", "timestamp", NULL);
	assert_search_fails(f, "other/one", SATCHEL_ERROR_TARGET_NOT_FOUND);
	lab_assert_asked(f, "2.root.json timestamp.json 2.snapshot.json 2.targets.json");
}

/* Both a and b delegate to shared: verified for each, fetched once. */
static void
test_role_with_two_delegators_is_fetched_once(TufLab *f, gconstpointer data)
{
	repo_delegate(f->repo, "targets", "a", "*", FALSE);
	repo_delegate(f->repo, "targets", "b", "*", FALSE);
	repo_delegate(f->repo, "a", "shared", "*", FALSE);
	repo_delegate(f->repo, "b", "shared", "*", FALSE);
	repo_publish(f->repo, "a");
	repo_publish(f->repo, "b");
	repo_bump(f->repo, "targets", "snapshot", "timestamp", NULL);
	assert_search_fails(f, "none", SATCHEL_ERROR_TARGET_NOT_FOUND);
	lab_assert_asked(f, "2.root.json timestamp.json 2.snapshot.json 2.targets.json 1.a.json "
			    "1.shared.json 1.b.json");
}

/* What one delegator's keys vouch for is nothing to the other; and asking again would not help. */
static void
test_role_is_verified_for_each_delegator(TufLab *f, gconstpointer data)
{
	json_t *delegations = NULL;
	g_autofree char *keyid = NULL;
	json_t *key = repo_key_json(f->repo, "other", &keyid);

	repo_delegate(f->repo, "targets", "a", "*", FALSE);
	repo_delegate(f->repo, "targets", "b", "*", FALSE);
	repo_delegate(f->repo, "a", "shared", "*", FALSE);
	repo_delegate(f->repo, "b", "shared", "*", FALSE);
	delegations = json_object_get(repo_body(f->repo, "b"), "delegations");
	json_object_set_new(json_object_get(delegations, "keys"), keyid, key);
	json_object_set_new(json_array_get(json_object_get(delegations, "roles"), 0), "keyids",
			    json_pack("[s]", keyid));
	repo_publish(f->repo, "a");
	repo_publish(f->repo, "b");
	repo_bump(f->repo, "targets", "snapshot", "timestamp", NULL);
	assert_search_fails(f, "none", SATCHEL_ERROR_METADATA_INVALID);
	lab_assert_asked(f, "2.root.json timestamp.json 2.snapshot.json 2.targets.json 1.a.json "
			    "1.shared.json 1.b.json");
}

static void
test_without_consistent_snapshots_names_have_no_version(TufLab *f, gconstpointer data)
{
	json_object_set_new(repo_body(f->repo, "root"), "consistent_snapshot", json_false());
	repo_delegate(f->repo, "targets", "apps", "*", FALSE);
	repo_add_target(f->repo, "apps", "one", "content");
	repo_publish(f->repo, "apps");
	repo_bump(f->repo, "root", "targets", "snapshot", "timestamp", NULL);
	assert_found(f, "one");
	lab_assert_asked(f, "2.root.json 3.root.json timestamp.json snapshot.json targets.json "
			    "apps.json");
}

static void
test_cycle_of_delegations_ends(TufLab *f, gconstpointer data)
{
	repo_delegate(f->repo, "targets", "a", "*", FALSE);
	repo_delegate(f->repo, "a", "b", "*", FALSE);
	repo_delegate(f->repo, "b", "a", "*", FALSE);
	repo_publish(f->repo, "a");
	repo_publish(f->repo, "b");
	repo_bump(f->repo, "targets", "snapshot", "timestamp", NULL);
	assert_search_fails(f, "none", SATCHEL_ERROR_TARGET_NOT_FOUND);
	lab_assert_asked(f, "2.root.json timestamp.json 2.snapshot.json 2.targets.json 1.a.json "
			    "1.b.json");
}

static void
test_nobody_behind_a_terminating_role_is_asked(TufLab *f, gconstpointer data)
{
	repo_delegate(f->repo, "targets", "a", "*", TRUE);
	repo_delegate(f->repo, "targets", "b", "*", FALSE);
	repo_add_target(f->repo, "b", "one", "content");
	repo_publish(f->repo, "b");
	repo_bump(f->repo, "targets", "snapshot", "timestamp", NULL);
	assert_search_fails(f, "one", SATCHEL_ERROR_TARGET_NOT_FOUND);
	lab_assert_asked(f, "2.root.json timestamp.json 2.snapshot.json 2.targets.json 1.a.json");
}

static void
test_missing_role_ends_the_search(TufLab *f, gconstpointer data)
{
	repo_delegate(f->repo, "targets", "a", "*", FALSE);
	repo_delegate(f->repo, "targets", "b", "*", FALSE);
	repo_add_target(f->repo, "b", "one", "content");
	repo_publish(f->repo, "b");
	repo_bump(f->repo, "targets", "snapshot", "timestamp", NULL);
	repo_break(f->repo, "1.a.json", SATCHEL_ERROR_METADATA_NOT_FOUND);
	assert_search_fails(f, "one", SATCHEL_ERROR_METADATA_NOT_FOUND);
}

static void
test_role_by_strangers_ends_the_search_and_is_not_stored(TufLab *f, gconstpointer data)
{
	repo_delegate(f->repo, "targets", "a", "*", FALSE);
	repo_delegate(f->repo, "targets", "b", "*", FALSE);
	repo_add_target(f->repo, "b", "one", "content");
	repo_publish(f->repo, "b");
	repo_set_signers(f->repo, "a", "stranger", NULL);
	repo_publish(f->repo, "a");
	repo_bump(f->repo, "targets", "snapshot", "timestamp", NULL);
	assert_search_fails(f, "one", SATCHEL_ERROR_METADATA_INVALID);
	g_assert_cmpint(lab_stored_version(f, "a"), ==, 0);
}

static void
test_role_that_the_snapshot_does_not_list_is_not_asked(TufLab *f, gconstpointer data)
{
	repo_delegate(f->repo, "targets", "a", "*", FALSE);
	json_object_del(json_object_get(repo_body(f->repo, "snapshot"), "meta"), "a.json");
	repo_bump(f->repo, "targets", "snapshot", "timestamp", NULL);
	assert_search_fails(f, "one", SATCHEL_ERROR_METADATA_INVALID);
	lab_assert_asked(f, "2.root.json timestamp.json 2.snapshot.json 2.targets.json");
}

static void
test_search_is_bounded(TufLab *f, gconstpointer data)
{
	for (guint i = 0; i <= SATCHEL_LIMIT_DELEGATIONS; i++) {
		g_autofree char *role = g_strdup_printf("role-%u", i);

		repo_delegate(f->repo, "targets", role, "*", FALSE);
	}
	repo_bump(f->repo, "targets", "snapshot", "timestamp", NULL);
	assert_search_fails(f, "none", SATCHEL_ERROR_METADATA_INVALID);
	g_assert_cmpuint(f->repo->requests->len, ==, 4 + SATCHEL_LIMIT_DELEGATIONS);
}

static void
test_damaged_stored_delegated_role_is_fetched_again(TufLab *f, gconstpointer data)
{
	repo_delegate(f->repo, "targets", "apps", "*", FALSE);
	repo_add_target(f->repo, "apps", "one", "content");
	repo_publish(f->repo, "apps");
	repo_bump(f->repo, "targets", "snapshot", "timestamp", NULL);
	assert_found(f, "one");
	temp_dir_truncate(f->dir, "apps.json");
	g_ptr_array_set_size(f->repo->requests, 0);
	assert_found(f, "one");
	lab_assert_asked(f, "2.root.json timestamp.json 1.apps.json");
	g_assert_cmpint(lab_stored_version(f, "apps"), ==, 1);
}

static void
test_search_before_a_refresh_is_an_error(TufLab *f, gconstpointer data)
{
	g_autoptr(SatchelTrustStore) store = lab_open_store(f, SATCHEL_TRUST_STORE_DIRECT);
	g_autoptr(SatchelTufClient) client = lab_new_client(f, store);
	g_autoptr(GError) error = NULL;

	g_assert_null(satchel_tuf_client_find_target(client, "one", &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND);
}

#define ADD(path, function)                                                                        \
	g_test_add("/tuf-delegated/" path, TufLab, GINT_TO_POINTER(SATCHEL_DIALECT_TUF),           \
		   lab_set_up, function, lab_tear_down)

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("found", test_delegated_target_is_found_and_its_role_stored);
	ADD("paths", test_role_that_may_not_say_so_is_not_asked);
	ADD("diamond", test_role_with_two_delegators_is_fetched_once);
	ADD("each-delegator", test_role_is_verified_for_each_delegator);
	ADD("not-consistent", test_without_consistent_snapshots_names_have_no_version);
	ADD("cycle", test_cycle_of_delegations_ends);
	ADD("terminating", test_nobody_behind_a_terminating_role_is_asked);
	ADD("missing", test_missing_role_ends_the_search);
	ADD("strangers", test_role_by_strangers_ends_the_search_and_is_not_stored);
	ADD("unlisted", test_role_that_the_snapshot_does_not_list_is_not_asked);
	ADD("bounded", test_search_is_bounded);
	ADD("damaged", test_damaged_stored_delegated_role_is_fetched_again);
	ADD("early", test_search_before_a_refresh_is_an_error);
	return g_test_run();
}
