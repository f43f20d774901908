#include "../support/temp_dir.h"
#include "../support/tuf_repo.h"
#include <satchel/trust_store.h>
#include <unistd.h>

typedef struct {
	Repo *repo;
	char *dir;
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
set_up(Fixture *f, gconstpointer data)
{
	f->repo = repo_new(SATCHEL_DIALECT_TUF);
	f->dir = temp_dir_new();
}

static void
tear_down(Fixture *f, gconstpointer data)
{
	satchel_tuf_source_free(&f->repo->source);
	temp_dir_free(f->dir);
}

static GBytes *
bytes(const char *text)
{
	return g_bytes_new(text, strlen(text));
}

/* Saves @role in a store of its own that writes at once. */
static void
save(const Fixture *f, const char *role, const char *text)
{
	g_autoptr(SatchelTrustStore) store = open_store(f, SATCHEL_TRUST_STORE_DIRECT);
	g_autoptr(GBytes) document = bytes(text);
	g_autoptr(GError) error = NULL;

	g_assert_true(satchel_trust_store_save(store, role, document, &error));
	g_assert_no_error(error);
}

/* What a store opened anew has; NULL for nothing. (transfer full) */
static char *
load(const Fixture *f, const char *role)
{
	g_autoptr(SatchelTrustStore) store = open_store(f, SATCHEL_TRUST_STORE_READ_ONLY);
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) document = satchel_trust_store_load(store, role, 1000, &error);

	g_assert_no_error(error);
	return document != NULL
		       ? g_strndup(g_bytes_get_data(document, NULL), g_bytes_get_size(document))
		       : NULL;
}

static void
assert_loads(const Fixture *f, const char *role, const char *text)
{
	g_autofree char *loaded = load(f, role);

	g_assert_cmpstr(loaded, ==, text);
}

static void
assert_files(const Fixture *f, const char *names)
{
	g_autofree char *list = temp_dir_list(f->dir);

	g_assert_cmpstr(list, ==, names);
}

/* Publishes root 1 to @n, each signed as the one before wants it. */
static void
publish_roots(const Fixture *f, gint64 n)
{
	while (repo_version(f->repo, "root") < n)
		repo_bump(f->repo, "root", NULL);
}

static SatchelRoot *
root_at(const Fixture *f, gint64 version)
{
	g_autofree char *name = g_strdup_printf("%" G_GINT64_FORMAT ".root.json", version);
	g_autoptr(GError) error = NULL;
	SatchelRoot *root =
		satchel_root_new_trusted(g_hash_table_lookup(f->repo->files, name), &error);

	g_assert_no_error(error);
	return root;
}

/* Roots 1 to @n, followed one by one. */
static void
store_roots(const Fixture *f, gint64 n)
{
	g_autoptr(SatchelTrustStore) store = open_store(f, SATCHEL_TRUST_STORE_DIRECT);
	g_autoptr(SatchelRoot) trusted = root_at(f, 1);
	g_autoptr(GError) error = NULL;

	g_assert_true(satchel_trust_store_save_root(store, trusted, &error));
	for (gint64 version = 2; version <= n; version++) {
		g_autoptr(SatchelRoot) next = root_at(f, version);

		g_assert_true(satchel_trust_store_advance_root(store, trusted, next, &error));
		satchel_root_unref(trusted);
		trusted = g_steal_pointer(&next);
	}
}

static SatchelRoot *
load_root(const Fixture *f, SatchelRoot *provisioned, GError **error)
{
	g_autoptr(SatchelTrustStore) store = open_store(f, SATCHEL_TRUST_STORE_DIRECT);

	return satchel_trust_store_load_root(store, provisioned, error);
}

static void
assert_root(const Fixture *f, SatchelRoot *provisioned, gint64 version)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelRoot) root = load_root(f, provisioned, &error);
	g_autoptr(SatchelRoot) expected = root_at(f, version);
	g_autoptr(GBytes) stored = NULL;

	g_assert_no_error(error);
	g_assert_true(
		g_bytes_equal(satchel_root_get_bytes(root), satchel_root_get_bytes(expected)));
	stored = temp_dir_read(f->dir, "root.json");
	g_assert_true(g_bytes_equal(stored, satchel_root_get_bytes(expected)));
}

static void
put_root(const Fixture *f, const char *file, GBytes *content)
{
	g_autofree char *text =
		g_strndup(g_bytes_get_data(content, NULL), g_bytes_get_size(content));

	temp_dir_write(f->dir, file, text);
}

/* ---- modes */

static void
test_direct_store_writes_at_once(Fixture *f, gconstpointer data)
{
	save(f, "timestamp", "one");
	assert_files(f, "timestamp.json");
	assert_loads(f, "timestamp", "one");
	save(f, "timestamp", "two");
	assert_loads(f, "timestamp", "two");
}

static void
test_staged_store_writes_on_commit(Fixture *f, gconstpointer data)
{
	g_autoptr(SatchelTrustStore) store = open_store(f, SATCHEL_TRUST_STORE_STAGED);
	g_autoptr(GBytes) one = bytes("one");
	g_autoptr(GBytes) seen = NULL;
	g_autoptr(GError) error = NULL;

	g_assert_true(satchel_trust_store_save(store, "timestamp", one, &error));
	g_assert_true(satchel_trust_store_raise_floor(store, 1000, &error));
	assert_files(f, "");
	seen = satchel_trust_store_load(store, "timestamp", 1000, &error);
	g_assert_true(g_bytes_equal(seen, one));
	g_assert_true(satchel_trust_store_commit(store, &error));
	assert_files(f, "time-floor timestamp.json");
	assert_loads(f, "timestamp", "one");
}

static void
test_staged_store_that_is_not_committed_leaves_nothing(Fixture *f, gconstpointer data)
{
	save(f, "timestamp", "one");
	{
		g_autoptr(SatchelTrustStore) store = open_store(f, SATCHEL_TRUST_STORE_STAGED);
		g_autoptr(GBytes) two = bytes("two");
		g_autoptr(GError) error = NULL;

		g_assert_true(satchel_trust_store_save(store, "timestamp", two, &error));
		g_assert_true(satchel_trust_store_save(store, "snapshot", two, &error));
		g_assert_true(satchel_trust_store_remove(store, "timestamp", &error));
	}
	assert_files(f, "timestamp.json");
	assert_loads(f, "timestamp", "one");
}

static void
test_staged_removal_is_seen_and_committed(Fixture *f, gconstpointer data)
{
	g_autoptr(SatchelTrustStore) store = open_store(f, SATCHEL_TRUST_STORE_STAGED);
	g_autoptr(GError) error = NULL;

	save(f, "timestamp", "one");
	g_assert_true(satchel_trust_store_remove(store, "timestamp", &error));
	g_assert_null(satchel_trust_store_load(store, "timestamp", 1000, &error));
	g_assert_no_error(error);
	assert_files(f, "timestamp.json");
	g_assert_true(satchel_trust_store_commit(store, &error));
	assert_files(f, "");
}

static void
test_read_only_store_never_writes(Fixture *f, gconstpointer data)
{
	g_autofree char *missing = g_build_filename(f->dir, "missing", NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelTrustStore) store =
		satchel_trust_store_open(missing, SATCHEL_TRUST_STORE_READ_ONLY, &error);
	g_autoptr(SatchelRoot) root = root_at(f, 1);
	g_autoptr(GBytes) one = bytes("one");
	g_autoptr(GBytes) seen = NULL;

	g_assert_true(satchel_trust_store_save(store, "timestamp", one, &error));
	g_assert_true(satchel_trust_store_save_root(store, root, &error));
	g_assert_true(satchel_trust_store_raise_floor(store, 1000, &error));
	seen = satchel_trust_store_load(store, "timestamp", 1000, &error);
	g_assert_true(g_bytes_equal(seen, one));
	g_assert_false(satchel_trust_store_commit(store, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_FAILURE);
	g_assert_false(g_file_test(missing, G_FILE_TEST_EXISTS));
	assert_files(f, "");
}

static void
test_store_without_a_folder_is_in_memory(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelTrustStore) store =
		satchel_trust_store_open(NULL, SATCHEL_TRUST_STORE_DIRECT, &error);
	g_autoptr(GBytes) one = bytes("one");
	g_autoptr(GBytes) seen = NULL;

	g_assert_true(satchel_trust_store_save(store, "timestamp", one, &error));
	seen = satchel_trust_store_load(store, "timestamp", 1000, &error);
	g_assert_true(g_bytes_equal(seen, one));
	g_assert_false(satchel_trust_store_commit(store, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_FAILURE);
}

static void
test_folder_is_made_on_the_first_write(Fixture *f, gconstpointer data)
{
	g_autofree char *deep = g_build_filename(f->dir, "a", "b", "store", NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelTrustStore) store =
		satchel_trust_store_open(deep, SATCHEL_TRUST_STORE_DIRECT, &error);
	g_autoptr(GBytes) one = bytes("one");

	g_assert_no_error(error);
	g_assert_false(g_file_test(deep, G_FILE_TEST_EXISTS));
	g_assert_true(satchel_trust_store_save(store, "timestamp", one, &error));
	assert_files(f, "a/b/store/timestamp.json");
}

static void
test_file_in_place_of_the_folder_is_refused(Fixture *f, gconstpointer data)
{
	g_autofree char *path = g_build_filename(f->dir, "file", NULL);
	g_autoptr(GError) error = NULL;

	temp_dir_write(f->dir, "file", "");
	g_assert_null(satchel_trust_store_open(path, SATCHEL_TRUST_STORE_DIRECT, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_FAILURE);
}

static void
test_leftovers_of_a_power_cut_are_removed(Fixture *f, gconstpointer data)
{
	store_roots(f, 1);
	temp_dir_write(f->dir, ".satchel-0123456789abcdef.tmp", "half");
	temp_dir_write(f->dir, "roots/.satchel-0123456789abcdef.tmp", "half");
	save(f, "timestamp", "one");
	assert_files(f, "root.json roots/1.root.json timestamp.json");
}

/* ---- names */

static void
test_every_role_name_has_a_file_of_its_own(Fixture *f, gconstpointer data)
{
	g_autofree char *long_name = g_strnfill(300, 'x');
	g_autofree char *longer_name = g_strconcat(long_name, "y", NULL);
	const char *const roles[] = {
		"timestamp",  "snapshot", "targets",	  "ROOT",   "Timestamp", "tarGets",
		"?",	      "#",	  "../root",	  "..",	    ".",	 "/root",
		"a/b",	      "a%2Fb",	  "roots/1.root", "1.root", "\xc3\xa4",	 " ",
		"time-floor", long_name,  longer_name,	  "roots",  "root.json", "%52OOT",
	};
	g_autoptr(GHashTable) folded = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GDir) dir = NULL;
	guint n_files = 0;

	for (guint i = 0; i < G_N_ELEMENTS(roles); i++)
		save(f, roles[i], roles[i]);
	for (guint i = 0; i < G_N_ELEMENTS(roles); i++)
		assert_loads(f, roles[i], roles[i]);
	dir = g_dir_open(f->dir, 0, NULL);
	for (const char *name = g_dir_read_name(dir); name != NULL; name = g_dir_read_name(dir)) {
		g_assert_true(g_str_has_suffix(name, ".json"));
		g_assert_cmpstr(name, !=, "root.json");
		g_assert_cmpuint(strlen(name), <=, 255);
		g_hash_table_add(folded, g_ascii_strdown(name, -1));
		n_files++;
	}
	g_assert_cmpuint(n_files, ==, G_N_ELEMENTS(roles));
	/* Also where the file system does not tell cases apart: `ROOT.json` is `root.json` there.
	 */
	g_assert_cmpuint(g_hash_table_size(folded), ==, n_files);
	g_assert_false(g_hash_table_contains(folded, "root.json"));
}

static void
test_role_called_root_cannot_be_saved_as_a_role(Fixture *f, gconstpointer data)
{
	g_autoptr(SatchelTrustStore) store = open_store(f, SATCHEL_TRUST_STORE_DIRECT);
	g_autoptr(GBytes) document = bytes("forged");
	g_autoptr(GError) error = NULL;

	g_assert_false(satchel_trust_store_save(store, "root", document, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_FAILURE);
	assert_files(f, "");
}

/* ---- damage */

static void
test_absent_role_is_no_error(Fixture *f, gconstpointer data)
{
	assert_loads(f, "timestamp", NULL);
}

static void
test_long_file_is_an_error(Fixture *f, gconstpointer data)
{
	g_autoptr(SatchelTrustStore) store = open_store(f, SATCHEL_TRUST_STORE_DIRECT);
	g_autoptr(GError) error = NULL;

	save(f, "timestamp", "longer than four");
	g_assert_null(satchel_trust_store_load(store, "timestamp", 4, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_FAILURE);
}

static void
test_link_in_the_store_is_not_followed(Fixture *f, gconstpointer data)
{
	g_autoptr(SatchelTrustStore) store = open_store(f, SATCHEL_TRUST_STORE_DIRECT);
	g_autofree char *link = g_build_filename(f->dir, "timestamp.json", NULL);
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(symlink("/etc/hostname", link), ==, 0);
	g_assert_null(satchel_trust_store_load(store, "timestamp", 1000, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_FAILURE);
}

/* ---- root */

static void
test_root_is_kept_with_its_history(Fixture *f, gconstpointer data)
{
	publish_roots(f, 3);
	store_roots(f, 3);
	assert_files(f, "root.json roots/1.root.json roots/2.root.json roots/3.root.json");
	assert_root(f, NULL, 3);
}

static void
test_empty_store_has_no_root(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(load_root(f, NULL, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND);
	assert_files(f, "");
}

static void
test_empty_store_takes_the_provisioned_root(Fixture *f, gconstpointer data)
{
	g_autoptr(SatchelRoot) provisioned = root_at(f, 1);

	assert_root(f, provisioned, 1);
	assert_files(f, "root.json roots/1.root.json");
}

static void
test_damaged_root_is_refused_without_a_provisioned_one(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	publish_roots(f, 2);
	store_roots(f, 2);
	temp_dir_truncate(f->dir, "root.json");
	g_assert_null(load_root(f, NULL, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_FAILURE);
}

static void
test_damaged_root_is_healed_from_the_history(Fixture *f, gconstpointer data)
{
	g_autoptr(SatchelRoot) provisioned = root_at(f, 1);

	publish_roots(f, 4);
	store_roots(f, 4);
	temp_dir_truncate(f->dir, "root.json");
	assert_root(f, provisioned, 4);
}

static void
test_lost_root_is_healed_from_the_history(Fixture *f, gconstpointer data)
{
	g_autoptr(SatchelRoot) provisioned = root_at(f, 1);
	g_autofree char *file = g_build_filename(f->dir, "root.json", NULL);

	publish_roots(f, 2);
	store_roots(f, 2);
	g_assert_cmpint(g_remove(file), ==, 0);
	assert_root(f, provisioned, 2);
}

/* Self-signed and of a higher version: by itself nothing is wrong with it. */
static void
test_strangers_root_is_replaced(Fixture *f, gconstpointer data)
{
	g_autoptr(SatchelRoot) provisioned = root_at(f, 1);
	g_autoptr(GBytes) forged = NULL;
	Repo *stranger = repo_new(SATCHEL_DIALECT_TUF);

	publish_roots(f, 2);
	store_roots(f, 2);
	repo_set_key(stranger, "root", "stranger");
	repo_set_signers(stranger, "root", "stranger", NULL);
	repo_set_version(stranger, "root", 3);
	repo_publish(stranger, "root");
	forged = g_bytes_ref(g_hash_table_lookup(stranger->files, "root.json"));
	satchel_tuf_source_free(&stranger->source);
	put_root(f, "root.json", forged);
	put_root(f, "roots/3.root.json", forged);
	assert_root(f, provisioned, 2);
}

static void
test_history_with_a_gap_leads_no_further(Fixture *f, gconstpointer data)
{
	g_autoptr(SatchelRoot) provisioned = root_at(f, 1);
	g_autofree char *file = g_build_filename(f->dir, "roots/3.root.json", NULL);

	publish_roots(f, 4);
	store_roots(f, 4);
	g_assert_cmpint(g_remove(file), ==, 0);
	assert_root(f, provisioned, 2);
}

/* root.json may itself be the last link. */
static void
test_root_whose_history_file_is_lost_is_kept(Fixture *f, gconstpointer data)
{
	g_autoptr(SatchelRoot) provisioned = root_at(f, 1);
	g_autofree char *file = g_build_filename(f->dir, "roots/2.root.json", NULL);

	publish_roots(f, 2);
	store_roots(f, 2);
	g_assert_cmpint(g_remove(file), ==, 0);
	assert_root(f, provisioned, 2);
}

static void
test_newer_provisioned_root_is_taken(Fixture *f, gconstpointer data)
{
	g_autoptr(SatchelRoot) provisioned = NULL;

	publish_roots(f, 5);
	store_roots(f, 2);
	provisioned = root_at(f, 5);
	assert_root(f, provisioned, 5);
}

static void
test_root_that_is_known_is_told_from_others(Fixture *f, gconstpointer data)
{
	g_autoptr(SatchelTrustStore) store = NULL;
	g_autoptr(SatchelRoot) first = root_at(f, 1);
	g_autoptr(SatchelRoot) third = NULL;

	publish_roots(f, 3);
	store_roots(f, 2);
	store = open_store(f, SATCHEL_TRUST_STORE_READ_ONLY);
	third = root_at(f, 3);
	g_assert_true(satchel_trust_store_knows_root(store, first));
	g_assert_false(satchel_trust_store_knows_root(store, third));
}

static void
test_new_keys_make_timestamp_and_snapshot_forgotten(Fixture *f, gconstpointer data)
{
	g_autoptr(SatchelTrustStore) store = NULL;
	g_autoptr(SatchelRoot) first = root_at(f, 1);
	g_autoptr(SatchelRoot) second = NULL;
	g_autoptr(SatchelRoot) third = NULL;
	g_autoptr(GError) error = NULL;

	repo_bump(f->repo, "root", NULL);
	repo_set_key(f->repo, "snapshot", "snapshot-2");
	repo_bump(f->repo, "root", NULL);
	store_roots(f, 1);
	save(f, "timestamp", "t");
	save(f, "snapshot", "s");
	save(f, "targets", "x");
	store = open_store(f, SATCHEL_TRUST_STORE_DIRECT);
	second = root_at(f, 2);
	third = root_at(f, 3);
	g_assert_true(satchel_trust_store_advance_root(store, first, second, &error));
	assert_loads(f, "timestamp", "t");
	assert_loads(f, "snapshot", "s");
	g_assert_true(satchel_trust_store_advance_root(store, second, third, &error));
	assert_loads(f, "timestamp", NULL);
	assert_loads(f, "snapshot", NULL);
	assert_loads(f, "targets", "x");
}

/* Power goes after the new root is in the history and before it is root.json. */
static void
test_rotation_that_a_power_cut_stopped_is_finished(Fixture *f, gconstpointer data)
{
	repo_set_key(f->repo, "timestamp", "timestamp-2");
	repo_bump(f->repo, "root", NULL);
	store_roots(f, 1);
	save(f, "timestamp", "old");
	put_root(f, "roots/2.root.json", g_hash_table_lookup(f->repo->files, "2.root.json"));
	assert_root(f, NULL, 2);
	assert_loads(f, "timestamp", NULL);
}

static void
test_commit_forgets_what_new_keys_made_void(Fixture *f, gconstpointer data)
{
	g_autoptr(SatchelTrustStore) store = NULL;
	g_autoptr(SatchelRoot) first = root_at(f, 1);
	g_autoptr(SatchelRoot) second = NULL;
	g_autoptr(GBytes) fresh = bytes("new");
	g_autoptr(GError) error = NULL;

	repo_set_key(f->repo, "timestamp", "timestamp-2");
	repo_bump(f->repo, "root", NULL);
	store_roots(f, 1);
	save(f, "timestamp", "old");
	save(f, "snapshot", "old");
	store = open_store(f, SATCHEL_TRUST_STORE_STAGED);
	second = root_at(f, 2);
	g_assert_true(satchel_trust_store_advance_root(store, first, second, &error));
	g_assert_true(satchel_trust_store_save(store, "timestamp", fresh, &error));
	assert_loads(f, "timestamp", "old");
	g_assert_true(satchel_trust_store_commit(store, &error));
	assert_root(f, NULL, 2);
	assert_loads(f, "timestamp", "new");
	assert_loads(f, "snapshot", NULL);
}

/* ---- time floor */

static gint64
floor_of(const Fixture *f)
{
	g_autoptr(SatchelTrustStore) store = open_store(f, SATCHEL_TRUST_STORE_READ_ONLY);
	g_autoptr(GError) error = NULL;
	gint64 floor_s = -1;

	g_assert_true(satchel_trust_store_load_floor(store, &floor_s, &error));
	g_assert_no_error(error);
	return floor_s;
}

static void
test_floor_is_only_raised(Fixture *f, gconstpointer data)
{
	g_autoptr(SatchelTrustStore) store = open_store(f, SATCHEL_TRUST_STORE_DIRECT);
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) text = NULL;

	g_assert_cmpint(floor_of(f), ==, 0);
	g_assert_true(satchel_trust_store_raise_floor(store, REPO_NOW_S, &error));
	g_assert_cmpint(floor_of(f), ==, REPO_NOW_S);
	g_assert_true(satchel_trust_store_raise_floor(store, REPO_NOW_S - 1, &error));
	g_assert_cmpint(floor_of(f), ==, REPO_NOW_S);
	text = temp_dir_read(f->dir, "time-floor");
	g_assert_cmpmem(g_bytes_get_data(text, NULL), g_bytes_get_size(text),
			"2030-01-01T00:00:00Z\n", 21);
}

static void
test_damaged_floor_is_an_error(Fixture *f, gconstpointer data)
{
	static const char *const damaged[] = {"", "2030", "2030-01-01T00:00:00Z",
					      "2030-01-01T00:00:00Z\n\n", "soon\n"};

	for (guint i = 0; i < G_N_ELEMENTS(damaged); i++) {
		g_autoptr(SatchelTrustStore) store = open_store(f, SATCHEL_TRUST_STORE_DIRECT);
		g_autoptr(GError) error = NULL;
		gint64 floor_s = -1;

		temp_dir_write(f->dir, "time-floor", damaged[i]);
		g_assert_false(satchel_trust_store_load_floor(store, &floor_s, &error));
		g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_FAILURE);
		g_assert_cmpint(floor_s, ==, 0);
	}
}

static void
test_damaged_floor_is_set_aside(Fixture *f, gconstpointer data)
{
	for (guint i = 1; i <= 2; i++) {
		g_autoptr(SatchelTrustStore) store = open_store(f, SATCHEL_TRUST_STORE_DIRECT);
		g_autofree char *name = g_strdup_printf("time-floor.damaged-%u", i);
		g_autoptr(GBytes) aside = NULL;
		g_autoptr(GError) error = NULL;

		temp_dir_write(f->dir, "time-floor", "soon\n");
		g_assert_true(satchel_trust_store_set_floor_aside(store, &error));
		g_assert_no_error(error);
		g_assert_cmpint(floor_of(f), ==, 0);
		aside = temp_dir_read(f->dir, name);
		g_assert_cmpmem(g_bytes_get_data(aside, NULL), g_bytes_get_size(aside), "soon\n",
				5);
		g_assert_true(satchel_trust_store_raise_floor(store, REPO_NOW_S, &error));
		g_assert_cmpint(floor_of(f), ==, REPO_NOW_S);
	}
}

static void
test_read_only_store_passes_a_damaged_floor_over(Fixture *f, gconstpointer data)
{
	g_autoptr(SatchelTrustStore) store = open_store(f, SATCHEL_TRUST_STORE_READ_ONLY);
	g_autoptr(GError) error = NULL;
	gint64 floor_s = -1;

	temp_dir_write(f->dir, "time-floor", "soon\n");
	g_assert_true(satchel_trust_store_set_floor_aside(store, &error));
	g_assert_true(satchel_trust_store_load_floor(store, &floor_s, &error));
	g_assert_cmpint(floor_s, ==, 0);
	assert_files(f, "time-floor");
}

#define ADD(path, function)                                                                        \
	g_test_add("/trust-store/" path, Fixture, NULL, set_up, function, tear_down)

static void
add_root(void)
{
	ADD("root/history", test_root_is_kept_with_its_history);
	ADD("root/none", test_empty_store_has_no_root);
	ADD("root/provisioned", test_empty_store_takes_the_provisioned_root);
	ADD("root/damaged", test_damaged_root_is_refused_without_a_provisioned_one);
	ADD("root/damaged-healed", test_damaged_root_is_healed_from_the_history);
	ADD("root/lost-healed", test_lost_root_is_healed_from_the_history);
	ADD("root/stranger", test_strangers_root_is_replaced);
	ADD("root/gap", test_history_with_a_gap_leads_no_further);
	ADD("root/last-link", test_root_whose_history_file_is_lost_is_kept);
	ADD("root/newer-provisioned", test_newer_provisioned_root_is_taken);
	ADD("root/known", test_root_that_is_known_is_told_from_others);
	ADD("root/new-keys", test_new_keys_make_timestamp_and_snapshot_forgotten);
	ADD("root/power-cut", test_rotation_that_a_power_cut_stopped_is_finished);
	ADD("root/commit", test_commit_forgets_what_new_keys_made_void);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("direct", test_direct_store_writes_at_once);
	ADD("staged", test_staged_store_writes_on_commit);
	ADD("staged/dropped", test_staged_store_that_is_not_committed_leaves_nothing);
	ADD("staged/removal", test_staged_removal_is_seen_and_committed);
	ADD("read-only", test_read_only_store_never_writes);
	ADD("in-memory", test_store_without_a_folder_is_in_memory);
	ADD("folder/made", test_folder_is_made_on_the_first_write);
	ADD("folder/file", test_file_in_place_of_the_folder_is_refused);
	ADD("leftovers", test_leftovers_of_a_power_cut_are_removed);
	ADD("names", test_every_role_name_has_a_file_of_its_own);
	ADD("names/root", test_role_called_root_cannot_be_saved_as_a_role);
	ADD("damage/absent", test_absent_role_is_no_error);
	ADD("damage/long", test_long_file_is_an_error);
	ADD("damage/link", test_link_in_the_store_is_not_followed);
	add_root();
	ADD("floor/raised", test_floor_is_only_raised);
	ADD("floor/damaged", test_damaged_floor_is_an_error);
	ADD("floor/set-aside", test_damaged_floor_is_set_aside);
	ADD("floor/passed-over", test_read_only_store_passes_a_damaged_floor_over);
	return g_test_run();
}
