#include "../support/temp_dir.h"
#include "../support/tuf_repo.h"
#include <satchel/tuf_client.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

typedef struct {
	Repo *repo;
	char *dir;
	SatchelTrustStore *store;
	SatchelTufClient *client;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
	f->repo = repo_new((SatchelDialect)GPOINTER_TO_INT(data));
	f->dir = temp_dir_new();
}

static void
tear_down(Fixture *f, gconstpointer data)
{
	g_clear_pointer(&f->client, satchel_tuf_client_free);
	g_clear_pointer(&f->store, satchel_trust_store_free);
	satchel_tuf_source_free(&f->repo->source);
	temp_dir_free(f->dir);
}

/* Publishes what the test put into targets, and begins a run of a new client. */
static void
begin(Fixture *f)
{
	g_autoptr(GError) error = NULL;

	g_clear_pointer(&f->client, satchel_tuf_client_free);
	g_clear_pointer(&f->store, satchel_trust_store_free);
	repo_bump(f->repo, "targets", "snapshot", "timestamp", NULL);
	f->store = satchel_trust_store_open(NULL, SATCHEL_TRUST_STORE_READ_ONLY, &error);
	g_assert_true(satchel_tuf_client_init(
		f->store, g_hash_table_lookup(f->repo->files, "1.root.json"), &error));
	f->client = satchel_tuf_client_new(f->store, &f->repo->source, REPO_NOW_S, &error);
	g_assert_no_error(error);
	g_assert_true(satchel_tuf_client_refresh(f->client, &error));
	g_assert_no_error(error);
	g_ptr_array_set_size(f->repo->requests, 0);
}

static gboolean
download(Fixture *f, const char *path, char **placed, GError **error)
{
	const SatchelTarget *target = satchel_tuf_client_find_target(f->client, path, error);

	g_assert_nonnull(target);
	return satchel_tuf_client_download(f->client, target, f->dir, placed, error);
}

static void
assert_downloaded(Fixture *f, const char *path, const char *file, const char *content)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *placed = NULL;
	g_autofree char *expected = g_build_filename(f->dir, file, NULL);
	g_autoptr(GBytes) bytes = NULL;

	g_assert_true(download(f, path, &placed, &error));
	g_assert_no_error(error);
	g_assert_cmpstr(placed, ==, expected);
	bytes = temp_dir_read(f->dir, file);
	g_assert_cmpmem(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), content,
			strlen(content));
}

static void
assert_refused(Fixture *f, const char *path, const char *reason)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *placed = NULL;
	g_autofree char *before = temp_dir_list(f->dir);
	g_autofree char *after = NULL;

	g_assert_false(download(f, path, &placed, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED);
	g_assert_nonnull(strstr(error->message, reason));
	g_assert_null(placed);
	after = temp_dir_list(f->dir);
	g_assert_cmpstr(after, ==, before);
}

static void
assert_asked(const Fixture *f, const char *requests)
{
	g_autofree char *asked = repo_take_requests(f->repo);

	g_assert_cmpstr(asked, ==, requests);
}

/* What is served under @path and its name with the hash, from now on. */
static void
serve(Fixture *f, const char *content)
{
	GHashTableIter iter;
	gpointer path;

	g_hash_table_iter_init(&iter, f->repo->artifacts);
	while (g_hash_table_iter_next(&iter, &path, NULL))
		g_hash_table_iter_replace(&iter, g_bytes_new(content, strlen(content)));
}

static json_t *
entry_of(Fixture *f, const char *path)
{
	return json_object_get(json_object_get(repo_body(f->repo, "targets"), "targets"), path);
}

static void
test_name_on_the_server_has_the_hash_before_it(Fixture *f, gconstpointer data)
{
	repo_add_target(f->repo, "targets", "a/b/one", "hello");
	begin(f);
	assert_downloaded(f, "a/b/one", "a%2Fb%2Fone", "hello");
	assert_asked(f, "a/b/"
			"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824.one");
}

static void
test_name_is_plain_without_consistent_snapshots(Fixture *f, gconstpointer data)
{
	repo_add_target(f->repo, "targets", "a/one", "hello");
	json_object_set_new(repo_body(f->repo, "root"), "consistent_snapshot", json_false());
	repo_publish(f->repo, "root");
	begin(f);
	assert_downloaded(f, "a/one", "a%2Fone", "hello");
	assert_asked(f, "a/one");
}

static void
test_uptane_names_have_no_hash(Fixture *f, gconstpointer data)
{
	repo_add_target(f->repo, "targets", "one", "hello");
	begin(f);
	assert_downloaded(f, "one", "one", "hello");
	assert_asked(f, "one");
}

static void
test_empty_target_is_downloaded(Fixture *f, gconstpointer data)
{
	repo_add_target(f->repo, "targets", "one", "");
	begin(f);
	assert_downloaded(f, "one", "one", "");
}

static void
test_good_copy_is_not_fetched_again(Fixture *f, gconstpointer data)
{
	repo_add_target(f->repo, "targets", "one", "hello");
	begin(f);
	assert_downloaded(f, "one", "one", "hello");
	g_ptr_array_set_size(f->repo->requests, 0);
	assert_downloaded(f, "one", "one", "hello");
	assert_asked(f, "");
}

static void
test_spoiled_copy_is_fetched_again(Fixture *f, gconstpointer data)
{
	repo_add_target(f->repo, "targets", "one", "hello");
	begin(f);
	temp_dir_write(f->dir, "one", "jello");
	assert_downloaded(f, "one", "one", "hello");
}

static void
test_link_in_the_place_is_replaced(Fixture *f, gconstpointer data)
{
	g_autofree char *link = g_build_filename(f->dir, "one", NULL);
	g_autoptr(GBytes) victim = NULL;

	repo_add_target(f->repo, "targets", "one", "hello");
	begin(f);
	temp_dir_write(f->dir, "victim", "precious");
	g_assert_cmpint(symlink("victim", link), ==, 0);
	assert_downloaded(f, "one", "one", "hello");
	victim = temp_dir_read(f->dir, "victim");
	g_assert_cmpmem(g_bytes_get_data(victim, NULL), g_bytes_get_size(victim), "precious", 8);
}

static void
test_other_content_is_refused_and_the_old_copy_kept(Fixture *f, gconstpointer data)
{
	g_autoptr(GBytes) kept = NULL;

	repo_add_target(f->repo, "targets", "one", "hello");
	begin(f);
	serve(f, "jello");
	temp_dir_write(f->dir, "one", "older");
	assert_refused(f, "one", "hash");
	kept = temp_dir_read(f->dir, "one");
	g_assert_cmpmem(g_bytes_get_data(kept, NULL), g_bytes_get_size(kept), "older", 5);
}

static void
test_longer_content_is_refused(Fixture *f, gconstpointer data)
{
	repo_add_target(f->repo, "targets", "one", "hello");
	begin(f);
	serve(f, "hello, and more");
	assert_refused(f, "one", "longer");
}

static void
test_shorter_content_is_refused(Fixture *f, gconstpointer data)
{
	repo_add_target(f->repo, "targets", "one", "hello");
	begin(f);
	serve(f, "hell");
	assert_refused(f, "one", "shorter");
}

static void
test_missing_artifact_leaves_nothing(Fixture *f, gconstpointer data)
{
	repo_add_target(f->repo, "targets", "one", "hello");
	begin(f);
	g_hash_table_remove_all(f->repo->artifacts);
	assert_refused(f, "one", "not served");
}

static void
test_every_known_hash_must_hold(Fixture *f, gconstpointer data)
{
	g_autofree char *zeros = g_strnfill(128, '0');

	repo_add_target(f->repo, "targets", "one", "hello");
	json_object_set_new(json_object_get(entry_of(f, "one"), "hashes"), "sha512",
			    json_string(zeros));
	begin(f);
	assert_refused(f, "one", "hash");
}

static void
test_hash_of_an_unknown_kind_beside_a_known_one_does_no_harm(Fixture *f, gconstpointer data)
{
	repo_add_target(f->repo, "targets", "one", "hello");
	json_object_set_new(json_object_get(entry_of(f, "one"), "hashes"), "sha1",
			    json_string("00"));
	begin(f);
	assert_downloaded(f, "one", "one", "hello");
}

/* Nothing would be checked but the length. */
static void
test_hashes_of_unknown_kinds_alone_are_refused(Fixture *f, gconstpointer data)
{
	repo_add_target(f->repo, "targets", "one", "hello");
	json_object_set_new(entry_of(f, "one"), "hashes", json_pack("{s:s}", "sha1", "00"));
	begin(f);
	assert_refused(f, "one", "no hash of a known kind");
	assert_asked(f, "");
}

static void
test_unsafe_path_is_refused_before_it_is_asked_for(Fixture *f, gconstpointer data)
{
	static const char *const paths[] = {"../one", "/one", "a//one", "a/../one", "a/"};

	for (guint i = 0; i < G_N_ELEMENTS(paths); i++)
		repo_add_target(f->repo, "targets", paths[i], "hello");
	begin(f);
	for (guint i = 0; i < G_N_ELEMENTS(paths); i++)
		assert_refused(f, paths[i], "path");
	assert_asked(f, "");
}

static void
test_odd_path_has_a_safe_file_name(Fixture *f, gconstpointer data)
{
	g_autofree char *name = g_strnfill(250, 'x');
	g_autofree char *path = g_strconcat("a/", name, NULL);
	g_autofree char *digest = satchel_digest_sha256_hex(path, strlen(path));
	g_autofree char *file = g_strconcat("%sha256-", digest, NULL);

	repo_add_target(f->repo, "targets", "?#&", "one");
	repo_add_target(f->repo, "targets", path, "two");
	begin(f);
	assert_downloaded(f, "?#&", "%3F%23%26", "one");
	assert_downloaded(f, path, file, "two");
}

static void
test_missing_folder_is_an_error(Fixture *f, gconstpointer data)
{
	g_autofree char *missing = g_build_filename(f->dir, "missing", NULL);
	g_autoptr(GError) error = NULL;
	const SatchelTarget *target = NULL;

	repo_add_target(f->repo, "targets", "one", "hello");
	begin(f);
	target = satchel_tuf_client_find_target(f->client, "one", &error);
	g_assert_false(satchel_tuf_client_download(f->client, target, missing, NULL, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED);
	assert_asked(f, "");
}

/* A file size limit fails the write as a failing disk does. */
static void
test_failed_write_leaves_nothing(Fixture *f, gconstpointer data)
{
	g_autofree char *large = g_strnfill(100000, 'x');
	struct rlimit old, small;

	repo_add_target(f->repo, "targets", "one", large);
	begin(f);
	signal(SIGXFSZ, SIG_IGN);
	g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &old), ==, 0);
	small = (struct rlimit){.rlim_cur = 4096, .rlim_max = old.rlim_max};
	g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &small), ==, 0);
	assert_refused(f, "one", "cannot write");
	g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &old), ==, 0);
}

static void
test_leftovers_of_a_killed_download_are_removed(Fixture *f, gconstpointer data)
{
	g_autofree char *list = NULL;

	repo_add_target(f->repo, "targets", "one", "hello");
	begin(f);
	temp_dir_write(f->dir, ".satchel-0123456789abcdef.tmp", "half");
	assert_downloaded(f, "one", "one", "hello");
	list = temp_dir_list(f->dir);
	g_assert_cmpstr(list, ==, "one");
}

/* Held across a second refresh: valid until the client is freed. */
static void
test_target_outlives_the_next_refresh(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	const SatchelTarget *target = NULL;

	repo_add_target(f->repo, "targets", "one", "hello");
	begin(f);
	target = satchel_tuf_client_find_target(f->client, "one", &error);
	g_assert_true(satchel_tuf_client_refresh(f->client, &error));
	g_assert_no_error(error);
	g_assert_cmpstr(satchel_target_get_name(target), ==, "one");
	g_assert_true(satchel_tuf_client_download(f->client, target, f->dir, NULL, &error));
	g_assert_no_error(error);
}

static void
test_without_a_source_nothing_is_downloaded(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	repo_add_target(f->repo, "targets", "one", "hello");
	begin(f);
	satchel_tuf_client_free(f->client);
	f->client = satchel_tuf_client_new(f->store, NULL, REPO_NOW_S, &error);
	g_assert_no_error(error);
	g_assert_true(satchel_tuf_client_load_stored(f->client, &error));
	g_assert_no_error(error);
	assert_refused(f, "one", "no source");
}

#define ADD_FOR(dialect, path, function)                                                           \
	g_test_add("/tuf-download/" path, Fixture, GINT_TO_POINTER(dialect), set_up, function,     \
		   tear_down)
#define ADD(path, function) ADD_FOR(SATCHEL_DIALECT_TUF, path, function)

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("name/hash", test_name_on_the_server_has_the_hash_before_it);
	ADD("name/plain", test_name_is_plain_without_consistent_snapshots);
	ADD_FOR(SATCHEL_DIALECT_UPTANE, "name/uptane", test_uptane_names_have_no_hash);
	ADD("no-source", test_without_a_source_nothing_is_downloaded);
	ADD("empty", test_empty_target_is_downloaded);
	ADD("copy/good", test_good_copy_is_not_fetched_again);
	ADD("copy/spoiled", test_spoiled_copy_is_fetched_again);
	ADD("copy/link", test_link_in_the_place_is_replaced);
	ADD("content/other", test_other_content_is_refused_and_the_old_copy_kept);
	ADD("content/longer", test_longer_content_is_refused);
	ADD("content/shorter", test_shorter_content_is_refused);
	ADD("content/missing", test_missing_artifact_leaves_nothing);
	ADD("hashes/all", test_every_known_hash_must_hold);
	ADD("hashes/unknown-beside", test_hash_of_an_unknown_kind_beside_a_known_one_does_no_harm);
	ADD("hashes/unknown-alone", test_hashes_of_unknown_kinds_alone_are_refused);
	ADD("path/unsafe", test_unsafe_path_is_refused_before_it_is_asked_for);
	ADD("path/odd", test_odd_path_has_a_safe_file_name);
	ADD("folder/missing", test_missing_folder_is_an_error);
	ADD("folder/full", test_failed_write_leaves_nothing);
	ADD("folder/leftovers", test_leftovers_of_a_killed_download_are_removed);
	ADD("lifetime", test_target_outlives_the_next_refresh);
	return g_test_run();
}
