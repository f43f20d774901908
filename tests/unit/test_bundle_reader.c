#include "../../verify/bundle_form.h"
#include "../support/ostree_bundle.h"
#include <fcntl.h>
#include <sys/resource.h>

typedef struct {
	char *dir;
	SatchelBundleReader *reader;
} Fixture;

static void
fixture_open(Fixture *self)
{
	g_autoptr(GError) error = NULL;

	self->dir = ostree_bundle_temp_dir();
	ostree_bundle_write(self->dir, "tuf/targets.json", "12345", 5, 0644);
	self->reader = satchel_bundle_reader_open(self->dir, &error);
	g_assert_no_error(error);
}

static void
fixture_clear(Fixture *self)
{
	g_free(ostree_bundle_run((const char *const[]){"rm", "-rf", self->dir, NULL}));
	satchel_bundle_reader_free(self->reader);
	g_free(self->dir);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fixture, fixture_clear)

static char *
fixture_path(const Fixture *self, const char *member)
{
	return g_build_filename(self->dir, member, NULL);
}

static void
assert_unreadable(const Fixture *self, const char *member, SatchelError code)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *name = g_path_get_basename(member);

	g_assert_null(satchel_bundle_reader_read(self->reader, member, 100, &error));
	g_assert_error(error, SATCHEL_ERROR, (int)code);
	g_clear_error(&error);
	g_assert_null(satchel_bundle_reader_open_member(self->reader, member, NULL, &error));
	g_assert_error(error, SATCHEL_ERROR, (int)code);
	g_assert_nonnull(strstr(error->message, name));
}

static void
assert_no_bundle(const char *path, const char *words)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(satchel_bundle_reader_open(path, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND);
	g_assert_nonnull(strstr(error->message, words));
}

static void
test_only_a_folder_with_tuf_in_it_is_a_bundle(void)
{
	g_auto(Fixture) self;
	g_autofree char *absent = NULL;
	g_autofree char *file = NULL;
	g_autofree char *folder = NULL;
	g_autofree char *link = NULL;

	fixture_open(&self);
	absent = fixture_path(&self, "absent");
	file = fixture_path(&self, "tuf/targets.json");
	folder = fixture_path(&self, "tuf");
	assert_no_bundle(absent, "absent");
	assert_no_bundle(file, "neither a folder nor a packed bundle");
	assert_no_bundle(folder, "no folder tuf");
	link = fixture_path(&self, "tuf/tuf");
	g_assert_cmpint(symlink(folder, link), ==, 0);
	assert_no_bundle(folder, "no folder tuf");
}

static void
test_members_are_read_whole(void)
{
	g_auto(Fixture) self;
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(GInputStream) stream = NULL;
	g_autoptr(GError) error = NULL;
	guint64 size_bytes = 0;

	fixture_open(&self);
	bytes = satchel_bundle_reader_read(self.reader, "tuf/targets.json", 5, &error);
	g_assert_no_error(error);
	g_assert_cmpmem(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), "12345", 5);
	stream = satchel_bundle_reader_open_member(self.reader, "tuf/targets.json", &size_bytes,
						   &error);
	g_assert_no_error(error);
	g_assert_cmpuint(size_bytes, ==, 5);
	g_assert_cmpstr(satchel_bundle_reader_get_path(self.reader), ==, self.dir);
}

static void
test_an_empty_member_is_empty(void)
{
	g_auto(Fixture) self;
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(GError) error = NULL;

	fixture_open(&self);
	ostree_bundle_write(self.dir, "empty", "", 0, 0644);
	bytes = satchel_bundle_reader_read(self.reader, "empty", 0, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(g_bytes_get_size(bytes), ==, 0);
}

static void
test_a_longer_member_is_refused(void)
{
	g_auto(Fixture) self;
	g_autoptr(GError) error = NULL;

	fixture_open(&self);
	g_assert_null(satchel_bundle_reader_read(self.reader, "tuf/targets.json", 4, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED);
	g_assert_nonnull(strstr(error->message, "5 bytes"));
}

static void
test_absence_is_told_from_other_faults(void)
{
	g_auto(Fixture) self;
	g_autoptr(GError) error = NULL;

	fixture_open(&self);
	assert_unreadable(&self, "absent", SATCHEL_ERROR_METADATA_NOT_FOUND);
	assert_unreadable(&self, "absent/absent", SATCHEL_ERROR_METADATA_NOT_FOUND);
	g_assert_false(satchel_bundle_reader_has(self.reader, "absent", &error));
	g_assert_no_error(error);
	g_assert_true(satchel_bundle_reader_has(self.reader, "tuf/targets.json", &error));
	g_assert_no_error(error);
	g_assert_false(satchel_bundle_reader_has(self.reader, "tuf", &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED);
}

static void
test_unsafe_names_are_refused(void)
{
	static const char *const names[] = {
		"",	 "/etc/passwd", "../x", "tuf/../tuf/targets.json", "tuf//targets.json",
		"./tuf", "tuf/"};
	g_auto(Fixture) self;

	fixture_open(&self);
	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		SatchelBundleStat info;
		g_autoptr(GError) error = NULL;

		g_assert_null(satchel_bundle_reader_read(self.reader, names[i], 100, &error));
		g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED);
		g_clear_error(&error);
		g_assert_false(satchel_bundle_reader_stat(self.reader, names[i], &info, &error));
		g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED);
	}
}

static void
test_what_is_no_file_is_refused(void)
{
	g_auto(Fixture) self;
	g_autofree char *fifo = NULL;
	g_autofree char *link = NULL;

	fixture_open(&self);
	fifo = fixture_path(&self, "fifo");
	link = fixture_path(&self, "link");
	g_assert_cmpint(mkfifo(fifo, 0644), ==, 0);
	g_assert_cmpint(symlink("tuf/targets.json", link), ==, 0);
	assert_unreadable(&self, "fifo", SATCHEL_ERROR_DOWNLOAD_FAILED);
	assert_unreadable(&self, "link", SATCHEL_ERROR_DOWNLOAD_FAILED);
	assert_unreadable(&self, "tuf", SATCHEL_ERROR_DOWNLOAD_FAILED);
}

static void
test_links_on_the_way_are_not_followed(void)
{
	g_auto(Fixture) self;
	g_autofree char *link = NULL;
	g_autoptr(GError) error = NULL;
	SatchelBundleStat info;

	fixture_open(&self);
	link = fixture_path(&self, "link");
	g_assert_cmpint(symlink("tuf", link), ==, 0);
	assert_unreadable(&self, "link/targets.json", SATCHEL_ERROR_DOWNLOAD_FAILED);
	g_assert_false(satchel_bundle_reader_has(self.reader, "link/targets.json", &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED);
	g_clear_error(&error);
	g_assert_true(satchel_bundle_reader_stat(self.reader, "link", &info, &error));
	g_assert_true(S_ISLNK(info.mode));
}

static void
test_a_folder_that_goes_away_is_an_error(void)
{
	g_auto(Fixture) self;
	g_autofree char *tuf = NULL;
	g_autofree char *gone = NULL;

	fixture_open(&self);
	tuf = fixture_path(&self, "tuf");
	gone = fixture_path(&self, "gone");
	g_assert_cmpint(rename(tuf, gone), ==, 0);
	assert_unreadable(&self, "tuf/targets.json", SATCHEL_ERROR_METADATA_NOT_FOUND);
}

static gboolean
collect(const char *member, const SatchelBundleStat *info, gpointer user_data, GError **error)
{
	GHashTable *found = user_data;

	g_hash_table_insert(found, g_strdup(member), GUINT_TO_POINTER(info->mode & S_IFMT));
	return TRUE;
}

static void
test_a_walk_meets_all_but_folders_with_something_in_them(void)
{
	g_auto(Fixture) self;
	g_autoptr(GHashTable) found = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GError) error = NULL;
	g_autofree char *fifo = NULL;
	g_autofree char *link = NULL;
	g_autofree char *empty = NULL;

	fixture_open(&self);
	fifo = fixture_path(&self, "fifo");
	link = fixture_path(&self, "tuf/link");
	empty = fixture_path(&self, "tuf/empty");
	ostree_bundle_write(self.dir, "a/b/c/d\n", "x", 1, 0644);
	g_assert_cmpint(mkdir(empty, 0755), ==, 0);
	g_assert_cmpint(mkfifo(fifo, 0644), ==, 0);
	g_assert_cmpint(symlink("/", link), ==, 0);
	g_assert_true(satchel_bundle_reader_walk(self.reader, collect, found, &error));
	g_assert_no_error(error);
	g_assert_cmpuint(g_hash_table_size(found), ==, 5);
	g_assert_cmpint(GPOINTER_TO_UINT(g_hash_table_lookup(found, "tuf/empty")), ==, S_IFDIR);
	g_assert_cmpint(GPOINTER_TO_UINT(g_hash_table_lookup(found, "tuf/targets.json")), ==,
			S_IFREG);
	g_assert_cmpint(GPOINTER_TO_UINT(g_hash_table_lookup(found, "tuf/link")), ==, S_IFLNK);
	g_assert_cmpint(GPOINTER_TO_UINT(g_hash_table_lookup(found, "fifo")), ==, S_IFIFO);
	g_assert_cmpint(GPOINTER_TO_UINT(g_hash_table_lookup(found, "a/b/c/d\n")), ==, S_IFREG);
}

static void
test_members_of_many_folders_need_few_descriptors(void)
{
	g_auto(Fixture) self;
	struct rlimit before, few;

	fixture_open(&self);
	for (guint i = 0; i < 500; i++) {
		g_autofree char *member = g_strdup_printf("many/%u/member", i);

		ostree_bundle_write(self.dir, member, member, strlen(member), 0644);
	}
	g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &before), ==, 0);
	few = before;
	few.rlim_cur = 400;
	g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &few), ==, 0);
	for (guint i = 0; i < 1000; i++) {
		g_autofree char *member = g_strdup_printf("many/%u/member", i % 500);
		g_autoptr(GError) error = NULL;
		g_autoptr(GBytes) content =
			satchel_bundle_reader_read(self.reader, member, 100, &error);

		g_assert_no_error(error);
		g_assert_cmpmem(g_bytes_get_data(content, NULL), g_bytes_get_size(content), member,
				strlen(member));
	}
	g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &before), ==, 0);
}

static gboolean
stop_at_once(const char *member, const SatchelBundleStat *info, gpointer user_data, GError **error)
{
	guint *n_calls = user_data;

	(*n_calls)++;
	g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED, "enough");
	return FALSE;
}

static void
test_a_walk_ends_with_the_error_of_its_visitor(void)
{
	g_auto(Fixture) self;
	g_autoptr(GError) error = NULL;
	guint n_calls = 0;

	fixture_open(&self);
	ostree_bundle_write(self.dir, "tuf/another", "x", 1, 0644);
	g_assert_false(satchel_bundle_reader_walk(self.reader, stop_at_once, &n_calls, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED);
	g_assert_cmpuint(n_calls, ==, 1);
}

static void
test_a_walk_does_not_descend_for_ever(void)
{
	g_auto(Fixture) self;
	g_autofree char *name = g_strnfill(200, 'a');
	g_autoptr(GHashTable) found = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GError) error = NULL;
	int fd;

	fixture_open(&self);
	fd = open(self.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (guint i = 0; i < 25; i++) {
		int next;

		g_assert_cmpint(mkdirat(fd, name, 0755), ==, 0);
		next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(fd);
		fd = next;
	}
	close(fd);
	g_assert_false(satchel_bundle_reader_walk(self.reader, collect, found, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED);
}

static void
test_pieces_are_read_exactly_or_not_at_all(void)
{
	g_auto(Fixture) self;
	g_autoptr(GError) error = NULL;
	char piece[6] = "";

	fixture_open(&self);
	ostree_bundle_write(self.dir, "other", "abc", 3, 0644);
	g_assert_true(satchel_bundle_reader_read_at(self.reader, "tuf/targets.json", 1, piece, 3,
						    &error));
	g_assert_cmpstr(piece, ==, "234");
	g_assert_true(satchel_bundle_reader_read_at(self.reader, "other", 0, piece, 3, &error));
	g_assert_cmpstr(piece, ==, "abc");
	g_assert_true(satchel_bundle_reader_read_at(self.reader, "tuf/targets.json", 5, piece, 0,
						    &error));
	g_assert_false(satchel_bundle_reader_read_at(self.reader, "tuf/targets.json", 3, piece, 3,
						     &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED);
	g_assert_nonnull(strstr(error->message, "tuf/targets.json, byte 5: it ends there; the copy "
						"is incomplete"));
	g_clear_error(&error);
	g_assert_false(satchel_bundle_reader_read_at(self.reader, "other", G_MAXUINT64 - 1, piece,
						     3, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED);
	g_clear_error(&error);
	g_assert_false(satchel_bundle_reader_read_at(self.reader, "../x", 0, piece, 1, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED);
	g_clear_error(&error);
	g_assert_false(satchel_bundle_reader_read_at(self.reader, "absent", 0, piece, 1, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND);
}

static void
test_advice_about_anything_is_harmless(void)
{
	static const char *const names[] = {"tuf/targets.json", "tuf", "absent", "../x", ""};
	g_auto(Fixture) self;

	fixture_open(&self);
	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		satchel_bundle_reader_will_need(self.reader, names[i], 0, 5);
		satchel_bundle_reader_will_need(self.reader, names[i], G_MAXUINT64, G_MAXUINT64);
		satchel_bundle_reader_drop_cache(self.reader, names[i], 1, G_MAXUINT64);
	}
	test_members_are_read_whole();
}

#define MANIFEST_TEXT                                                                              \
	"#mtree\n"                                                                                 \
	"./z type=file size=7 sha256digest="                                                       \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n"                       \
	"./tuf/targets.json type=file size=5 sha256digest="                                        \
	"5994471abb01112afcc18159f6cc74b4f511b99806da59b3caf5a9c173cacfc5\n"

/* With this manifest, and accepted with its own hash; a NULL @sha256 stands for that. */
static gboolean
accept(const Fixture *self, const char *sha256, gint64 more_bytes, GError **error)
{
	g_autofree char *own = satchel_digest_sha256_hex(MANIFEST_TEXT, strlen(MANIFEST_TEXT));

	ostree_bundle_write(self->dir, SATCHEL_BUNDLE_MANIFEST, MANIFEST_TEXT,
			    strlen(MANIFEST_TEXT), 0644);
	return satchel_bundle_reader_accept_manifest(
		self->reader, sha256 != NULL ? sha256 : own,
		(guint64)((gint64)strlen(MANIFEST_TEXT) + more_bytes), error);
}

static void
test_an_accepted_manifest_tells_hashes_and_places(void)
{
	g_auto(Fixture) self;
	g_autoptr(GError) error = NULL;
	SatchelBundlePlace listed, first, other;
	const guint8 *sha256;

	fixture_open(&self);
	ostree_bundle_write(self.dir, "other", "abc", 3, 0644);
	g_assert_null(satchel_bundle_reader_get_signed_sha256(self.reader, "tuf/targets.json"));
	g_assert_true(accept(&self, NULL, 0, &error));
	g_assert_no_error(error);
	sha256 = satchel_bundle_reader_get_signed_sha256(self.reader, "tuf/targets.json");
	g_assert_cmphex(sha256[0], ==, 0x59);
	g_assert_cmphex(sha256[31], ==, 0xc5);
	g_assert_null(satchel_bundle_reader_get_signed_sha256(self.reader, "other"));
	/* Listed, and not even there. */
	g_assert_true(satchel_bundle_reader_find(self.reader, "z", &first, &error));
	g_assert_true(satchel_bundle_reader_find(self.reader, "tuf/targets.json", &listed, &error));
	g_assert_true(satchel_bundle_reader_find(self.reader, "other", &other, &error));
	g_assert_cmpuint(first.size_bytes, ==, 7);
	g_assert_cmpuint(listed.size_bytes, ==, 5);
	g_assert_cmpuint(other.size_bytes, ==, 3);
	g_assert_cmpuint(other.place, <, first.place);
	g_assert_cmpuint(first.place, <, listed.place);
	g_assert_false(satchel_bundle_reader_find(self.reader, "absent", &other, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND);
}

static void
test_a_manifest_that_was_not_signed_is_refused(void)
{
	static const char other[] =
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	const struct {
		const char *sha256;
		gint64 more_bytes;
	} cases[] = {
		{other, 0},
		{NULL, 1},
		{NULL, -1},
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_auto(Fixture) self;
		g_autoptr(GError) error = NULL;

		fixture_open(&self);
		g_assert_false(accept(&self, cases[i].sha256, cases[i].more_bytes, &error));
		g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_BUNDLE_INVALID);
		g_assert_null(
			satchel_bundle_reader_get_signed_sha256(self.reader, "tuf/targets.json"));
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/bundle-reader/only-a-folder-with-tuf-in-it-is-a-bundle",
			test_only_a_folder_with_tuf_in_it_is_a_bundle);
	g_test_add_func("/bundle-reader/members-are-read-whole", test_members_are_read_whole);
	g_test_add_func("/bundle-reader/an-empty-member-is-empty", test_an_empty_member_is_empty);
	g_test_add_func("/bundle-reader/a-longer-member-is-refused",
			test_a_longer_member_is_refused);
	g_test_add_func("/bundle-reader/absence-is-told-from-other-faults",
			test_absence_is_told_from_other_faults);
	g_test_add_func("/bundle-reader/unsafe-names-are-refused", test_unsafe_names_are_refused);
	g_test_add_func("/bundle-reader/what-is-no-file-is-refused",
			test_what_is_no_file_is_refused);
	g_test_add_func("/bundle-reader/links-on-the-way-are-not-followed",
			test_links_on_the_way_are_not_followed);
	g_test_add_func("/bundle-reader/a-folder-that-goes-away-is-an-error",
			test_a_folder_that_goes_away_is_an_error);
	g_test_add_func("/bundle-reader/members-of-many-folders-need-few-descriptors",
			test_members_of_many_folders_need_few_descriptors);
	g_test_add_func("/bundle-reader/a-walk-meets-all-but-folders-with-something-in-them",
			test_a_walk_meets_all_but_folders_with_something_in_them);
	g_test_add_func("/bundle-reader/a-walk-ends-with-the-error-of-its-visitor",
			test_a_walk_ends_with_the_error_of_its_visitor);
	g_test_add_func("/bundle-reader/a-walk-does-not-descend-for-ever",
			test_a_walk_does_not_descend_for_ever);
	g_test_add_func("/bundle-reader/pieces-are-read-exactly-or-not-at-all",
			test_pieces_are_read_exactly_or_not_at_all);
	g_test_add_func("/bundle-reader/advice-about-anything-is-harmless",
			test_advice_about_anything_is_harmless);
	g_test_add_func("/bundle-reader/an-accepted-manifest-tells-hashes-and-places",
			test_an_accepted_manifest_tells_hashes_and_places);
	g_test_add_func("/bundle-reader/a-manifest-that-was-not-signed-is-refused",
			test_a_manifest_that_was_not_signed_is_refused);
	return g_test_run();
}
