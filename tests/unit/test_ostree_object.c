#include "../../verify/hex.h"
#include "../../verify/ostree_object.h"
#include <string.h>
#include <sys/stat.h>

#define SHA_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define SHA_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static GVariant *
checksum(const char *hex)
{
	g_autoptr(GBytes) raw = satchel_hex_decode(hex);

	return g_variant_new_from_bytes(G_VARIANT_TYPE_BYTESTRING, raw, TRUE);
}

static GBytes *
bytes_of(GVariant *floating)
{
	g_autoptr(GVariant) variant = g_variant_ref_sink(floating);

	return g_variant_get_data_as_bytes(variant);
}

static GVariant *
no_xattrs(void)
{
	return g_variant_new_array(G_VARIANT_TYPE("(ayay)"), NULL, 0);
}

static GVariant *
one_xattr(const char *name, gsize n_bytes)
{
	GVariant *pair = g_variant_new(
		"(@ay@ay)", g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, name, n_bytes, 1),
		g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, "value", 5, 1));

	return g_variant_new_array(NULL, &pair, 1);
}

static GBytes *
commit(guint64 timestamp_s, GVariant *tree, GVariant *meta)
{
	return bytes_of(g_variant_new("(@a{sv}@ay@a(say)sst@ay@ay)", g_variant_new("a{sv}", NULL),
				      g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, "", 0, 1),
				      g_variant_new_array(G_VARIANT_TYPE("(say)"), NULL, 0),
				      "subject", "body", GUINT64_TO_BE(timestamp_s), tree, meta));
}

static GBytes *
dirmeta(guint32 mode, GVariant *xattrs)
{
	return bytes_of(g_variant_new("(uuu@a(ayay))", 0, 0, GUINT32_TO_BE(mode), xattrs));
}

/* Names end with NULL; @files first, then @folders. */
static GBytes *
tree(const char *const *files, const char *const *folders)
{
	g_auto(GVariantBuilder) file_list = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("a(say)"));
	g_auto(GVariantBuilder) folder_list = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("a(sayay)"));

	for (; *files != NULL; files++)
		g_variant_builder_add(&file_list, "(s@ay)", *files, checksum(SHA_A));
	for (; *folders != NULL; folders++)
		g_variant_builder_add(&folder_list, "(s@ay@ay)", *folders, checksum(SHA_A),
				      checksum(SHA_B));
	return bytes_of(g_variant_new("(@a(say)@a(sayay))", g_variant_builder_end(&file_list),
				      g_variant_builder_end(&folder_list)));
}

static const char *const none[] = {NULL};

/* A `.filez` without its content. */
static GByteArray *
archive_header(guint64 size_bytes, guint32 mode, guint32 device, const char *target,
	       GVariant *xattrs)
{
	g_autoptr(GBytes) body = bytes_of(g_variant_new(
		"(tuuuus@a(ayay))", GUINT64_TO_BE(size_bytes), GUINT32_TO_BE(1), GUINT32_TO_BE(2),
		GUINT32_TO_BE(mode), GUINT32_TO_BE(device), target, xattrs));
	guint32 length = GUINT32_TO_BE((guint32)g_bytes_get_size(body));
	GByteArray *header = g_byte_array_new();

	g_byte_array_append(header, (guint8 *)&length, 4);
	g_byte_array_append(header, (const guint8 *)"\0\0\0\0", 4);
	g_byte_array_append(header, g_bytes_get_data(body, NULL), (guint)g_bytes_get_size(body));
	return header;
}

static void
test_paths_are_those_of_ostree(void)
{
	g_autofree char *archived = satchel_object_path(SATCHEL_OBJECT_FILE, SHA_A, TRUE);
	g_autofree char *bare = satchel_object_path(SATCHEL_OBJECT_FILE, SHA_A, FALSE);
	g_autofree char *dirtree = satchel_object_path(SATCHEL_OBJECT_DIR_TREE, SHA_A, TRUE);
	g_autofree char *meta = satchel_object_path(SATCHEL_OBJECT_DIR_META, SHA_A, TRUE);
	g_autofree char *top = satchel_object_path(SATCHEL_OBJECT_COMMIT, SHA_A, TRUE);

	g_assert_true(g_str_has_prefix(archived, "aa/aaaa"));
	g_assert_cmpuint(strlen(archived), ==, 3 + 62 + strlen(".filez"));
	g_assert_true(g_str_has_suffix(archived, "a.filez"));
	g_assert_true(g_str_has_suffix(bare, "a.file"));
	g_assert_true(g_str_has_suffix(dirtree, "a.dirtree"));
	g_assert_true(g_str_has_suffix(meta, "a.dirmeta"));
	g_assert_true(g_str_has_suffix(top, "a.commit"));
}

static void
test_commit_gives_tree_meta_and_time(void)
{
	g_autoptr(GBytes) bytes = commit(1700000000, checksum(SHA_A), checksum(SHA_B));
	g_autoptr(GError) error = NULL;
	SatchelCommit parsed;

	g_assert_true(satchel_commit_parse(bytes, &parsed, &error));
	g_assert_no_error(error);
	g_assert_cmpstr(parsed.root_tree, ==, SHA_A);
	g_assert_cmpstr(parsed.root_meta, ==, SHA_B);
	g_assert_cmpint(parsed.timestamp_s, ==, 1700000000);
}

static void
assert_commit_refused(GBytes *bytes)
{
	g_autoptr(GError) error = NULL;
	SatchelCommit parsed;

	g_assert_false(satchel_commit_parse(bytes, &parsed, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_CONTENT_INVALID);
}

static void
test_malformed_commits_are_refused(void)
{
	g_autoptr(GBytes) good = commit(1, checksum(SHA_A), checksum(SHA_B));
	g_autoptr(GBytes) late = commit(G_MAXUINT64, checksum(SHA_A), checksum(SHA_B));
	g_autoptr(GBytes) short_tree = commit(1, checksum("aa"), checksum(SHA_B));
	g_autoptr(GBytes) long_meta = commit(1, checksum(SHA_A), checksum(SHA_B "00"));
	g_autoptr(GBytes) empty = g_bytes_new(NULL, 0);
	g_autoptr(GBytes) cut = g_bytes_new_from_bytes(good, 0, g_bytes_get_size(good) - 1);

	assert_commit_refused(late);
	assert_commit_refused(short_tree);
	assert_commit_refused(long_meta);
	assert_commit_refused(empty);
	assert_commit_refused(cut);
}

static void
test_too_large_an_object_is_refused(void)
{
	gsize n_bytes = (gsize)SATCHEL_LIMIT_OSTREE_METADATA_BYTES + 1;
	g_autoptr(GBytes) bytes = g_bytes_new_take(g_malloc0(n_bytes), n_bytes);

	assert_commit_refused(bytes);
}

static void
test_tree_gives_files_then_folders(void)
{
	g_autoptr(GBytes) bytes = tree((const char *const[]){"b", "caf\xc3\xa9", NULL},
				       (const char *const[]){"a", "z", NULL});
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelTree) parsed = satchel_tree_parse(bytes, &error);
	static const char *const names[] = {"b", "caf\xc3\xa9", "a", "z"};

	g_assert_no_error(error);
	g_assert_cmpuint(satchel_tree_get_n_entries(parsed), ==, 4);
	for (guint i = 0; i < 4; i++) {
		const SatchelTreeEntry *entry = satchel_tree_get_entry(parsed, i);
		char checksum[65];

		g_assert_cmpstr(entry->name, ==, names[i]);
		satchel_hex_from_sha256(entry->checksum, checksum);
		g_assert_cmpstr(checksum, ==, SHA_A);
		g_assert_true((entry->meta_checksum == NULL) == (i < 2));
		if (entry->meta_checksum != NULL) {
			satchel_hex_from_sha256(entry->meta_checksum, checksum);
			g_assert_cmpstr(checksum, ==, SHA_B);
		}
	}
}

static void
assert_tree_refused(GBytes *bytes)
{
	g_autoptr(GError) error = NULL;
	SatchelTree *parsed = satchel_tree_parse(bytes, &error);

	g_assert_null(parsed);
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_CONTENT_INVALID);
}

static void
test_names_that_leave_the_folder_are_refused(void)
{
	g_autofree char *overlong = g_strnfill(SATCHEL_LIMIT_NAME_BYTES + 1, 'a');
	const char *const names[] = {"", ".", "..", "a/b", "/", "../etc", overlong};

	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		const char *const one[] = {names[i], NULL};
		g_autoptr(GBytes) file = tree(one, none);
		g_autoptr(GBytes) folder = tree(none, one);

		assert_tree_refused(file);
		assert_tree_refused(folder);
	}
}

static void
test_names_out_of_order_or_twice_are_refused(void)
{
	static const char *const twice[] = {"a", "a", NULL};
	static const char *const backwards[] = {"b", "a", NULL};
	g_autoptr(GBytes) files_twice = tree(twice, none);
	g_autoptr(GBytes) folders_twice = tree(none, twice);
	g_autoptr(GBytes) files_backwards = tree(backwards, none);
	g_autoptr(GBytes) folders_backwards = tree(none, backwards);

	assert_tree_refused(files_twice);
	assert_tree_refused(folders_twice);
	assert_tree_refused(files_backwards);
	assert_tree_refused(folders_backwards);
}

static void
test_a_name_of_a_file_and_a_folder_is_refused(void)
{
	g_autoptr(GBytes) bytes = tree((const char *const[]){"a", "b", "x", NULL},
				       (const char *const[]){"c", "x", NULL});

	assert_tree_refused(bytes);
}

static void
test_malformed_trees_are_refused(void)
{
	g_autoptr(GBytes) good = tree((const char *const[]){"a", NULL}, none);
	g_autoptr(GBytes) cut = g_bytes_new_from_bytes(good, 0, g_bytes_get_size(good) - 1);
	g_autoptr(GBytes) short_file =
		bytes_of(g_variant_new_parsed("([('a', %@ay)], @a(sayay) [])", checksum("aa")));
	g_autoptr(GBytes) short_meta = bytes_of(g_variant_new_parsed(
		"(@a(say) [], [('a', %@ay, %@ay)])", checksum(SHA_A), checksum("aa")));

	assert_tree_refused(cut);
	assert_tree_refused(short_file);
	assert_tree_refused(short_meta);
}

static void
test_an_empty_tree_is_good(void)
{
	g_autoptr(GBytes) bytes = tree(none, none);
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelTree) parsed = satchel_tree_parse(bytes, &error);

	g_assert_no_error(error);
	g_assert_cmpuint(satchel_tree_get_n_entries(parsed), ==, 0);
	satchel_tree_free(NULL);
}

static void
test_dirmeta_is_that_of_a_folder(void)
{
	g_autoptr(GBytes) good = dirmeta(S_IFDIR | 01777, one_xattr("user.a", 7));
	g_autoptr(GError) error = NULL;

	g_assert_true(satchel_dirmeta_parse(good, &error));
	g_assert_no_error(error);
}

static void
test_malformed_dirmeta_is_refused(void)
{
	GBytes *bad[] = {
		dirmeta(S_IFREG | 0755, no_xattrs()),
		dirmeta(0, no_xattrs()),
		dirmeta(S_IFDIR | 0755 | 0x10000, no_xattrs()),
		dirmeta(S_IFDIR | 0755, one_xattr("", 1)),
		dirmeta(S_IFDIR | 0755, one_xattr("user.a", 6)),
		dirmeta(S_IFDIR | 0755, one_xattr("us\0r.a", 7)),
		g_bytes_new("x", 1),
	};

	for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_false(satchel_dirmeta_parse(bad[i], &error));
		g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_CONTENT_INVALID);
		g_bytes_unref(bad[i]);
	}
}

static void
test_archive_header_gives_its_members(void)
{
	g_autoptr(GByteArray) data =
		archive_header(12345, S_IFREG | 04755, 0, "", one_xattr("user.a", 7));
	g_auto(SatchelFileHeader) header = {0};
	g_autoptr(GError) error = NULL;
	gsize n_header = data->len, consumed = 0;

	g_byte_array_append(data, (const guint8 *)"content", 7);
	g_assert_true(satchel_file_header_parse_archive(data->data, data->len, &header, &consumed,
							&error));
	g_assert_no_error(error);
	g_assert_cmpuint(consumed, ==, n_header);
	g_assert_cmpuint(header.size_bytes, ==, 12345);
	g_assert_cmpuint(header.uid, ==, 1);
	g_assert_cmpuint(header.gid, ==, 2);
	g_assert_cmpuint(header.mode, ==, S_IFREG | 04755);
	g_assert_null(header.symlink_target);
	g_assert_cmpuint(g_variant_n_children(header.xattrs), ==, 1);
	g_assert_cmpuint(satchel_file_header_peek_size_archive(data->data), ==, 12345);
}

static void
test_archive_header_of_a_link_has_its_target(void)
{
	g_autoptr(GByteArray) data = archive_header(0, S_IFLNK | 0777, 0, "../x", no_xattrs());
	g_auto(SatchelFileHeader) header = {0};
	g_autoptr(GError) error = NULL;
	gsize consumed = 0;

	g_assert_true(satchel_file_header_parse_archive(data->data, data->len, &header, &consumed,
							&error));
	g_assert_no_error(error);
	g_assert_cmpstr(header.symlink_target, ==, "../x");
}

static void
assert_header_refused(const GByteArray *data, gsize n_bytes)
{
	SatchelFileHeader header;
	g_autoptr(GError) error = NULL;
	gsize consumed = 99;

	g_assert_false(
		satchel_file_header_parse_archive(data->data, n_bytes, &header, &consumed, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_CONTENT_INVALID);
	g_assert_cmpuint(consumed, ==, 0);
	g_assert_null(header.xattrs);
	g_assert_null(header.symlink_target);
}

static void
test_impossible_files_are_refused(void)
{
	GByteArray *bad[] = {
		archive_header(1, S_IFDIR | 0755, 0, "", no_xattrs()),
		archive_header(1, S_IFIFO | 0755, 0, "", no_xattrs()),
		archive_header(1, S_IFCHR | 0755, 0, "", no_xattrs()),
		archive_header(1, S_IFREG | 0755 | 0x10000, 0, "", no_xattrs()),
		archive_header(1, S_IFREG | 0755, 7, "", no_xattrs()),
		archive_header(1, S_IFREG | 0755, 0, "target", no_xattrs()),
		archive_header(0, S_IFLNK | 0777, 0, "", no_xattrs()),
		archive_header(1, S_IFLNK | 0777, 0, "target", no_xattrs()),
		archive_header((guint64)G_MAXINT64 + 1, S_IFREG | 0644, 0, "", no_xattrs()),
		archive_header(1, S_IFREG | 0644, 0, "", one_xattr("", 1)),
	};

	for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
		assert_header_refused(bad[i], bad[i]->len);
		g_byte_array_unref(bad[i]);
	}
}

static void
test_a_header_cut_short_is_refused_at_every_length(void)
{
	g_autoptr(GByteArray) data = archive_header(1, S_IFREG | 0644, 0, "", no_xattrs());

	for (gsize length = 0; length < data->len; length++)
		assert_header_refused(data, length);
}

static void
test_a_huge_header_is_refused_before_it_is_read(void)
{
	g_autoptr(GByteArray) data = archive_header(1, S_IFREG | 0644, 0, "", no_xattrs());
	g_autoptr(GError) error = NULL;
	gsize length_bytes = 0;

	data->data[0] = 0xff;
	g_assert_false(satchel_file_header_length_archive(data->data, 8, &length_bytes, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_CONTENT_INVALID);
	g_assert_cmpuint(length_bytes, ==, 0);
}

static void
test_padding_is_zero(void)
{
	g_autoptr(GByteArray) data = archive_header(1, S_IFREG | 0644, 0, "", no_xattrs());

	data->data[6] = 1;
	assert_header_refused(data, data->len);
}

static void
test_a_header_that_is_not_in_normal_form_is_refused(void)
{
	g_autoptr(GByteArray) data = archive_header(1, S_IFREG | 0644, 0, "", no_xattrs());

	/* The last byte says where the link target ends. */
	data->data[data->len - 1] = 0xff;
	assert_header_refused(data, data->len);
}

static void
test_checksum_prefix_has_no_size(void)
{
	g_autoptr(GByteArray) one = archive_header(1, S_IFREG | 0644, 0, "", no_xattrs());
	g_autoptr(GByteArray) two = archive_header(2, S_IFREG | 0644, 0, "", no_xattrs());
	g_auto(SatchelFileHeader) header_one = {0};
	g_auto(SatchelFileHeader) header_two = {0};
	g_autoptr(GBytes) prefix_one = NULL;
	g_autoptr(GBytes) prefix_two = NULL;
	gsize consumed = 0;

	g_assert_true(satchel_file_header_parse_archive(one->data, one->len, &header_one, &consumed,
							NULL));
	g_assert_true(satchel_file_header_parse_archive(two->data, two->len, &header_two, &consumed,
							NULL));
	prefix_one = satchel_file_header_to_checksum_prefix(&header_one);
	prefix_two = satchel_file_header_to_checksum_prefix(&header_two);
	g_assert_true(g_bytes_equal(prefix_one, prefix_two));
	g_assert_cmpuint(g_bytes_get_size(prefix_one), ==, one->len - 8);
}

static void
test_ostreemeta_gives_owner_mode_and_attributes(void)
{
	g_autoptr(GBytes) attribute =
		bytes_of(g_variant_new("(uuu@a(ayay))", GUINT32_TO_BE(1), GUINT32_TO_BE(2),
				       GUINT32_TO_BE(S_IFREG | 0600), one_xattr("user.a", 7)));
	g_autoptr(GBytes) cut = g_bytes_new_from_bytes(attribute, 0, 5);
	g_auto(SatchelFileHeader) header = {0};
	g_autoptr(GError) error = NULL;

	g_assert_false(satchel_file_header_parse_ostreemeta(cut, &header, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_CONTENT_INVALID);
	g_clear_error(&error);
	g_assert_true(satchel_file_header_parse_ostreemeta(attribute, &header, &error));
	g_assert_no_error(error);
	g_assert_cmpuint(header.uid, ==, 1);
	g_assert_cmpuint(header.gid, ==, 2);
	g_assert_cmpuint(header.mode, ==, S_IFREG | 0600);
	g_assert_cmpuint(g_variant_n_children(header.xattrs), ==, 1);
	g_assert_true(satchel_file_header_check(&header, &error));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/ostree-object/paths-are-those-of-ostree", test_paths_are_those_of_ostree);
	g_test_add_func("/ostree-object/commit-gives-tree-meta-and-time",
			test_commit_gives_tree_meta_and_time);
	g_test_add_func("/ostree-object/malformed-commits-are-refused",
			test_malformed_commits_are_refused);
	g_test_add_func("/ostree-object/too-large-an-object-is-refused",
			test_too_large_an_object_is_refused);
	g_test_add_func("/ostree-object/tree-gives-files-then-folders",
			test_tree_gives_files_then_folders);
	g_test_add_func("/ostree-object/names-that-leave-the-folder-are-refused",
			test_names_that_leave_the_folder_are_refused);
	g_test_add_func("/ostree-object/names-out-of-order-or-twice-are-refused",
			test_names_out_of_order_or_twice_are_refused);
	g_test_add_func("/ostree-object/a-name-of-a-file-and-a-folder-is-refused",
			test_a_name_of_a_file_and_a_folder_is_refused);
	g_test_add_func("/ostree-object/malformed-trees-are-refused",
			test_malformed_trees_are_refused);
	g_test_add_func("/ostree-object/an-empty-tree-is-good", test_an_empty_tree_is_good);
	g_test_add_func("/ostree-object/dirmeta-is-that-of-a-folder",
			test_dirmeta_is_that_of_a_folder);
	g_test_add_func("/ostree-object/malformed-dirmeta-is-refused",
			test_malformed_dirmeta_is_refused);
	g_test_add_func("/ostree-object/archive-header-gives-its-members",
			test_archive_header_gives_its_members);
	g_test_add_func("/ostree-object/archive-header-of-a-link-has-its-target",
			test_archive_header_of_a_link_has_its_target);
	g_test_add_func("/ostree-object/impossible-files-are-refused",
			test_impossible_files_are_refused);
	g_test_add_func("/ostree-object/a-header-cut-short-is-refused-at-every-length",
			test_a_header_cut_short_is_refused_at_every_length);
	g_test_add_func("/ostree-object/a-huge-header-is-refused-before-it-is-read",
			test_a_huge_header_is_refused_before_it_is_read);
	g_test_add_func("/ostree-object/padding-is-zero", test_padding_is_zero);
	g_test_add_func("/ostree-object/a-header-that-is-not-in-normal-form-is-refused",
			test_a_header_that_is_not_in_normal_form_is_refused);
	g_test_add_func("/ostree-object/checksum-prefix-has-no-size",
			test_checksum_prefix_has_no_size);
	g_test_add_func("/ostree-object/ostreemeta-gives-owner-mode-and-attributes",
			test_ostreemeta_gives_owner_mode_and_attributes);
	return g_test_run();
}
