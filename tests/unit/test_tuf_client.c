#include "../support/tuf_lab.h"

/* ---- what is asked for */

static void
test_fresh_refresh_asks_for_four_files(TufLab *f, gconstpointer data)
{
	g_autoptr(GError) error = lab_try_refresh(f);

	g_assert_no_error(error);
	lab_assert_asked(f, "2.root.json timestamp.json 1.snapshot.json 1.targets.json");
	lab_assert_stored(f, 1, 1, 1, 1);
}

static void
test_refresh_without_news_asks_for_two_files(TufLab *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	lab_refresh(f);
	error = lab_try_refresh(f);
	g_assert_no_error(error);
	lab_assert_asked(f, "2.root.json timestamp.json");
}

static void
test_without_consistent_snapshots_names_have_no_version(TufLab *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	json_object_set_new(repo_body(f->repo, "root"), "consistent_snapshot", json_false());
	repo_bump(f->repo, "root", NULL);
	error = lab_try_refresh(f);
	g_assert_no_error(error);
	lab_assert_asked(f, "2.root.json 3.root.json timestamp.json snapshot.json targets.json");
}

static void
test_uptane_names_have_no_version(TufLab *f, gconstpointer data)
{
	g_autoptr(GError) error = lab_try_refresh(f);

	g_assert_no_error(error);
	lab_assert_asked(f, "2.root.json timestamp.json snapshot.json targets.json");
	lab_assert_stored(f, 1, 1, 1, 1);
}

static void
test_store_has_the_bytes_that_came(TufLab *f, gconstpointer data)
{
	static const char *const files[] = {"root.json", "timestamp.json", "snapshot.json",
					    "targets.json"};
	g_autofree char *list = NULL;

	lab_refresh(f);
	for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autoptr(GBytes) stored = temp_dir_read(f->dir, files[i]);

		g_assert_true(g_bytes_equal(stored, g_hash_table_lookup(f->repo->files, files[i])));
	}
	list = temp_dir_list(f->dir);
	g_assert_cmpstr(list, ==,
			"root.json roots/1.root.json snapshot.json targets.json timestamp.json");
}

static void
test_update_fetches_what_changed(TufLab *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	lab_refresh(f);
	repo_bump(f->repo, "snapshot", "timestamp", NULL);
	error = lab_try_refresh(f);
	g_assert_no_error(error);
	lab_assert_asked(f, "2.root.json timestamp.json 2.snapshot.json");
	lab_assert_stored(f, 1, 2, 2, 1);
}

/* A pinned length is what the download of the role is held to. */
static void
test_pinned_length_bounds_the_download(TufLab *f, gconstpointer data)
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
	lab_assert_refresh_fails(f, SATCHEL_ERROR_METADATA_INVALID, "longer");
	lab_assert_stored(f, 1, 2, 2, 0);
}

/* ---- init */

static void
test_client_without_a_root_is_refused(TufLab *f, gconstpointer data)
{
	g_autoptr(SatchelTrustStore) store =
		satchel_trust_store_open(NULL, SATCHEL_TRUST_STORE_READ_ONLY, NULL);
	g_autoptr(GError) error = NULL;

	g_assert_null(satchel_tuf_client_new(store, &f->repo->source, f->now_s, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND);
}

static void
test_init_asks_for_nothing(TufLab *f, gconstpointer data)
{
	lab_assert_asked(f, "");
	lab_assert_stored(f, 1, 0, 0, 0);
}

static void
test_init_with_a_root_that_was_trusted_is_fine(TufLab *f, gconstpointer data)
{
	repo_bump(f->repo, "root", NULL);
	lab_refresh(f);
	lab_init(f);
	lab_assert_stored(f, 2, 1, 1, 1);
}

static void
test_init_with_another_root_is_refused(TufLab *f, gconstpointer data)
{
	g_autoptr(SatchelTrustStore) store = lab_open_store(f, SATCHEL_TRUST_STORE_DIRECT);
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
test_init_with_a_root_that_signs_badly_stores_nothing(TufLab *f, gconstpointer data)
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
test_init_repairs_a_damaged_root(TufLab *f, gconstpointer data)
{
	repo_bump(f->repo, "root", NULL);
	lab_refresh(f);
	temp_dir_truncate(f->dir, "root.json");
	lab_init(f);
	lab_assert_stored(f, 2, 1, 1, 1);
}

/* ---- root */

static void
test_roots_are_followed_and_kept(TufLab *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *list = NULL;

	repo_bump(f->repo, "root", "root", "root", NULL);
	error = lab_try_refresh(f);
	g_assert_no_error(error);
	lab_assert_asked(f, "2.root.json 3.root.json 4.root.json 5.root.json timestamp.json "
			    "1.snapshot.json 1.targets.json");
	list = temp_dir_list(f->dir);
	g_assert_nonnull(strstr(list, "roots/1.root.json roots/2.root.json roots/3.root.json "
				      "roots/4.root.json"));
}

static void
test_only_a_missing_root_ends_the_search(TufLab *f, gconstpointer data)
{
	repo_bump(f->repo, "root", NULL);
	repo_break(f->repo, "2.root.json", SATCHEL_ERROR_METADATA_DOWNLOAD);
	lab_assert_refresh_fails(f, SATCHEL_ERROR_METADATA_DOWNLOAD, "2.root.json");
	lab_assert_asked(f, "2.root.json");
	lab_assert_stored(f, 1, 0, 0, 0);
}

static void
test_root_by_strangers_is_not_stored(TufLab *f, gconstpointer data)
{
	repo_set_key(f->repo, "root", "stranger");
	repo_set_signers(f->repo, "root", "stranger", NULL);
	repo_bump(f->repo, "root", NULL);
	lab_assert_refresh_fails(f, SATCHEL_ERROR_METADATA_INVALID, "root 2");
	lab_assert_stored(f, 1, 0, 0, 0);
	lab_assert_asked(f, "2.root.json");
}

/* What was verified before the broken one stays. */
static void
test_good_roots_before_a_bad_one_are_stored(TufLab *f, gconstpointer data)
{
	repo_bump(f->repo, "root", "root", NULL);
	repo_set_signers(f->repo, "root", "stranger", NULL);
	repo_bump(f->repo, "root", NULL);
	lab_assert_refresh_fails(f, SATCHEL_ERROR_METADATA_INVALID, "root 4");
	lab_assert_stored(f, 3, 0, 0, 0);
}

static void
test_expired_root_on_the_way_does_no_harm(TufLab *f, gconstpointer data)
{
	repo_set_expires(f->repo, "root", REPO_PAST);
	repo_bump(f->repo, "root", NULL);
	repo_set_expires(f->repo, "root", REPO_FAR);
	repo_bump(f->repo, "root", NULL);
	lab_refresh(f);
	lab_assert_stored(f, 3, 1, 1, 1);
}

static void
test_expired_last_root_is_stored_and_ends_the_run(TufLab *f, gconstpointer data)
{
	repo_set_expires(f->repo, "root", REPO_PAST);
	repo_bump(f->repo, "root", NULL);
	lab_assert_refresh_fails(f, SATCHEL_ERROR_METADATA_EXPIRED, "root 2");
	lab_assert_asked(f, "2.root.json 3.root.json");
	lab_assert_stored(f, 2, 0, 0, 0);
}

static void
test_too_many_roots_are_an_error_and_the_next_run_goes_on(TufLab *f, gconstpointer data)
{
	g_autofree char *asked = NULL;

	for (guint i = 0; i < SATCHEL_LIMIT_ROOT_ROTATIONS + 2; i++)
		repo_bump(f->repo, "root", NULL);
	lab_assert_refresh_fails(f, SATCHEL_ERROR_METADATA_INVALID, "256 new roots");
	g_assert_cmpuint(f->repo->requests->len, ==, SATCHEL_LIMIT_ROOT_ROTATIONS);
	asked = repo_take_requests(f->repo);
	g_assert_true(g_str_has_suffix(asked, " 257.root.json"));
	lab_assert_stored(f, 257, 0, 0, 0);
	lab_refresh(f);
	lab_assert_stored(f, 259, 1, 1, 1);
}

static void
test_update_root_asks_for_roots_only(TufLab *f, gconstpointer data)
{
	g_autoptr(SatchelTrustStore) store = lab_open_store(f, SATCHEL_TRUST_STORE_DIRECT);
	g_autoptr(SatchelTufClient) client = lab_new_client(f, store);
	g_autoptr(GError) error = NULL;

	repo_set_expires(f->repo, "root", REPO_PAST);
	repo_bump(f->repo, "root", NULL);
	g_assert_true(satchel_tuf_client_update_root(client, TRUE, &error));
	g_assert_cmpint(satchel_root_get_version(satchel_tuf_client_get_root(client)), ==, 2);
	lab_assert_asked(f, "2.root.json 3.root.json");
	/* Once is enough in one run, and the expiry that was left out counts later. */
	g_assert_false(satchel_tuf_client_refresh(client, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_EXPIRED);
	lab_assert_asked(f, "");
}

/* ---- rollback, freeze, mix and match */

static void
test_older_timestamp_is_refused(TufLab *f, gconstpointer data)
{
	repo_bump(f->repo, "timestamp", NULL);
	lab_refresh(f);
	repo_set_version(f->repo, "timestamp", 1);
	repo_publish(f->repo, "timestamp");
	lab_assert_refresh_fails(f, SATCHEL_ERROR_METADATA_INVALID, "timestamp 1");
	lab_assert_asked(f, "2.root.json timestamp.json");
	lab_assert_stored(f, 1, 2, 1, 1);
}

/* Verified at a time at which it has expired, it still tells what was seen. */
static void
test_expired_stored_timestamp_still_forbids_an_older_one(TufLab *f, gconstpointer data)
{
	repo_set_expires(f->repo, "timestamp", "2031-01-01T00:00:00Z");
	repo_bump(f->repo, "timestamp", NULL);
	lab_refresh(f);
	f->now_s += 2 * 366 * 86400;
	repo_set_expires(f->repo, "timestamp", REPO_FAR);
	repo_set_version(f->repo, "timestamp", 1);
	repo_publish(f->repo, "timestamp");
	lab_assert_refresh_fails(f, SATCHEL_ERROR_METADATA_INVALID, "timestamp 1");
	lab_assert_stored(f, 1, 2, 1, 1);
}

static void
test_timestamp_of_the_same_version_is_kept(TufLab *f, gconstpointer data)
{
	g_autoptr(GBytes) before = NULL;
	g_autoptr(GBytes) after = NULL;

	lab_refresh(f);
	before = temp_dir_read(f->dir, "timestamp.json");
	repo_set_version(f->repo, "snapshot", 9);
	repo_publish(f->repo, "snapshot");
	repo_publish(f->repo, "timestamp");
	lab_refresh(f);
	after = temp_dir_read(f->dir, "timestamp.json");
	g_assert_true(g_bytes_equal(before, after));
	lab_assert_stored(f, 1, 1, 1, 1);
}

static void
test_frozen_timestamp_is_refused(TufLab *f, gconstpointer data)
{
	repo_set_expires(f->repo, "timestamp", REPO_PAST);
	repo_bump(f->repo, "timestamp", NULL);
	lab_assert_refresh_fails(f, SATCHEL_ERROR_METADATA_EXPIRED, "timestamp 2");
	lab_assert_asked(f, "2.root.json timestamp.json");
	lab_assert_stored(f, 1, 0, 0, 0);
}

static void
test_expired_snapshot_is_refused(TufLab *f, gconstpointer data)
{
	repo_set_expires(f->repo, "snapshot", REPO_PAST);
	repo_bump(f->repo, "snapshot", "timestamp", NULL);
	lab_assert_refresh_fails(f, SATCHEL_ERROR_METADATA_EXPIRED, "snapshot 2");
	lab_assert_stored(f, 1, 2, 0, 0);
}

static void
test_expired_targets_are_refused(TufLab *f, gconstpointer data)
{
	repo_set_expires(f->repo, "targets", REPO_PAST);
	repo_bump(f->repo, "targets", "snapshot", "timestamp", NULL);
	lab_assert_refresh_fails(f, SATCHEL_ERROR_METADATA_EXPIRED, "targets 2");
	lab_assert_stored(f, 1, 2, 2, 0);
}

static void
test_snapshot_that_takes_targets_back_is_refused(TufLab *f, gconstpointer data)
{
	repo_bump(f->repo, "targets", "snapshot", "timestamp", NULL);
	lab_refresh(f);
	repo_set_version(f->repo, "targets", 1);
	repo_publish(f->repo, "targets");
	repo_bump(f->repo, "snapshot", "timestamp", NULL);
	lab_assert_refresh_fails(f, SATCHEL_ERROR_METADATA_INVALID, "snapshot 3");
	lab_assert_stored(f, 1, 3, 2, 2);
}

static void
test_snapshot_of_another_version_than_listed_is_refused(TufLab *f, gconstpointer data)
{
	GBytes *old = g_bytes_ref(g_hash_table_lookup(f->repo->files, "1.snapshot.json"));

	repo_bump(f->repo, "snapshot", "timestamp", NULL);
	g_hash_table_insert(f->repo->files, g_strdup("2.snapshot.json"), old);
	lab_assert_refresh_fails(f, SATCHEL_ERROR_METADATA_INVALID, "snapshot 1");
	lab_assert_stored(f, 1, 2, 0, 0);
}

static void
test_targets_of_another_version_than_listed_are_refused(TufLab *f, gconstpointer data)
{
	GBytes *old = g_bytes_ref(g_hash_table_lookup(f->repo->files, "1.targets.json"));

	repo_bump(f->repo, "targets", "snapshot", "timestamp", NULL);
	g_hash_table_insert(f->repo->files, g_strdup("2.targets.json"), old);
	lab_assert_refresh_fails(f, SATCHEL_ERROR_METADATA_INVALID, "targets 1");
	lab_assert_stored(f, 1, 2, 2, 0);
}

static void
test_targets_of_another_hash_than_listed_are_refused(TufLab *f, gconstpointer data)
{
	f->repo->pinned = TRUE;
	repo_bump(f->repo, "targets", "snapshot", "timestamp", NULL);
	f->repo->pinned = FALSE;
	/* As long as before, so that the length says nothing. */
	repo_set_expires(f->repo, "targets", "2091-01-01T00:00:00Z");
	repo_publish(f->repo, "targets");
	lab_assert_refresh_fails(f, SATCHEL_ERROR_METADATA_INVALID, "targets 2");
	lab_assert_stored(f, 1, 2, 2, 0);
}

/* ---- after a theft of keys */

static void
fast_forward(const TufLab *f)
{
	repo_set_version(f->repo, "snapshot", 2000);
	repo_publish(f->repo, "snapshot");
	repo_set_version(f->repo, "timestamp", 1000);
	repo_publish(f->repo, "timestamp");
	lab_refresh(f);
	lab_assert_stored(f, 1, 1000, 2000, 1);
	repo_set_version(f->repo, "snapshot", 2);
	repo_set_version(f->repo, "timestamp", 2);
}

static void
test_versions_that_ran_ahead_stay_without_new_keys(TufLab *f, gconstpointer data)
{
	fast_forward(f);
	repo_publish(f->repo, "snapshot");
	repo_publish(f->repo, "timestamp");
	repo_bump(f->repo, "root", NULL);
	lab_assert_refresh_fails(f, SATCHEL_ERROR_METADATA_INVALID, "timestamp 2");
	lab_assert_stored(f, 2, 1000, 2000, 1);
}

static void
test_new_timestamp_key_takes_versions_back(TufLab *f, gconstpointer data)
{
	fast_forward(f);
	repo_set_key(f->repo, "timestamp", "timestamp-2");
	repo_set_signers(f->repo, "timestamp", "timestamp-2", NULL);
	repo_bump(f->repo, "root", NULL);
	repo_publish(f->repo, "snapshot");
	repo_publish(f->repo, "timestamp");
	lab_refresh(f);
	lab_assert_stored(f, 2, 2, 2, 1);
}

static void
test_new_snapshot_key_takes_versions_back(TufLab *f, gconstpointer data)
{
	fast_forward(f);
	repo_set_key(f->repo, "snapshot", "snapshot-2");
	repo_set_signers(f->repo, "snapshot", "snapshot-2", NULL);
	repo_bump(f->repo, "root", NULL);
	repo_publish(f->repo, "snapshot");
	repo_publish(f->repo, "timestamp");
	lab_refresh(f);
	lab_assert_stored(f, 2, 2, 2, 1);
}

/* ---- partial updates */

static void
test_missing_snapshot_is_made_up_for_next_time(TufLab *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	lab_refresh(f);
	repo_bump(f->repo, "targets", "snapshot", "timestamp", NULL);
	repo_break(f->repo, "2.snapshot.json", SATCHEL_ERROR_METADATA_NOT_FOUND);
	lab_assert_refresh_fails(f, SATCHEL_ERROR_METADATA_NOT_FOUND, "2.snapshot.json");
	lab_assert_stored(f, 1, 2, 1, 1);
	g_hash_table_remove_all(f->repo->broken);
	g_ptr_array_set_size(f->repo->requests, 0);
	error = lab_try_refresh(f);
	g_assert_no_error(error);
	lab_assert_asked(f, "2.root.json timestamp.json 2.snapshot.json 2.targets.json");
	lab_assert_stored(f, 1, 2, 2, 2);
}

static void
test_missing_targets_are_made_up_for_next_time(TufLab *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	lab_refresh(f);
	repo_bump(f->repo, "targets", "snapshot", "timestamp", NULL);
	repo_break(f->repo, "2.targets.json", SATCHEL_ERROR_METADATA_DOWNLOAD);
	lab_assert_refresh_fails(f, SATCHEL_ERROR_METADATA_DOWNLOAD, "2.targets.json");
	lab_assert_stored(f, 1, 2, 2, 1);
	g_hash_table_remove_all(f->repo->broken);
	g_ptr_array_set_size(f->repo->requests, 0);
	error = lab_try_refresh(f);
	g_assert_no_error(error);
	lab_assert_asked(f, "2.root.json timestamp.json 2.targets.json");
	lab_assert_stored(f, 1, 2, 2, 2);
}

static void
test_damaged_stored_roles_are_fetched_again(TufLab *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	lab_refresh(f);
	temp_dir_truncate(f->dir, "timestamp.json");
	temp_dir_write(f->dir, "snapshot.json", "");
	temp_dir_write(f->dir, "targets.json", "{\"signed\":{},\"signatures\":[]}");
	error = lab_try_refresh(f);
	g_assert_no_error(error);
	lab_assert_asked(f, "2.root.json timestamp.json 1.snapshot.json 1.targets.json");
	lab_assert_stored(f, 1, 1, 1, 1);
}

/* ---- from the store */

static GError *
try_load_stored(const TufLab *f)
{
	g_autoptr(SatchelTrustStore) store = lab_open_store(f, SATCHEL_TRUST_STORE_READ_ONLY);
	g_autoptr(SatchelTufClient) client = lab_new_client(f, store);
	GError *error = NULL;

	g_assert_cmpint(satchel_tuf_client_load_stored(client, &error), ==, error == NULL);
	return error;
}

static void
test_stored_roles_are_loaded_without_asking(TufLab *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	lab_refresh(f);
	error = try_load_stored(f);
	g_assert_no_error(error);
	lab_assert_asked(f, "");
}

static void
test_stored_roles_are_verified_again(TufLab *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	lab_refresh(f);
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
test_stored_roles_expire(TufLab *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	lab_refresh(f);
	f->now_s = G_GINT64_CONSTANT(3786912000); /* 2090-01-01T00:00:00Z */
	error = try_load_stored(f);
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_EXPIRED);
}

static void
test_role_that_was_never_stored_is_not_found(TufLab *f, gconstpointer data)
{
	g_autoptr(GError) error = try_load_stored(f);

	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND);
}

static void
test_read_only_store_is_used_and_not_written(TufLab *f, gconstpointer data)
{
	g_autoptr(SatchelTrustStore) store = lab_open_store(f, SATCHEL_TRUST_STORE_READ_ONLY);
	g_autoptr(SatchelTufClient) client = lab_new_client(f, store);
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
	lab_assert_stored(f, 1, 0, 0, 0);
}

static void
test_without_a_source_what_is_stored_is_known(TufLab *f, gconstpointer data)
{
	g_autoptr(SatchelTrustStore) store = NULL;
	g_autoptr(SatchelTufClient) client = NULL;
	g_autoptr(GError) error = NULL;

	lab_refresh(f);
	store = lab_open_store(f, SATCHEL_TRUST_STORE_READ_ONLY);
	client = satchel_tuf_client_new(store, NULL, f->now_s, &error);
	g_assert_no_error(error);
	g_assert_true(satchel_tuf_client_load_stored(client, &error));
	g_assert_no_error(error);
	g_assert_nonnull(satchel_tuf_client_get_targets(client));
	g_assert_false(satchel_tuf_client_refresh(client, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_DOWNLOAD);
}

#define ADD_FOR(dialect, path, function)                                                           \
	g_test_add("/tuf-client/" path, TufLab, GINT_TO_POINTER(dialect), lab_set_up, function,    \
		   lab_tear_down)
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
	ADD("stored/no-source", test_without_a_source_what_is_stored_is_known);
	ADD("stored/read-only", test_read_only_store_is_used_and_not_written);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add_requests();
	add_rules();
	return g_test_run();
}
