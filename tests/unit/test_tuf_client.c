#include "../support/temp_dir.h"
#include "../support/tuf_repo.h"
#include <satchel/tuf_client.h>

typedef struct {
	Repo *repo;
	char *dir;
	gint64 now_s;
} Fixture;

static SatchelTrustStore *
open_store(const Fixture *f, SatchelTrustStoreMode mode)
{
	g_autoptr(GError) error = NULL;
	SatchelTrustStore *store = satchel_trust_store_open(f->dir, mode, &error);

	g_assert_no_error(error);
	return store;
}

static void
init(const Fixture *f)
{
	g_autoptr(SatchelTrustStore) store = open_store(f, SATCHEL_TRUST_STORE_DIRECT);
	g_autoptr(GError) error = NULL;
	GBytes *root = g_hash_table_lookup(f->repo->files, "1.root.json");

	g_assert_true(satchel_tuf_client_init(store, root, &error));
	g_assert_no_error(error);
}

static void
set_up(Fixture *f, gconstpointer data)
{
	f->repo = repo_new((SatchelDialect)GPOINTER_TO_INT(data));
	f->dir = temp_dir_new();
	f->now_s = REPO_NOW_S;
	init(f);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
	satchel_tuf_source_free(&f->repo->source);
	temp_dir_free(f->dir);
}

/* ---- one run each */

static SatchelTufClient *
new_client(const Fixture *f, SatchelTrustStore *store)
{
	g_autoptr(GError) error = NULL;
	SatchelTufClient *client =
		satchel_tuf_client_new(store, &f->repo->source, f->now_s, &error);

	g_assert_no_error(error);
	return client;
}

static GError *
try_refresh(const Fixture *f)
{
	g_autoptr(SatchelTrustStore) store = open_store(f, SATCHEL_TRUST_STORE_DIRECT);
	g_autoptr(SatchelTufClient) client = new_client(f, store);
	GError *error = NULL;

	g_assert_cmpint(satchel_tuf_client_refresh(client, &error), ==, error == NULL);
	return error;
}

static void
assert_asked(const Fixture *f, const char *requests)
{
	g_autofree char *asked = repo_take_requests(f->repo);

	g_assert_cmpstr(asked, ==, requests);
}

static void
refresh(const Fixture *f)
{
	g_autoptr(GError) error = try_refresh(f);

	g_assert_no_error(error);
	g_ptr_array_set_size(f->repo->requests, 0);
}

static void
assert_refresh_fails(const Fixture *f, SatchelError code, const char *reason)
{
	g_autoptr(GError) error = try_refresh(f);

	g_assert_error(error, SATCHEL_ERROR, (int)code);
	g_assert_nonnull(strstr(error->message, reason));
}

/* The version that the stored role has, 0 for none. */
static gint64
stored_version(const Fixture *f, const char *role)
{
	g_autofree char *file = g_strconcat(role, ".json", NULL);
	g_autofree char *path = g_build_filename(f->dir, file, NULL);
	g_autoptr(GBytes) document = NULL;
	g_autoptr(SatchelJson) tree = NULL;

	if (!g_file_test(path, G_FILE_TEST_EXISTS))
		return 0;
	document = temp_dir_read(f->dir, file);
	tree = satchel_json_parse(document, NULL);
	g_assert_nonnull(tree);
	return json_integer_value(json_object_get(json_object_get(tree, "signed"), "version"));
}

static void
assert_stored(const Fixture *f, gint64 root, gint64 timestamp, gint64 snapshot, gint64 targets)
{
	g_assert_cmpint(stored_version(f, "root"), ==, root);
	g_assert_cmpint(stored_version(f, "timestamp"), ==, timestamp);
	g_assert_cmpint(stored_version(f, "snapshot"), ==, snapshot);
	g_assert_cmpint(stored_version(f, "targets"), ==, targets);
}

/* Refreshes and searches; *@error where either fails. */
static gboolean
find(const Fixture *f, const char *path, GError **error)
{
	g_autoptr(SatchelTrustStore) store = open_store(f, SATCHEL_TRUST_STORE_DIRECT);
	g_autoptr(SatchelTufClient) client = new_client(f, store);
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
assert_found(const Fixture *f, const char *path)
{
	g_autoptr(GError) error = NULL;

	g_assert_true(find(f, path, &error));
	g_assert_no_error(error);
}

static void
assert_search_fails(const Fixture *f, const char *path, SatchelError code)
{
	g_autoptr(GError) error = NULL;

	g_assert_false(find(f, path, &error));
	g_assert_error(error, SATCHEL_ERROR, (int)code);
}

/* ---- what is asked for */

static void
test_fresh_refresh_asks_for_four_files(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = try_refresh(f);

	g_assert_no_error(error);
	assert_asked(f, "2.root.json timestamp.json 1.snapshot.json 1.targets.json");
	assert_stored(f, 1, 1, 1, 1);
}

static void
test_refresh_without_news_asks_for_two_files(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	refresh(f);
	error = try_refresh(f);
	g_assert_no_error(error);
	assert_asked(f, "2.root.json timestamp.json");
}

static void
test_without_consistent_snapshots_names_have_no_version(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	json_object_set_new(repo_body(f->repo, "root"), "consistent_snapshot", json_false());
	repo_bump(f->repo, "root", NULL);
	error = try_refresh(f);
	g_assert_no_error(error);
	assert_asked(f, "2.root.json 3.root.json timestamp.json snapshot.json targets.json");
}

static void
test_uptane_names_have_no_version(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = try_refresh(f);

	g_assert_no_error(error);
	assert_asked(f, "2.root.json timestamp.json snapshot.json targets.json");
	assert_stored(f, 1, 1, 1, 1);
}

static void
test_store_has_the_bytes_that_came(Fixture *f, gconstpointer data)
{
	static const char *const files[] = {"root.json", "timestamp.json", "snapshot.json",
					    "targets.json"};
	g_autofree char *list = NULL;

	refresh(f);
	for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autoptr(GBytes) stored = temp_dir_read(f->dir, files[i]);

		g_assert_true(g_bytes_equal(stored, g_hash_table_lookup(f->repo->files, files[i])));
	}
	list = temp_dir_list(f->dir);
	g_assert_cmpstr(list, ==,
			"root.json roots/1.root.json snapshot.json targets.json timestamp.json");
}

static void
test_update_fetches_what_changed(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	refresh(f);
	repo_bump(f->repo, "snapshot", "timestamp", NULL);
	error = try_refresh(f);
	g_assert_no_error(error);
	assert_asked(f, "2.root.json timestamp.json 2.snapshot.json");
	assert_stored(f, 1, 2, 2, 1);
}

/* A pinned length is what the download of the role is held to. */
static void
test_pinned_length_bounds_the_download(Fixture *f, gconstpointer data)
{
	GBytes *targets = NULL;
	g_autofree char *longer = NULL;

	f->repo->pinned = TRUE;
	repo_bump(f->repo, "targets", "snapshot", "timestamp", NULL);
	targets = g_hash_table_lookup(f->repo->files, "2.targets.json");
	longer = g_strdup_printf("%.*s ", (int)g_bytes_get_size(targets),
				 (const char *)g_bytes_get_data(targets, NULL));
	g_hash_table_insert(f->repo->files, g_strdup("2.targets.json"),
			    g_bytes_new(longer, strlen(longer)));
	assert_refresh_fails(f, SATCHEL_ERROR_METADATA_INVALID, "longer");
	assert_stored(f, 1, 2, 2, 0);
}

/* ---- init */

static void
test_client_without_a_root_is_refused(Fixture *f, gconstpointer data)
{
	g_autoptr(SatchelTrustStore) store =
		satchel_trust_store_open(NULL, SATCHEL_TRUST_STORE_READ_ONLY, NULL);
	g_autoptr(GError) error = NULL;

	g_assert_null(satchel_tuf_client_new(store, &f->repo->source, f->now_s, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND);
}

static void
test_init_asks_for_nothing(Fixture *f, gconstpointer data)
{
	assert_asked(f, "");
	assert_stored(f, 1, 0, 0, 0);
}

static void
test_init_with_a_root_that_was_trusted_is_fine(Fixture *f, gconstpointer data)
{
	repo_bump(f->repo, "root", NULL);
	refresh(f);
	init(f);
	assert_stored(f, 2, 1, 1, 1);
}

static void
test_init_with_another_root_is_refused(Fixture *f, gconstpointer data)
{
	g_autoptr(SatchelTrustStore) store = open_store(f, SATCHEL_TRUST_STORE_DIRECT);
	g_autoptr(GBytes) before = temp_dir_read(f->dir, "root.json");
	g_autoptr(GBytes) after = NULL;
	g_autoptr(GError) error = NULL;

	repo_set_expires(f->repo, "root", "2091-01-01T00:00:00Z");
	repo_publish(f->repo, "root");
	g_assert_false(satchel_tuf_client_init(
		store, g_hash_table_lookup(f->repo->files, "1.root.json"), &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_FAILURE);
	after = temp_dir_read(f->dir, "root.json");
	g_assert_true(g_bytes_equal(before, after));
}

static void
test_init_with_a_root_that_signs_badly_stores_nothing(Fixture *f, gconstpointer data)
{
	g_autofree char *empty = g_build_filename(f->dir, "other", NULL);
	g_autoptr(SatchelTrustStore) store =
		satchel_trust_store_open(empty, SATCHEL_TRUST_STORE_DIRECT, NULL);
	g_autoptr(GError) error = NULL;

	repo_set_signers(f->repo, "root", "stranger", NULL);
	repo_publish(f->repo, "root");
	g_assert_false(satchel_tuf_client_init(
		store, g_hash_table_lookup(f->repo->files, "1.root.json"), &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID);
	g_assert_false(g_file_test(empty, G_FILE_TEST_EXISTS));
}

static void
test_init_repairs_a_damaged_root(Fixture *f, gconstpointer data)
{
	repo_bump(f->repo, "root", NULL);
	refresh(f);
	temp_dir_truncate(f->dir, "root.json");
	init(f);
	assert_stored(f, 2, 1, 1, 1);
}

/* ---- root */

static void
test_roots_are_followed_and_kept(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *list = NULL;

	repo_bump(f->repo, "root", "root", "root", NULL);
	error = try_refresh(f);
	g_assert_no_error(error);
	assert_asked(f, "2.root.json 3.root.json 4.root.json 5.root.json timestamp.json "
			"1.snapshot.json 1.targets.json");
	list = temp_dir_list(f->dir);
	g_assert_nonnull(strstr(list, "roots/1.root.json roots/2.root.json roots/3.root.json "
				      "roots/4.root.json"));
}

static void
test_only_a_missing_root_ends_the_search(Fixture *f, gconstpointer data)
{
	repo_bump(f->repo, "root", NULL);
	repo_break(f->repo, "2.root.json", SATCHEL_ERROR_METADATA_DOWNLOAD);
	assert_refresh_fails(f, SATCHEL_ERROR_METADATA_DOWNLOAD, "2.root.json");
	assert_asked(f, "2.root.json");
	assert_stored(f, 1, 0, 0, 0);
}

static void
test_root_by_strangers_is_not_stored(Fixture *f, gconstpointer data)
{
	repo_set_key(f->repo, "root", "stranger");
	repo_set_signers(f->repo, "root", "stranger", NULL);
	repo_bump(f->repo, "root", NULL);
	assert_refresh_fails(f, SATCHEL_ERROR_METADATA_INVALID, "root 2");
	assert_stored(f, 1, 0, 0, 0);
	assert_asked(f, "2.root.json");
}

/* What was verified before the broken one stays. */
static void
test_good_roots_before_a_bad_one_are_stored(Fixture *f, gconstpointer data)
{
	repo_bump(f->repo, "root", "root", NULL);
	repo_set_signers(f->repo, "root", "stranger", NULL);
	repo_bump(f->repo, "root", NULL);
	assert_refresh_fails(f, SATCHEL_ERROR_METADATA_INVALID, "root 4");
	assert_stored(f, 3, 0, 0, 0);
}

static void
test_expired_root_on_the_way_does_no_harm(Fixture *f, gconstpointer data)
{
	repo_set_expires(f->repo, "root", REPO_PAST);
	repo_bump(f->repo, "root", NULL);
	repo_set_expires(f->repo, "root", REPO_FAR);
	repo_bump(f->repo, "root", NULL);
	refresh(f);
	assert_stored(f, 3, 1, 1, 1);
}

static void
test_expired_last_root_is_stored_and_ends_the_run(Fixture *f, gconstpointer data)
{
	repo_set_expires(f->repo, "root", REPO_PAST);
	repo_bump(f->repo, "root", NULL);
	assert_refresh_fails(f, SATCHEL_ERROR_METADATA_EXPIRED, "root 2");
	assert_asked(f, "2.root.json 3.root.json");
	assert_stored(f, 2, 0, 0, 0);
}

static void
test_too_many_roots_are_an_error_and_the_next_run_goes_on(Fixture *f, gconstpointer data)
{
	g_autofree char *asked = NULL;

	for (guint i = 0; i < SATCHEL_LIMIT_ROOT_ROTATIONS + 2; i++)
		repo_bump(f->repo, "root", NULL);
	assert_refresh_fails(f, SATCHEL_ERROR_METADATA_INVALID, "256 new roots");
	g_assert_cmpuint(f->repo->requests->len, ==, SATCHEL_LIMIT_ROOT_ROTATIONS);
	asked = repo_take_requests(f->repo);
	g_assert_true(g_str_has_suffix(asked, " 257.root.json"));
	assert_stored(f, 257, 0, 0, 0);
	refresh(f);
	assert_stored(f, 259, 1, 1, 1);
}

static void
test_update_root_asks_for_roots_only(Fixture *f, gconstpointer data)
{
	g_autoptr(SatchelTrustStore) store = open_store(f, SATCHEL_TRUST_STORE_DIRECT);
	g_autoptr(SatchelTufClient) client = new_client(f, store);
	g_autoptr(GError) error = NULL;

	repo_set_expires(f->repo, "root", REPO_PAST);
	repo_bump(f->repo, "root", NULL);
	g_assert_true(satchel_tuf_client_update_root(client, TRUE, &error));
	g_assert_cmpint(satchel_root_get_version(satchel_tuf_client_get_root(client)), ==, 2);
	assert_asked(f, "2.root.json 3.root.json");
	/* Once is enough in one run, and the expiry that was left out counts later. */
	g_assert_false(satchel_tuf_client_refresh(client, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_EXPIRED);
	assert_asked(f, "");
}

/* ---- rollback, freeze, mix and match */

static void
test_older_timestamp_is_refused(Fixture *f, gconstpointer data)
{
	repo_bump(f->repo, "timestamp", NULL);
	refresh(f);
	repo_set_version(f->repo, "timestamp", 1);
	repo_publish(f->repo, "timestamp");
	assert_refresh_fails(f, SATCHEL_ERROR_METADATA_INVALID, "timestamp 1");
	assert_asked(f, "2.root.json timestamp.json");
	assert_stored(f, 1, 2, 1, 1);
}

/* Verified at a time at which it has expired, it still tells what was seen. */
static void
test_expired_stored_timestamp_still_forbids_an_older_one(Fixture *f, gconstpointer data)
{
	repo_set_expires(f->repo, "timestamp", "2031-01-01T00:00:00Z");
	repo_bump(f->repo, "timestamp", NULL);
	refresh(f);
	f->now_s += 2 * 366 * 86400;
	repo_set_expires(f->repo, "timestamp", REPO_FAR);
	repo_set_version(f->repo, "timestamp", 1);
	repo_publish(f->repo, "timestamp");
	assert_refresh_fails(f, SATCHEL_ERROR_METADATA_INVALID, "timestamp 1");
	assert_stored(f, 1, 2, 1, 1);
}

static void
test_timestamp_of_the_same_version_is_kept(Fixture *f, gconstpointer data)
{
	g_autoptr(GBytes) before = NULL;
	g_autoptr(GBytes) after = NULL;

	refresh(f);
	before = temp_dir_read(f->dir, "timestamp.json");
	repo_set_version(f->repo, "snapshot", 9);
	repo_publish(f->repo, "snapshot");
	repo_publish(f->repo, "timestamp");
	refresh(f);
	after = temp_dir_read(f->dir, "timestamp.json");
	g_assert_true(g_bytes_equal(before, after));
	assert_stored(f, 1, 1, 1, 1);
}

static void
test_frozen_timestamp_is_refused(Fixture *f, gconstpointer data)
{
	repo_set_expires(f->repo, "timestamp", REPO_PAST);
	repo_bump(f->repo, "timestamp", NULL);
	assert_refresh_fails(f, SATCHEL_ERROR_METADATA_EXPIRED, "timestamp 2");
	assert_asked(f, "2.root.json timestamp.json");
	assert_stored(f, 1, 0, 0, 0);
}

static void
test_expired_snapshot_is_refused(Fixture *f, gconstpointer data)
{
	repo_set_expires(f->repo, "snapshot", REPO_PAST);
	repo_bump(f->repo, "snapshot", "timestamp", NULL);
	assert_refresh_fails(f, SATCHEL_ERROR_METADATA_EXPIRED, "snapshot 2");
	assert_stored(f, 1, 2, 0, 0);
}

static void
test_expired_targets_are_refused(Fixture *f, gconstpointer data)
{
	repo_set_expires(f->repo, "targets", REPO_PAST);
	repo_bump(f->repo, "targets", "snapshot", "timestamp", NULL);
	assert_refresh_fails(f, SATCHEL_ERROR_METADATA_EXPIRED, "targets 2");
	assert_stored(f, 1, 2, 2, 0);
}

static void
test_snapshot_that_takes_targets_back_is_refused(Fixture *f, gconstpointer data)
{
	repo_bump(f->repo, "targets", "snapshot", "timestamp", NULL);
	refresh(f);
	repo_set_version(f->repo, "targets", 1);
	repo_publish(f->repo, "targets");
	repo_bump(f->repo, "snapshot", "timestamp", NULL);
	assert_refresh_fails(f, SATCHEL_ERROR_METADATA_INVALID, "snapshot 3");
	assert_stored(f, 1, 3, 2, 2);
}

static void
test_snapshot_of_another_version_than_listed_is_refused(Fixture *f, gconstpointer data)
{
	GBytes *old = g_bytes_ref(g_hash_table_lookup(f->repo->files, "1.snapshot.json"));

	repo_bump(f->repo, "snapshot", "timestamp", NULL);
	g_hash_table_insert(f->repo->files, g_strdup("2.snapshot.json"), old);
	assert_refresh_fails(f, SATCHEL_ERROR_METADATA_INVALID, "snapshot 1");
	assert_stored(f, 1, 2, 0, 0);
}

static void
test_targets_of_another_version_than_listed_are_refused(Fixture *f, gconstpointer data)
{
	GBytes *old = g_bytes_ref(g_hash_table_lookup(f->repo->files, "1.targets.json"));

	repo_bump(f->repo, "targets", "snapshot", "timestamp", NULL);
	g_hash_table_insert(f->repo->files, g_strdup("2.targets.json"), old);
	assert_refresh_fails(f, SATCHEL_ERROR_METADATA_INVALID, "targets 1");
	assert_stored(f, 1, 2, 2, 0);
}

static void
test_targets_of_another_hash_than_listed_are_refused(Fixture *f, gconstpointer data)
{
	f->repo->pinned = TRUE;
	repo_bump(f->repo, "targets", "snapshot", "timestamp", NULL);
	f->repo->pinned = FALSE;
	/* As long as before, so that the length says nothing. */
	repo_set_expires(f->repo, "targets", "2091-01-01T00:00:00Z");
	repo_publish(f->repo, "targets");
	assert_refresh_fails(f, SATCHEL_ERROR_METADATA_INVALID, "targets 2");
	assert_stored(f, 1, 2, 2, 0);
}

/* ---- after a theft of keys */

static void
fast_forward(const Fixture *f)
{
	repo_set_version(f->repo, "snapshot", 2000);
	repo_publish(f->repo, "snapshot");
	repo_set_version(f->repo, "timestamp", 1000);
	repo_publish(f->repo, "timestamp");
	refresh(f);
	assert_stored(f, 1, 1000, 2000, 1);
	repo_set_version(f->repo, "snapshot", 2);
	repo_set_version(f->repo, "timestamp", 2);
}

static void
test_versions_that_ran_ahead_stay_without_new_keys(Fixture *f, gconstpointer data)
{
	fast_forward(f);
	repo_publish(f->repo, "snapshot");
	repo_publish(f->repo, "timestamp");
	repo_bump(f->repo, "root", NULL);
	assert_refresh_fails(f, SATCHEL_ERROR_METADATA_INVALID, "timestamp 2");
	assert_stored(f, 2, 1000, 2000, 1);
}

static void
test_new_timestamp_key_takes_versions_back(Fixture *f, gconstpointer data)
{
	fast_forward(f);
	repo_set_key(f->repo, "timestamp", "timestamp-2");
	repo_set_signers(f->repo, "timestamp", "timestamp-2", NULL);
	repo_bump(f->repo, "root", NULL);
	repo_publish(f->repo, "snapshot");
	repo_publish(f->repo, "timestamp");
	refresh(f);
	assert_stored(f, 2, 2, 2, 1);
}

static void
test_new_snapshot_key_takes_versions_back(Fixture *f, gconstpointer data)
{
	fast_forward(f);
	repo_set_key(f->repo, "snapshot", "snapshot-2");
	repo_set_signers(f->repo, "snapshot", "snapshot-2", NULL);
	repo_bump(f->repo, "root", NULL);
	repo_publish(f->repo, "snapshot");
	repo_publish(f->repo, "timestamp");
	refresh(f);
	assert_stored(f, 2, 2, 2, 1);
}

/* ---- partial updates */

static void
test_missing_snapshot_is_made_up_for_next_time(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	refresh(f);
	repo_bump(f->repo, "targets", "snapshot", "timestamp", NULL);
	repo_break(f->repo, "2.snapshot.json", SATCHEL_ERROR_METADATA_NOT_FOUND);
	assert_refresh_fails(f, SATCHEL_ERROR_METADATA_NOT_FOUND, "2.snapshot.json");
	assert_stored(f, 1, 2, 1, 1);
	g_hash_table_remove_all(f->repo->broken);
	g_ptr_array_set_size(f->repo->requests, 0);
	error = try_refresh(f);
	g_assert_no_error(error);
	assert_asked(f, "2.root.json timestamp.json 2.snapshot.json 2.targets.json");
	assert_stored(f, 1, 2, 2, 2);
}

static void
test_missing_targets_are_made_up_for_next_time(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	refresh(f);
	repo_bump(f->repo, "targets", "snapshot", "timestamp", NULL);
	repo_break(f->repo, "2.targets.json", SATCHEL_ERROR_METADATA_DOWNLOAD);
	assert_refresh_fails(f, SATCHEL_ERROR_METADATA_DOWNLOAD, "2.targets.json");
	assert_stored(f, 1, 2, 2, 1);
	g_hash_table_remove_all(f->repo->broken);
	g_ptr_array_set_size(f->repo->requests, 0);
	error = try_refresh(f);
	g_assert_no_error(error);
	assert_asked(f, "2.root.json timestamp.json 2.targets.json");
	assert_stored(f, 1, 2, 2, 2);
}

static void
test_damaged_stored_roles_are_fetched_again(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	refresh(f);
	temp_dir_truncate(f->dir, "timestamp.json");
	temp_dir_write(f->dir, "snapshot.json", "");
	temp_dir_write(f->dir, "targets.json", "{\"signed\":{},\"signatures\":[]}");
	error = try_refresh(f);
	g_assert_no_error(error);
	assert_asked(f, "2.root.json timestamp.json 1.snapshot.json 1.targets.json");
	assert_stored(f, 1, 1, 1, 1);
}

/* ---- from the store */

static GError *
try_load_stored(const Fixture *f)
{
	g_autoptr(SatchelTrustStore) store = open_store(f, SATCHEL_TRUST_STORE_READ_ONLY);
	g_autoptr(SatchelTufClient) client = new_client(f, store);
	GError *error = NULL;

	g_assert_cmpint(satchel_tuf_client_load_stored(client, &error), ==, error == NULL);
	return error;
}

static void
test_stored_roles_are_loaded_without_asking(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	refresh(f);
	error = try_load_stored(f);
	g_assert_no_error(error);
	assert_asked(f, "");
}

static void
test_stored_roles_are_verified_again(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	refresh(f);
	repo_set_signers(f->repo, "targets", "stranger", NULL);
	repo_publish(f->repo, "targets");
	{
		GBytes *forged = g_hash_table_lookup(f->repo->files, "targets.json");
		g_autofree char *text =
			g_strndup(g_bytes_get_data(forged, NULL), g_bytes_get_size(forged));

		temp_dir_write(f->dir, "targets.json", text);
	}
	error = try_load_stored(f);
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID);
}

static void
test_stored_roles_expire(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	refresh(f);
	f->now_s = G_GINT64_CONSTANT(3786912000); /* 2090-01-01T00:00:00Z */
	error = try_load_stored(f);
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_EXPIRED);
}

static void
test_role_that_was_never_stored_is_not_found(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = try_load_stored(f);

	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND);
}

static void
test_read_only_store_is_used_and_not_written(Fixture *f, gconstpointer data)
{
	g_autoptr(SatchelTrustStore) store = open_store(f, SATCHEL_TRUST_STORE_READ_ONLY);
	g_autoptr(SatchelTufClient) client = new_client(f, store);
	g_autofree char *before = temp_dir_list(f->dir);
	g_autofree char *after = NULL;
	g_autoptr(GError) error = NULL;

	repo_bump(f->repo, "root", NULL);
	g_assert_true(satchel_tuf_client_refresh(client, &error));
	g_assert_no_error(error);
	g_assert_true(satchel_tuf_client_load_stored(client, &error));
	g_assert_false(satchel_trust_store_commit(store, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_FAILURE);
	after = temp_dir_list(f->dir);
	g_assert_cmpstr(before, ==, after);
	assert_stored(f, 1, 0, 0, 0);
}

/* ---- delegations */

static void
test_delegated_target_is_found_and_its_role_stored(Fixture *f, gconstpointer data)
{
	repo_delegate(f->repo, "targets", "apps", "apps/*", FALSE);
	repo_add_target(f->repo, "apps", "apps/one", "content");
	repo_publish(f->repo, "apps");
	repo_bump(f->repo, "targets", "snapshot", "timestamp", NULL);
	assert_found(f, "apps/one");
	assert_asked(f, "2.root.json timestamp.json 2.snapshot.json 2.targets.json 1.apps.json");
	g_assert_cmpint(stored_version(f, "apps"), ==, 1);
	assert_found(f, "apps/one");
	assert_asked(f, "2.root.json timestamp.json");
}

static void
test_role_that_may_not_say_so_is_not_asked(Fixture *f, gconstpointer data)
{
	repo_delegate(f->repo, "targets", "apps", "apps/*", FALSE);
	repo_add_target(f->repo, "apps", "other/one", "content");
	repo_publish(f->repo, "apps");
	repo_bump(f->repo, "targets", "snapshot", "timestamp", NULL);
	assert_search_fails(f, "other/one", SATCHEL_ERROR_TARGET_NOT_FOUND);
	assert_asked(f, "2.root.json timestamp.json 2.snapshot.json 2.targets.json");
}

/* Both a and b delegate to shared: verified for each, fetched once. */
static void
test_role_with_two_delegators_is_fetched_once(Fixture *f, gconstpointer data)
{
	repo_delegate(f->repo, "targets", "a", "*", FALSE);
	repo_delegate(f->repo, "targets", "b", "*", FALSE);
	repo_delegate(f->repo, "a", "shared", "*", FALSE);
	repo_delegate(f->repo, "b", "shared", "*", FALSE);
	repo_publish(f->repo, "a");
	repo_publish(f->repo, "b");
	repo_bump(f->repo, "targets", "snapshot", "timestamp", NULL);
	assert_search_fails(f, "none", SATCHEL_ERROR_TARGET_NOT_FOUND);
	assert_asked(f, "2.root.json timestamp.json 2.snapshot.json 2.targets.json 1.a.json "
			"1.shared.json 1.b.json");
}

static void
test_cycle_of_delegations_ends(Fixture *f, gconstpointer data)
{
	repo_delegate(f->repo, "targets", "a", "*", FALSE);
	repo_delegate(f->repo, "a", "b", "*", FALSE);
	repo_delegate(f->repo, "b", "a", "*", FALSE);
	repo_publish(f->repo, "a");
	repo_publish(f->repo, "b");
	repo_bump(f->repo, "targets", "snapshot", "timestamp", NULL);
	assert_search_fails(f, "none", SATCHEL_ERROR_TARGET_NOT_FOUND);
	assert_asked(f, "2.root.json timestamp.json 2.snapshot.json 2.targets.json 1.a.json "
			"1.b.json");
}

static void
test_nobody_behind_a_terminating_role_is_asked(Fixture *f, gconstpointer data)
{
	repo_delegate(f->repo, "targets", "a", "*", TRUE);
	repo_delegate(f->repo, "targets", "b", "*", FALSE);
	repo_add_target(f->repo, "b", "one", "content");
	repo_publish(f->repo, "b");
	repo_bump(f->repo, "targets", "snapshot", "timestamp", NULL);
	assert_search_fails(f, "one", SATCHEL_ERROR_TARGET_NOT_FOUND);
	assert_asked(f, "2.root.json timestamp.json 2.snapshot.json 2.targets.json 1.a.json");
}

static void
test_missing_role_ends_the_search(Fixture *f, gconstpointer data)
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
test_role_by_strangers_ends_the_search_and_is_not_stored(Fixture *f, gconstpointer data)
{
	repo_delegate(f->repo, "targets", "a", "*", FALSE);
	repo_delegate(f->repo, "targets", "b", "*", FALSE);
	repo_add_target(f->repo, "b", "one", "content");
	repo_publish(f->repo, "b");
	repo_set_signers(f->repo, "a", "stranger", NULL);
	repo_publish(f->repo, "a");
	repo_bump(f->repo, "targets", "snapshot", "timestamp", NULL);
	assert_search_fails(f, "one", SATCHEL_ERROR_METADATA_INVALID);
	g_assert_cmpint(stored_version(f, "a"), ==, 0);
}

static void
test_role_that_the_snapshot_does_not_list_is_not_asked(Fixture *f, gconstpointer data)
{
	repo_delegate(f->repo, "targets", "a", "*", FALSE);
	json_object_del(json_object_get(repo_body(f->repo, "snapshot"), "meta"), "a.json");
	repo_bump(f->repo, "targets", "snapshot", "timestamp", NULL);
	assert_search_fails(f, "one", SATCHEL_ERROR_METADATA_INVALID);
	assert_asked(f, "2.root.json timestamp.json 2.snapshot.json 2.targets.json");
}

static void
test_search_is_bounded(Fixture *f, gconstpointer data)
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
test_damaged_stored_delegated_role_is_fetched_again(Fixture *f, gconstpointer data)
{
	repo_delegate(f->repo, "targets", "apps", "*", FALSE);
	repo_add_target(f->repo, "apps", "one", "content");
	repo_publish(f->repo, "apps");
	repo_bump(f->repo, "targets", "snapshot", "timestamp", NULL);
	assert_found(f, "one");
	temp_dir_truncate(f->dir, "apps.json");
	g_ptr_array_set_size(f->repo->requests, 0);
	assert_found(f, "one");
	assert_asked(f, "2.root.json timestamp.json 1.apps.json");
	g_assert_cmpint(stored_version(f, "apps"), ==, 1);
}

static void
test_search_before_a_refresh_is_an_error(Fixture *f, gconstpointer data)
{
	g_autoptr(SatchelTrustStore) store = open_store(f, SATCHEL_TRUST_STORE_DIRECT);
	g_autoptr(SatchelTufClient) client = new_client(f, store);
	g_autoptr(GError) error = NULL;

	g_assert_null(satchel_tuf_client_find_target(client, "one", &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND);
}

#define ADD_FOR(dialect, path, function)                                                           \
	g_test_add("/tuf-client/" path, Fixture, GINT_TO_POINTER(dialect), set_up, function,       \
		   tear_down)
#define ADD(path, function) ADD_FOR(SATCHEL_DIALECT_TUF, path, function)
#define ADD_BOTH(path, function)                                                                   \
	ADD_FOR(SATCHEL_DIALECT_TUF, path, function);                                              \
	ADD_FOR(SATCHEL_DIALECT_UPTANE, path "/uptane", function)

static void
add_requests(void)
{
	ADD("fresh", test_fresh_refresh_asks_for_four_files);
	ADD("no-news", test_refresh_without_news_asks_for_two_files);
	ADD("not-consistent", test_without_consistent_snapshots_names_have_no_version);
	ADD_FOR(SATCHEL_DIALECT_UPTANE, "uptane-names", test_uptane_names_have_no_version);
	ADD_BOTH("bytes", test_store_has_the_bytes_that_came);
	ADD("changed", test_update_fetches_what_changed);
	ADD("pinned-length", test_pinned_length_bounds_the_download);
	ADD("init/no-root", test_client_without_a_root_is_refused);
	ADD_BOTH("init/asks-nothing", test_init_asks_for_nothing);
	ADD("init/again", test_init_with_a_root_that_was_trusted_is_fine);
	ADD("init/other", test_init_with_another_root_is_refused);
	ADD("init/bad", test_init_with_a_root_that_signs_badly_stores_nothing);
	ADD("init/repair", test_init_repairs_a_damaged_root);
}

static void
add_rules(void)
{
	ADD("root/followed", test_roots_are_followed_and_kept);
	ADD("root/broken-line", test_only_a_missing_root_ends_the_search);
	ADD_BOTH("root/strangers", test_root_by_strangers_is_not_stored);
	ADD("root/bad-after-good", test_good_roots_before_a_bad_one_are_stored);
	ADD("root/expired-on-the-way", test_expired_root_on_the_way_does_no_harm);
	ADD("root/expired-last", test_expired_last_root_is_stored_and_ends_the_run);
	ADD("root/too-many", test_too_many_roots_are_an_error_and_the_next_run_goes_on);
	ADD("root/alone", test_update_root_asks_for_roots_only);
	ADD_BOTH("timestamp/older", test_older_timestamp_is_refused);
	ADD("timestamp/expired-reference",
	    test_expired_stored_timestamp_still_forbids_an_older_one);
	ADD("timestamp/same-version", test_timestamp_of_the_same_version_is_kept);
	ADD_BOTH("timestamp/frozen", test_frozen_timestamp_is_refused);
	ADD("snapshot/expired", test_expired_snapshot_is_refused);
	ADD("targets/expired", test_expired_targets_are_refused);
	ADD("snapshot/rollback", test_snapshot_that_takes_targets_back_is_refused);
	ADD("snapshot/other-version", test_snapshot_of_another_version_than_listed_is_refused);
	ADD("targets/other-version", test_targets_of_another_version_than_listed_are_refused);
	ADD("targets/other-hash", test_targets_of_another_hash_than_listed_are_refused);
	ADD("fast-forward/no-new-keys", test_versions_that_ran_ahead_stay_without_new_keys);
	ADD("fast-forward/timestamp", test_new_timestamp_key_takes_versions_back);
	ADD("fast-forward/snapshot", test_new_snapshot_key_takes_versions_back);
	ADD("partial/snapshot", test_missing_snapshot_is_made_up_for_next_time);
	ADD("partial/targets", test_missing_targets_are_made_up_for_next_time);
	ADD("damaged", test_damaged_stored_roles_are_fetched_again);
	ADD_BOTH("stored/loaded", test_stored_roles_are_loaded_without_asking);
	ADD("stored/verified", test_stored_roles_are_verified_again);
	ADD("stored/expired", test_stored_roles_expire);
	ADD("stored/never", test_role_that_was_never_stored_is_not_found);
	ADD("stored/read-only", test_read_only_store_is_used_and_not_written);
}

static void
add_delegations(void)
{
	ADD("delegated/found", test_delegated_target_is_found_and_its_role_stored);
	ADD("delegated/paths", test_role_that_may_not_say_so_is_not_asked);
	ADD("delegated/diamond", test_role_with_two_delegators_is_fetched_once);
	ADD("delegated/cycle", test_cycle_of_delegations_ends);
	ADD("delegated/terminating", test_nobody_behind_a_terminating_role_is_asked);
	ADD("delegated/missing", test_missing_role_ends_the_search);
	ADD("delegated/strangers", test_role_by_strangers_ends_the_search_and_is_not_stored);
	ADD("delegated/unlisted", test_role_that_the_snapshot_does_not_list_is_not_asked);
	ADD("delegated/bounded", test_search_is_bounded);
	ADD("delegated/damaged", test_damaged_stored_delegated_role_is_fetched_again);
	ADD("delegated/early", test_search_before_a_refresh_is_an_error);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add_requests();
	add_rules();
	add_delegations();
	return g_test_run();
}
