#include "../../verify/hex.h"
#include "../../verify/object_stream.h"
#include "../support/one_object.h"
#include "../support/ostree_bundle.h"
#include <fcntl.h>
#include <ostree.h>

typedef struct {
	OstreeBundle bundle;
	SatchelBundleReader *reader;
	SatchelClosureRepo *repo;
	SatchelClosureList *list;
} Fixture;

static void
fixture_open(Fixture *self, const char *mode)
{
	g_autoptr(GError) error = NULL;

	memset(self, 0, sizeof *self);
	self->bundle = ostree_bundle_new(mode);
	self->reader = satchel_bundle_reader_open(self->bundle.bundle, &error);
	g_assert_no_error(error);
	self->repo = satchel_closure_repo_open(self->reader, &error);
	g_assert_no_error(error);
	self->list = satchel_closure_list(self->repo,
					  (const char *const[]){self->bundle.commit, NULL}, &error);
	g_assert_no_error(error);
}

static void
fixture_clear(Fixture *self)
{
	if (self->reader == NULL)
		return;
	satchel_closure_list_free(self->list);
	satchel_closure_repo_free(self->repo);
	satchel_bundle_reader_free(self->reader);
	ostree_bundle_clear(&self->bundle);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fixture, fixture_clear)

/* Its checksum in hex, for as long as the test runs. */
static const char *
name_of(const SatchelClosureObject *object)
{
	char checksum[65];

	satchel_hex_from_sha256(object->checksum, checksum);
	return g_intern_string(checksum);
}

static const SatchelClosureObject *
fixture_object(const Fixture *self, guint index)
{
	return &g_array_index(self->list->objects, SatchelClosureObject, index);
}

/* The first object of @type, past the @skip first ones. */
static const SatchelClosureObject *
fixture_find(const Fixture *self, SatchelObjectType type, guint skip)
{
	for (guint i = 0; i < self->list->objects->len; i++) {
		if (fixture_object(self, i)->type == type && skip-- == 0)
			return fixture_object(self, i);
	}
	g_assert_not_reached();
}

/* The file object with this claimed size. */
static const SatchelClosureObject *
fixture_find_size(const Fixture *self, guint64 size_bytes)
{
	for (guint i = 0; i < self->list->objects->len; i++) {
		const SatchelClosureObject *object = fixture_object(self, i);
		g_autoptr(GError) error = NULL;
		guint64 claimed_bytes = 0;

		if (object->type != SATCHEL_OBJECT_FILE)
			continue;
		g_assert_true(satchel_closure_repo_claimed_size(
			self->repo, name_of(object), object->stored_bytes, &claimed_bytes, &error));
		g_assert_no_error(error);
		if (claimed_bytes == size_bytes)
			return object;
	}
	g_assert_not_reached();
}

static char *
read_object(const Fixture *self, const SatchelClosureObject *object, gsize *n_bytes)
{
	g_autofree char *path = ostree_bundle_object(&self->bundle, object->type, name_of(object));
	g_autoptr(GError) error = NULL;
	char *content = NULL;

	g_file_get_contents(path, &content, n_bytes, &error);
	g_assert_no_error(error);
	return content;
}

static void
write_object(const Fixture *self, const SatchelClosureObject *object, const char *content,
	     gsize n_bytes)
{
	g_autofree char *path = ostree_bundle_object(&self->bundle, object->type, name_of(object));
	g_autoptr(GError) error = NULL;

	g_file_set_contents(path, content, (gssize)n_bytes, &error);
	g_assert_no_error(error);
}

static void
remove_object(const Fixture *self, const SatchelClosureObject *object)
{
	g_autofree char *path = ostree_bundle_object(&self->bundle, object->type, name_of(object));

	g_assert_cmpint(unlink(path), ==, 0);
}

static void
assert_all_objects_good(const Fixture *self)
{
	for (guint i = 0; i < self->list->objects->len; i++) {
		const SatchelClosureObject *object = fixture_object(self, i);
		g_autoptr(GError) error = NULL;

		g_assert_true(one_object_check(self->bundle.bundle, object->type, name_of(object),
					       &error));
		g_assert_no_error(error);
	}
}

static void
test_list_is_what_libostree_finds(void)
{
	g_auto(Fixture) self;
	g_autoptr(GError) error = NULL;
	g_autoptr(GFile) path = NULL;
	g_autoptr(OstreeRepo) repo = NULL;
	g_autoptr(GHashTable) reachable = NULL;
	g_autofree char *repo_path = NULL;
	guint64 stored_bytes = 0;

	fixture_open(&self, "archive");
	repo_path = g_build_filename(self.bundle.bundle, "ostree_repo", NULL);
	path = g_file_new_for_path(repo_path);
	repo = ostree_repo_new(path);
	g_assert_true(ostree_repo_open(repo, NULL, &error));
	g_assert_true(
		ostree_repo_traverse_commit(repo, self.bundle.commit, 0, &reachable, NULL, &error));
	g_assert_cmpuint(g_hash_table_size(reachable), ==, self.list->objects->len);
	for (guint i = 0; i < self.list->objects->len; i++) {
		const SatchelClosureObject *object = fixture_object(&self, i);
		g_autoptr(GVariant) name = g_variant_ref_sink(ostree_object_name_serialize(
			name_of(object), (OstreeObjectType)object->type));

		g_assert_true(g_hash_table_contains(reachable, name));
		g_assert_false(object->missing);
		stored_bytes += object->stored_bytes;
	}
	g_assert_cmpuint(self.list->stored_bytes, ==, stored_bytes);
}

static void
test_list_goes_from_commit_over_trees_to_files(void)
{
	g_auto(Fixture) self;
	guint i = 3;

	fixture_open(&self, "archive");
	g_assert_cmpint(fixture_object(&self, 0)->type, ==, SATCHEL_OBJECT_COMMIT);
	g_assert_cmpstr(name_of(fixture_object(&self, 0)), ==, self.bundle.commit);
	g_assert_cmpint(fixture_object(&self, 1)->type, ==, SATCHEL_OBJECT_DIR_TREE);
	g_assert_cmpint(fixture_object(&self, 2)->type, ==, SATCHEL_OBJECT_DIR_META);
	while (fixture_object(&self, i)->type != SATCHEL_OBJECT_FILE)
		i++;
	g_assert_cmpuint(self.list->objects->len - i, ==, self.list->n_files);
	while (i < self.list->objects->len)
		g_assert_cmpint(fixture_object(&self, i++)->type, ==, SATCHEL_OBJECT_FILE);
}

static void
test_commit_given_twice_is_listed_once(void)
{
	g_auto(Fixture) self;
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelClosureList) list = NULL;

	fixture_open(&self, "archive");
	list = satchel_closure_list(
		self.repo, (const char *const[]){self.bundle.commit, self.bundle.commit, NULL},
		&error);
	g_assert_no_error(error);
	g_assert_cmpuint(list->objects->len, ==, self.list->objects->len);
}

static void
test_every_object_of_a_real_repository_is_good(gconstpointer mode)
{
	g_auto(Fixture) self = {0};

	if (strcmp(mode, "bare-user") == 0 && !ostree_bundle_can_have_attributes())
		return;
	fixture_open(&self, mode);
	g_assert_cmpuint(self.list->n_files, >, 5);
	assert_all_objects_good(&self);
	g_assert_nonnull(fixture_find_size(&self, 300000));
}

static void
test_file_content_comes_back(void)
{
	g_auto(Fixture) self;
	g_autoptr(GError) error = NULL;
	g_autoptr(GByteArray) content = NULL;
	g_autofree char *source = NULL;
	g_autofree char *expected = NULL;
	gsize n_expected = 0;

	fixture_open(&self, "archive");
	source = g_build_filename(self.bundle.dir, "tree/usr/lib/big", NULL);
	g_assert_true(g_file_get_contents(source, &expected, &n_expected, NULL));
	content = one_object_read(self.bundle.bundle, SATCHEL_OBJECT_FILE,
				  name_of(fixture_find_size(&self, 300000)), &error);
	g_assert_no_error(error);
	g_assert_cmpmem(content->data, content->len, expected, n_expected);
}

static void
test_missing_commit_is_missing_content(void)
{
	g_auto(Fixture) self;
	g_autoptr(GError) error = NULL;
	g_autofree char *other = g_strnfill(64, 'a');
	SatchelClosureList *list;

	fixture_open(&self, "archive");
	list = satchel_closure_list(self.repo, (const char *const[]){other, NULL}, &error);
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_NO_TARGET_CONTENT);
	g_assert_null(list);
}

static void
test_missing_file_is_listed_as_missing(void)
{
	g_auto(Fixture) self;
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelClosureList) list = NULL;
	const SatchelClosureObject *file;

	fixture_open(&self, "archive");
	file = fixture_find(&self, SATCHEL_OBJECT_FILE, 2);
	remove_object(&self, file);
	list = satchel_closure_list(self.repo, (const char *const[]){self.bundle.commit, NULL},
				    &error);
	g_assert_no_error(error);
	g_assert_cmpuint(list->n_missing, ==, 1);
	g_assert_cmpuint(list->n_files, ==, self.list->n_files);
	g_assert_false(
		one_object_check(self.bundle.bundle, SATCHEL_OBJECT_FILE, name_of(file), &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_NO_TARGET_CONTENT);
}

static void
test_missing_tree_is_missing_content(void)
{
	g_auto(Fixture) self;
	g_autoptr(GError) error = NULL;

	fixture_open(&self, "archive");
	remove_object(&self, fixture_find(&self, SATCHEL_OBJECT_DIR_TREE, 1));
	g_assert_null(satchel_closure_list(
		self.repo, (const char *const[]){self.bundle.commit, NULL}, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_NO_TARGET_CONTENT);
}

static void
test_one_flipped_bit_in_metadata_is_refused(void)
{
	static const SatchelObjectType types[] = {SATCHEL_OBJECT_COMMIT, SATCHEL_OBJECT_DIR_TREE,
						  SATCHEL_OBJECT_DIR_META};
	g_auto(Fixture) self;

	fixture_open(&self, "archive");
	for (guint i = 0; i < G_N_ELEMENTS(types); i++) {
		const SatchelClosureObject *object = fixture_find(&self, types[i], 0);
		g_autoptr(GError) error = NULL;
		gsize n_bytes = 0;
		g_autofree char *content = read_object(&self, object, &n_bytes);

		content[n_bytes / 2] ^= 1;
		write_object(&self, object, content, n_bytes);
		g_assert_null(satchel_closure_repo_load(self.repo, object->type, name_of(object),
							&error));
		g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED);
	}
}

static gboolean
is_good(const Fixture *self, const SatchelClosureObject *object, GError **error)
{
	return one_object_check(self->bundle.bundle, object->type, name_of(object), error);
}

static void
test_no_flipped_bit_in_a_file_passes(void)
{
	g_auto(Fixture) self;
	const SatchelClosureObject *object;
	g_autofree char *content = NULL;
	gsize n_bytes = 0;

	fixture_open(&self, "archive");
	object = fixture_find_size(&self, 17);
	content = read_object(&self, object, &n_bytes);
	for (gsize bit = 0; bit < n_bytes * 8; bit++) {
		g_autoptr(GError) error = NULL;

		content[bit / 8] ^= (char)(1 << (bit % 8));
		write_object(&self, object, content, n_bytes);
		content[bit / 8] ^= (char)(1 << (bit % 8));
		/* The last byte may end in bits that mean nothing to deflate. */
		if (bit >= (n_bytes - 1) * 8 && is_good(&self, object, NULL))
			continue;
		g_assert_false(is_good(&self, object, &error));
		g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED);
	}
}

static void
test_large_file_is_never_given_out_whole_when_altered(void)
{
	g_auto(Fixture) self;
	g_autoptr(GError) error = NULL;
	const SatchelClosureObject *object;
	g_autofree char *content = NULL;
	gsize n_bytes = 0;

	fixture_open(&self, "archive");
	object = fixture_find_size(&self, 300000);
	content = read_object(&self, object, &n_bytes);
	content[n_bytes - 5000] ^= 4;
	write_object(&self, object, content, n_bytes);
	g_assert_false(is_good(&self, object, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED);
}

static void
test_truncated_file_is_refused_at_every_length(void)
{
	g_auto(Fixture) self;
	const SatchelClosureObject *object;
	g_autofree char *content = NULL;
	gsize n_bytes = 0;

	fixture_open(&self, "archive");
	object = fixture_find_size(&self, 17);
	content = read_object(&self, object, &n_bytes);
	for (gsize length = 0; length < n_bytes; length++) {
		g_autoptr(GError) error = NULL;

		write_object(&self, object, content, length);
		g_assert_false(is_good(&self, object, &error));
		g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED);
	}
}

static void
test_bytes_behind_a_file_object_are_refused(void)
{
	g_auto(Fixture) self;
	static const guint64 sizes[] = {17, 300000, 0};

	fixture_open(&self, "archive");
	for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
		const SatchelClosureObject *object = fixture_find_size(&self, sizes[i]);
		g_autoptr(GError) error = NULL;
		gsize n_bytes = 0;
		g_autofree char *content = read_object(&self, object, &n_bytes);

		content = g_realloc(content, n_bytes + 1);
		content[n_bytes] = 0;
		write_object(&self, object, content, n_bytes + 1);
		g_assert_false(is_good(&self, object, &error));
		g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED);
	}
}

static void
test_one_object_under_the_name_of_another_is_refused(void)
{
	g_auto(Fixture) self;
	g_autoptr(GError) error = NULL;
	const SatchelClosureObject *object, *other;
	g_autofree char *content = NULL;
	gsize n_bytes = 0;

	fixture_open(&self, "archive");
	object = fixture_find_size(&self, 5);
	other = fixture_find_size(&self, 3);
	content = read_object(&self, other, &n_bytes);
	write_object(&self, object, content, n_bytes);
	g_assert_false(is_good(&self, object, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED);
}

static void
test_link_in_place_of_an_object_is_not_followed(void)
{
	g_auto(Fixture) self;
	g_autoptr(GError) error = NULL;
	const SatchelClosureObject *object;
	g_autofree char *path = NULL;
	g_autofree char *elsewhere = NULL;

	fixture_open(&self, "archive");
	object = fixture_find_size(&self, 5);
	path = ostree_bundle_object(&self.bundle, object->type, name_of(object));
	elsewhere = g_build_filename(self.bundle.dir, "elsewhere", NULL);
	g_assert_cmpint(rename(path, elsewhere), ==, 0);
	g_assert_cmpint(symlink(elsewhere, path), ==, 0);
	g_assert_false(is_good(&self, object, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED);
}

static void
test_fifo_in_place_of_an_object_does_not_hang(void)
{
	g_auto(Fixture) self;
	g_autoptr(GError) error = NULL;
	const SatchelClosureObject *object;
	g_autofree char *path = NULL;

	fixture_open(&self, "archive");
	object = fixture_find(&self, SATCHEL_OBJECT_DIR_META, 0);
	path = ostree_bundle_object(&self.bundle, object->type, name_of(object));
	remove_object(&self, object);
	g_assert_cmpint(mkfifo(path, 0644), ==, 0);
	g_assert_null(satchel_closure_repo_load(self.repo, object->type, name_of(object), &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED);
}

static void
test_file_without_its_attribute_is_refused(void)
{
	g_auto(Fixture) self = {0};
	g_autoptr(GError) error = NULL;
	g_autofree char *path = NULL;
	g_autofree char *name = NULL;
	const SatchelClosureObject *object;

	if (!ostree_bundle_can_have_attributes())
		return;
	fixture_open(&self, "bare-user");
	object = fixture_find_size(&self, 300000);
	name = satchel_object_path(SATCHEL_OBJECT_FILE, name_of(object), FALSE);
	path = g_build_filename(self.bundle.bundle, "ostree_repo/objects", name, NULL);
	g_assert_cmpint(removexattr(path, "user.ostreemeta"), ==, 0);
	g_assert_false(is_good(&self, object, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED);
	g_assert_nonnull(strstr(error->message, "user.ostreemeta"));
	g_clear_error(&error);
	g_assert_cmpint(setxattr(path, "user.ostreemeta", "x", 1, 0), ==, 0);
	g_assert_false(is_good(&self, object, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED);
}

static void
test_owner_and_mode_of_a_bare_file_are_hashed(void)
{
	g_auto(Fixture) self = {0};
	g_autoptr(GError) error = NULL;
	g_autofree char *path = NULL;
	g_autofree char *name = NULL;
	const SatchelClosureObject *object;

	if (!ostree_bundle_can_have_attributes())
		return;
	fixture_open(&self, "bare");
	object = fixture_find_size(&self, 300000);
	name = satchel_object_path(SATCHEL_OBJECT_FILE, name_of(object), FALSE);
	path = g_build_filename(self.bundle.bundle, "ostree_repo/objects", name, NULL);
	g_assert_cmpint(chmod(path, 04755), ==, 0);
	g_assert_false(is_good(&self, object, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED);
	g_clear_error(&error);
	g_assert_cmpint(chmod(path, 0644), ==, 0);
	g_assert_true(is_good(&self, object, &error));
	g_assert_no_error(error);
	g_assert_cmpint(setxattr(path, "user.other", "x", 1, 0), ==, 0);
	g_assert_false(is_good(&self, object, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED);
}

static void
test_claimed_size_of_a_missing_file_is_missing_content(void)
{
	g_auto(Fixture) self;
	g_autoptr(GError) error = NULL;
	g_autofree char *other = g_strnfill(64, 'a');
	guint64 size_bytes = 99;

	fixture_open(&self, "archive");
	g_assert_cmpuint(satchel_closure_repo_most_bytes(self.repo, G_MAXUINT64), ==, G_MAXUINT64);
	g_assert_false(
		satchel_closure_repo_claimed_size(self.repo, other, 100, &size_bytes, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_NO_TARGET_CONTENT);
	g_assert_cmpuint(size_bytes, ==, 0);
}

static void
test_size_of_a_file_stored_as_it_is_needs_no_look(void)
{
	g_auto(Fixture) self;
	g_autoptr(GError) error = NULL;
	g_autofree char *absent = g_strnfill(64, 'a');
	guint64 size_bytes = 99;

	fixture_open(&self, "bare-user-only");
	g_assert_true(
		satchel_closure_repo_claimed_size(self.repo, absent, 100, &size_bytes, &error));
	g_assert_cmpuint(size_bytes, ==, 100);
	g_assert_cmpuint(satchel_closure_repo_most_bytes(self.repo, 100), ==, 100);
}

static void
test_claimed_size_of_a_cut_file_is_an_error(void)
{
	g_auto(Fixture) self;
	g_autoptr(GError) error = NULL;
	const SatchelClosureObject *object;
	guint64 size_bytes = 99;

	fixture_open(&self, "archive");
	object = fixture_find_size(&self, 300000);
	write_object(&self, object, "too short", 9);
	g_assert_false(satchel_closure_repo_claimed_size(self.repo, name_of(object), 9, &size_bytes,
							 &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED);
	g_assert_cmpuint(size_bytes, ==, 0);
}

/* Stores a variant under its own hash; what the hash of a hostile object looks like to a parent
 * that somebody signed without looking. (transfer full) */
static char *
store_object(const Fixture *self, SatchelObjectType type, GVariant *floating)
{
	g_autoptr(GVariant) variant = g_variant_ref_sink(floating);
	SatchelClosureObject object = {.type = type};
	g_autofree char *path = NULL;
	g_autofree char *folder = NULL;
	char *checksum =
		satchel_digest_sha256_hex(g_variant_get_data(variant), g_variant_get_size(variant));

	g_assert_true(satchel_hex_to_sha256(checksum, object.checksum));
	path = ostree_bundle_object(&self->bundle, type, checksum);
	folder = g_path_get_dirname(path);
	g_assert_cmpint(g_mkdir_with_parents(folder, 0755), ==, 0);
	write_object(self, &object, g_variant_get_data(variant), g_variant_get_size(variant));
	return checksum;
}

static GVariant *
checksum_variant(const char *checksum)
{
	g_autoptr(GBytes) raw = satchel_hex_decode(checksum);

	return g_variant_new_from_bytes(G_VARIANT_TYPE_BYTESTRING, raw, TRUE);
}

static char *
store_commit(const Fixture *self, const char *tree, const char *meta)
{
	return store_object(self, SATCHEL_OBJECT_COMMIT,
			    g_variant_new("(@a{sv}@ay@a(say)sst@ay@ay)",
					  g_variant_new("a{sv}", NULL),
					  g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, "", 0, 1),
					  g_variant_new_array(G_VARIANT_TYPE("(say)"), NULL, 0),
					  "subject", "body", GUINT64_TO_BE(1),
					  checksum_variant(tree), checksum_variant(meta)));
}

/* A tree with one folder of that name in it. */
static char *
store_tree(const Fixture *self, const char *name, const char *tree, const char *meta)
{
	g_auto(GVariantBuilder) folders = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("a(sayay)"));

	if (name != NULL)
		g_variant_builder_add(&folders, "(s@ay@ay)", name, checksum_variant(tree),
				      checksum_variant(meta));
	return store_object(self, SATCHEL_OBJECT_DIR_TREE,
			    g_variant_new("(@a(say)@a(sayay))",
					  g_variant_new_array(G_VARIANT_TYPE("(say)"), NULL, 0),
					  g_variant_builder_end(&folders)));
}

static void
assert_commit_not_listed(const Fixture *self, const char *commit, const char *words)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(
		satchel_closure_list(self->repo, (const char *const[]){commit, NULL}, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED);
	if (strstr(error->message, words) == NULL)
		g_error("'%s' is not in '%s'", words, error->message);
}

static void
test_metadata_of_the_right_hash_and_the_wrong_form_is_refused(void)
{
	g_auto(Fixture) self;
	g_autofree char *bad_meta = NULL;
	g_autofree char *bad_tree = NULL;
	g_autofree char *bad_commit = NULL;
	g_autofree char *good_tree = NULL;
	g_autofree char *commit_of_bad_tree = NULL;
	g_autofree char *commit_of_bad_meta = NULL;
	const char *meta;

	fixture_open(&self, "archive");
	meta = name_of(fixture_find(&self, SATCHEL_OBJECT_DIR_META, 0));
	good_tree = store_tree(&self, NULL, NULL, NULL);
	bad_tree = store_tree(&self, "..", good_tree, meta);
	bad_meta = store_object(&self, SATCHEL_OBJECT_DIR_META, g_variant_new_uint32(0));
	bad_commit = store_object(&self, SATCHEL_OBJECT_COMMIT, g_variant_new_uint32(0));
	commit_of_bad_tree = store_commit(&self, bad_tree, meta);
	commit_of_bad_meta = store_commit(&self, good_tree, bad_meta);
	assert_commit_not_listed(&self, commit_of_bad_tree, ".dirtree: ");
	assert_commit_not_listed(&self, commit_of_bad_meta, ".dirmeta: ");
	assert_commit_not_listed(&self, bad_commit, ".commit: ");
}

static void
test_folders_nested_too_deeply_are_refused(void)
{
	g_auto(Fixture) self;
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelClosureList) list = NULL;
	g_autofree char *good = NULL;
	g_autofree char *deep = NULL;
	g_autofree char *tree = NULL;
	const char *meta;

	fixture_open(&self, "archive");
	meta = name_of(fixture_find(&self, SATCHEL_OBJECT_DIR_META, 0));
	tree = store_tree(&self, NULL, NULL, NULL);
	for (guint i = 1; i < SATCHEL_LIMIT_OSTREE_DEPTH; i++) {
		g_autofree char *inner = g_steal_pointer(&tree);

		tree = store_tree(&self, "a", inner, meta);
	}
	good = store_commit(&self, tree, meta);
	list = satchel_closure_list(self.repo, (const char *const[]){good, NULL}, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(list->objects->len, ==, SATCHEL_LIMIT_OSTREE_DEPTH + 2);
	g_assert_cmpuint(list->n_files, ==, 0);
	{
		g_autofree char *inner = g_steal_pointer(&tree);

		tree = store_tree(&self, "a", inner, meta);
	}
	deep = store_commit(&self, tree, meta);
	assert_commit_not_listed(&self, deep, "nested");
}

static void
test_file_that_is_cut_while_it_is_read_is_refused(void)
{
	g_auto(Fixture) self;
	g_auto(SatchelFileHeader) header = {0};
	g_autoptr(GError) error = NULL;
	g_autoptr(GInputStream) stored = NULL;
	g_autoptr(GInputStream) content = NULL;
	g_autofree char *member = NULL;
	g_autofree char *path = NULL;
	const SatchelClosureObject *object;
	guint8 buffer[4096];
	gssize n_bytes;

	fixture_open(&self, "archive");
	object = fixture_find_size(&self, 300000);
	path = ostree_bundle_object(&self.bundle, object->type, name_of(object));
	member = satchel_closure_repo_member(self.repo, SATCHEL_OBJECT_FILE, name_of(object));
	stored = satchel_bundle_reader_open_member(self.reader, member, NULL, &error);
	g_assert_no_error(error);
	content = satchel_object_stream_new_archive(g_steal_pointer(&stored), member,
						    name_of(object), &header, &error);
	g_assert_no_error(error);
	g_assert_cmpint(g_input_stream_read(content, buffer, sizeof buffer, NULL, &error), >, 0);
	g_assert_cmpint(truncate(path, 100), ==, 0);
	while ((n_bytes = g_input_stream_read(content, buffer, sizeof buffer, NULL, &error)) > 0)
		continue;
	g_assert_cmpint(n_bytes, ==, -1);
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED);
	g_clear_error(&error);
	/* And it stays refused. */
	g_assert_cmpint(g_input_stream_read(content, buffer, sizeof buffer, NULL, &error), ==, -1);
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED);
}

static void
assert_config_is_refused(const char *config)
{
	g_auto(OstreeBundle) bundle = ostree_bundle_new("archive");
	g_autoptr(SatchelBundleReader) reader = NULL;
	g_autoptr(GError) error = NULL;

	if (config != NULL) {
		ostree_bundle_write(bundle.bundle, "ostree_repo/config", config, strlen(config),
				    0644);
	} else {
		g_autofree char *path = g_build_filename(bundle.bundle, "ostree_repo/config", NULL);

		g_assert_cmpint(unlink(path), ==, 0);
	}
	reader = satchel_bundle_reader_open(bundle.bundle, &error);
	g_assert_no_error(error);
	g_assert_null(satchel_closure_repo_open(reader, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_NO_TARGET_CONTENT);
}

static void
test_foreign_repositories_are_no_content(void)
{
	assert_config_is_refused(NULL);
	assert_config_is_refused("");
	assert_config_is_refused("not a key file");
	assert_config_is_refused("[core]\nmode=archive\n");
	assert_config_is_refused("[core]\nrepo_version=2\nmode=archive\n");
	assert_config_is_refused("[core]\nrepo_version=1\n");
	assert_config_is_refused("[core]\nrepo_version=1\nmode=bare-split-xattrs\n");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/ostree-closure/list-is-what-libostree-finds",
			test_list_is_what_libostree_finds);
	g_test_add_func("/ostree-closure/list-goes-from-commit-over-trees-to-files",
			test_list_goes_from_commit_over_trees_to_files);
	g_test_add_func("/ostree-closure/commit-given-twice-is-listed-once",
			test_commit_given_twice_is_listed_once);
	g_test_add_data_func("/ostree-closure/every-object-of-a-real-archive-repository-is-good",
			     "archive", test_every_object_of_a_real_repository_is_good);
	g_test_add_data_func("/ostree-closure/every-object-of-a-real-bare-repository-is-good",
			     "bare", test_every_object_of_a_real_repository_is_good);
	g_test_add_data_func("/ostree-closure/every-object-of-a-real-bare-user-repository-is-good",
			     "bare-user", test_every_object_of_a_real_repository_is_good);
	g_test_add_data_func(
		"/ostree-closure/every-object-of-a-real-bare-user-only-repository-is-good",
		"bare-user-only", test_every_object_of_a_real_repository_is_good);
	g_test_add_func("/ostree-closure/file-content-comes-back", test_file_content_comes_back);
	g_test_add_func("/ostree-closure/missing-commit-is-missing-content",
			test_missing_commit_is_missing_content);
	g_test_add_func("/ostree-closure/missing-file-is-listed-as-missing",
			test_missing_file_is_listed_as_missing);
	g_test_add_func("/ostree-closure/missing-tree-is-missing-content",
			test_missing_tree_is_missing_content);
	g_test_add_func("/ostree-closure/one-flipped-bit-in-metadata-is-refused",
			test_one_flipped_bit_in_metadata_is_refused);
	g_test_add_func("/ostree-closure/no-flipped-bit-in-a-file-passes",
			test_no_flipped_bit_in_a_file_passes);
	g_test_add_func("/ostree-closure/large-file-is-never-given-out-whole-when-altered",
			test_large_file_is_never_given_out_whole_when_altered);
	g_test_add_func("/ostree-closure/truncated-file-is-refused-at-every-length",
			test_truncated_file_is_refused_at_every_length);
	g_test_add_func("/ostree-closure/bytes-behind-a-file-object-are-refused",
			test_bytes_behind_a_file_object_are_refused);
	g_test_add_func("/ostree-closure/one-object-under-the-name-of-another-is-refused",
			test_one_object_under_the_name_of_another_is_refused);
	g_test_add_func("/ostree-closure/link-in-place-of-an-object-is-not-followed",
			test_link_in_place_of_an_object_is_not_followed);
	g_test_add_func("/ostree-closure/fifo-in-place-of-an-object-does-not-hang",
			test_fifo_in_place_of_an_object_does_not_hang);
	g_test_add_func("/ostree-closure/file-without-its-attribute-is-refused",
			test_file_without_its_attribute_is_refused);
	g_test_add_func("/ostree-closure/owner-and-mode-of-a-bare-file-are-hashed",
			test_owner_and_mode_of_a_bare_file_are_hashed);
	g_test_add_func("/ostree-closure/claimed-size-of-a-missing-file-is-missing-content",
			test_claimed_size_of_a_missing_file_is_missing_content);
	g_test_add_func("/ostree-closure/size-of-a-file-stored-as-it-is-needs-no-look",
			test_size_of_a_file_stored_as_it_is_needs_no_look);
	g_test_add_func("/ostree-closure/claimed-size-of-a-cut-file-is-an-error",
			test_claimed_size_of_a_cut_file_is_an_error);
	g_test_add_func("/ostree-closure/metadata-of-the-right-hash-and-the-wrong-form-is-refused",
			test_metadata_of_the_right_hash_and_the_wrong_form_is_refused);
	g_test_add_func("/ostree-closure/folders-nested-too-deeply-are-refused",
			test_folders_nested_too_deeply_are_refused);
	g_test_add_func("/ostree-closure/file-that-is-cut-while-it-is-read-is-refused",
			test_file_that_is_cut_while_it_is_read_is_refused);
	g_test_add_func("/ostree-closure/foreign-repositories-are-no-content",
			test_foreign_repositories_are_no_content);
	return g_test_run();
}
