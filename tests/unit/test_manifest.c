#include "../../verify/hex.h"
#include "../../verify/manifest.h"
#include <archive.h>
#include <archive_entry.h>
#include <string.h>

#define SHA "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define LINE "./tuf/1.root.json type=file size=3 sha256digest=" SHA "\n"

/* In this order, which is not that of names. */
static const char *const paths[] = {
	"tuf/timestamp.json",
	"tuf/1.root.json",
	"ostree_repo/config",
	"ostree_repo/objects/ff/b.commit",
	"ostree_repo/objects/00/a.dirtree",
	"ostree_repo/objects/ff/c.filez",
	"apps/apps/a b/caf\xc3\xa9 #1=\\2*?[x]/uri",
};

static SatchelManifest *
sample(void)
{
	SatchelManifest *manifest = satchel_manifest_new();

	for (guint i = 0; i < G_N_ELEMENTS(paths); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_true(satchel_manifest_add(manifest, paths[i], i * 1000, SHA, &error));
		g_assert_no_error(error);
	}
	return manifest;
}

static GBytes *
text_of(const char *text)
{
	return g_bytes_new(text, strlen(text));
}

static void
assert_refused(const char *text, const char *words)
{
	g_autoptr(GBytes) bytes = text_of(text);
	g_autoptr(GError) error = NULL;
	SatchelManifest *manifest = satchel_manifest_parse(bytes, &error);

	g_assert_null(manifest);
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_BUNDLE_INVALID);
	if (strstr(error->message, words) == NULL)
		g_error("'%s' is not in '%s'", words, error->message);
}

static void
test_what_is_written_is_read_back_in_order(void)
{
	g_autoptr(SatchelManifest) written = sample();
	g_autoptr(GBytes) text = satchel_manifest_to_bytes(written);
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelManifest) read = satchel_manifest_parse(text, &error);
	g_autoptr(GBytes) again = NULL;

	g_assert_no_error(error);
	g_assert_cmpuint(satchel_manifest_get_n_members(read), ==, G_N_ELEMENTS(paths));
	for (guint i = 0; i < G_N_ELEMENTS(paths); i++) {
		SatchelManifestMember member = satchel_manifest_get_member(read, i);
		g_autofree char *sha256 = satchel_hex_encode(member.sha256, 32);

		g_assert_cmpstr(member.path, ==, paths[i]);
		g_assert_cmpuint(member.size_bytes, ==, i * 1000);
		g_assert_cmpstr(sha256, ==, SHA);
	}
	again = satchel_manifest_to_bytes(read);
	g_assert_true(g_bytes_equal(text, again));
}

static void
test_lookup_finds_members_and_no_others(void)
{
	g_autoptr(SatchelManifest) manifest = sample();

	guint index = G_MAXUINT;

	g_assert_true(satchel_manifest_lookup(manifest, "ostree_repo/config", &index));
	g_assert_cmpuint(index, ==, 2);
	g_assert_false(satchel_manifest_lookup(manifest, "ostree_repo", &index));
	g_assert_false(satchel_manifest_lookup(manifest, "", &index));
}

/* Enough of them that the table grows, and that paths meet in it. */
static void
test_many_members_are_found_again(void)
{
	g_autoptr(SatchelManifest) added = satchel_manifest_new();
	g_autoptr(SatchelManifest) read = NULL;
	g_autoptr(GBytes) text = NULL;
	g_autoptr(GError) error = NULL;

	for (guint i = 0; i < 5000; i++) {
		g_autofree char *path = g_strdup_printf("objects/%02x/%u", i % 256, i);

		g_assert_true(satchel_manifest_add(added, path, i, SHA, &error));
		g_assert_false(satchel_manifest_add(added, path, i, SHA, NULL));
	}
	text = satchel_manifest_to_bytes(added);
	read = satchel_manifest_parse(text, &error);
	g_assert_no_error(error);
	for (guint i = 0; i < 5000; i++) {
		g_autofree char *path = g_strdup_printf("objects/%02x/%u", i % 256, i);
		guint in_added = G_MAXUINT, in_read = G_MAXUINT;

		g_assert_true(satchel_manifest_lookup(added, path, &in_added));
		g_assert_true(satchel_manifest_lookup(read, path, &in_read));
		g_assert_cmpuint(in_added, ==, i);
		g_assert_cmpuint(in_read, ==, i);
		g_assert_cmpuint(satchel_manifest_get_member(read, i).size_bytes, ==, i);
	}
	g_assert_false(satchel_manifest_lookup(read, "objects/00/5000", &(guint){0}));
}

/* libarchive, and so bsdtar, reads the same members in the same order. */
static void
test_libarchive_reads_the_same(void)
{
	g_autoptr(SatchelManifest) manifest = sample();
	g_autoptr(GBytes) text = satchel_manifest_to_bytes(manifest);
	struct archive *reader = archive_read_new();
	struct archive_entry *entry = NULL;
	gsize n_bytes = 0;
	const void *data = g_bytes_get_data(text, &n_bytes);

	archive_read_support_format_mtree(reader);
	g_assert_cmpint(archive_read_open_memory(reader, data, n_bytes), ==, ARCHIVE_OK);
	for (guint i = 0; i < G_N_ELEMENTS(paths); i++) {
		g_autofree char *expected = g_strconcat("./", paths[i], NULL);
		const guint8 *digest;

		g_assert_cmpint(archive_read_next_header(reader, &entry), ==, ARCHIVE_OK);
		g_assert_cmpstr(archive_entry_pathname(entry), ==, expected);
		g_assert_cmpint(archive_entry_size(entry), ==, i * 1000);
		g_assert_cmpint(archive_entry_filetype(entry), ==, AE_IFREG);
		digest = archive_entry_digest(entry, ARCHIVE_ENTRY_DIGEST_SHA256);
		for (guint n = 0; n < 32; n++)
			g_assert_cmphex(digest[n], ==,
					(0x0123456789abcdefULL >> (56 - n % 8 * 8)) & 0xff);
	}
	g_assert_cmpint(archive_read_next_header(reader, &entry), ==, ARCHIVE_EOF);
	archive_read_free(reader);
}

static void
test_empty_manifest_is_one_line(void)
{
	g_autoptr(SatchelManifest) manifest = satchel_manifest_new();
	g_autoptr(GBytes) text = satchel_manifest_to_bytes(manifest);
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelManifest) read = satchel_manifest_parse(text, &error);

	g_assert_cmpmem(g_bytes_get_data(text, NULL), g_bytes_get_size(text), "#mtree\n", 7);
	g_assert_no_error(error);
	g_assert_cmpuint(satchel_manifest_get_n_members(read), ==, 0);
}

static void
test_unsafe_paths_are_refused(void)
{
	static const char *const unsafe[] = {"",     "/etc/passwd", "../x", "a/../b",
					     "a//b", "a/",	    "./a",  "a\nb"};

	for (guint i = 0; i < G_N_ELEMENTS(unsafe); i++) {
		g_autoptr(SatchelManifest) manifest = satchel_manifest_new();
		g_autoptr(GError) error = NULL;

		g_assert_false(satchel_manifest_add(manifest, unsafe[i], 1, SHA, &error));
		g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_BUNDLE_INVALID);
		g_assert_cmpuint(satchel_manifest_get_n_members(manifest), ==, 0);
	}
	assert_refused("#mtree\n./../x type=file size=3 sha256digest=" SHA "\n", "line 2");
	assert_refused("#mtree\n./a\\057..\\057b type=file size=3 sha256digest=" SHA "\n",
		       "line 2");
}

static void
test_a_member_stands_once(void)
{
	assert_refused("#mtree\n" LINE LINE, "line 3");
}

static void
test_it_lists_neither_itself_nor_the_bundle_metadata(void)
{
	assert_refused("#mtree\n./manifest.mtree type=file size=3 sha256digest=" SHA "\n",
		       "itself");
	assert_refused("#mtree\n./tuf/bundle-targets.json type=file size=3 sha256digest=" SHA "\n",
		       "itself");
}

static void
test_only_a_lower_case_sha256_is_a_digest(void)
{
	g_autoptr(SatchelManifest) manifest = satchel_manifest_new();
	static const char *const digests[] = {
		"", "0123", "0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
		SHA "00"};

	for (guint i = 0; i < G_N_ELEMENTS(digests); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_false(satchel_manifest_add(manifest, "a", 1, digests[i], &error));
		g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_BUNDLE_INVALID);
	}
}

static void
test_sizes_are_plain_numbers(void)
{
	assert_refused("#mtree\n./a type=file size=03 sha256digest=" SHA "\n", "written");
	assert_refused("#mtree\n./a type=file size=-3 sha256digest=" SHA "\n", "size");
	assert_refused("#mtree\n./a type=file size= sha256digest=" SHA "\n", "size");
	assert_refused("#mtree\n./a type=file size=9223372036854775808 sha256digest=" SHA "\n",
		       "size");
	assert_refused("#mtree\n./a type=file size=99999999999999999999 sha256digest=" SHA "\n",
		       "size");
}

static void
test_other_mtree_is_refused_with_its_line(void)
{
	assert_refused("", "line 1");
	assert_refused("#mtree", "line 1");
	assert_refused("#mtree v2.0\n" LINE, "line 1");
	assert_refused("#mtree\n/set type=file\n", "line 2");
	assert_refused("#mtree\n\n", "line 2");
	assert_refused("#mtree\n" LINE "# comment\n", "line 3");
	assert_refused("#mtree\n./a type=dir\n", "line 2");
	assert_refused("#mtree\n./a size=3 type=file sha256digest=" SHA "\n", "line 2");
	assert_refused("#mtree\n./a type=file size=3 sha256digest=" SHA " mode=4755\n", "line 2");
	assert_refused("#mtree\n ./a type=file size=3 sha256digest=" SHA "\n", "line 2");
	assert_refused("#mtree\na type=file size=3 sha256digest=" SHA "\n", "line 2");
	assert_refused("#mtree\n./a  type=file size=3 sha256digest=" SHA "\n", "line 2");
	assert_refused("#mtree\n./a type=file size=3 sha256digest=" SHA "\r\n", "line 2");
	assert_refused("#mtree\n./a type=file size=3 sha256digest=0123\n", "line 2");
	assert_refused("#mtree\n./a type=file size=3 sha256digest="
		       "0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef\n",
		       "line 2");
	assert_refused("#mtree\n./a type=file size=3 sha256digest="
		       "0123456789xbcdef0123456789abcdef0123456789abcdef0123456789abcdef\n",
		       "line 2");
	assert_refused("#mtree\n./a type=file size=3 sha256=" SHA "\n", "line 2");
	assert_refused("#mtree\n./a\\04 type=file size=3 sha256digest=" SHA "\n", "line 2");
	assert_refused("#mtree\n./a\\04", "cut short");
	assert_refused("#mtree\n./a\\04\n", "line 2");
}

static void
test_one_name_has_one_spelling(void)
{
	/* Beyond a byte, and of the same length as the right one. */
	assert_refused("#mtree\n./caf\\703\\251 type=file size=3 sha256digest=" SHA "\n",
		       "written");
	assert_refused("#mtree\n./\\141 type=file size=3 sha256digest=" SHA "\n", "line 2");
	assert_refused("#mtree\n./a\\40b type=file size=3 sha256digest=" SHA "\n", "line 2");
	assert_refused("#mtree\n./a\\sb type=file size=3 sha256digest=" SHA "\n", "line 2");
	assert_refused("#mtree\n./a\\999 type=file size=3 sha256digest=" SHA "\n", "line 2");
	assert_refused("#mtree\n./caf\xc3\xa9 type=file size=3 sha256digest=" SHA "\n", "line 2");
}

static void
test_a_last_line_without_its_end_is_refused(void)
{
	assert_refused("#mtree\n./a type=file size=3 sha256digest=" SHA, "cut short");
}

static void
test_nul_is_refused(void)
{
	static const char text[] = "#mtree\n./a\0b type=file size=3 sha256digest=" SHA "\n";
	g_autoptr(GBytes) bytes = g_bytes_new(text, sizeof text - 1);
	g_autoptr(GError) error = NULL;

	g_assert_null(satchel_manifest_parse(bytes, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_BUNDLE_INVALID);
}

static void
test_overlong_lines_are_refused(void)
{
	g_autofree char *name = g_strnfill(100000, 'a');
	g_autofree char *text =
		g_strdup_printf("#mtree\n./%s type=file size=3 sha256digest=" SHA "\n", name);

	assert_refused(text, "line 2");
}

static void
test_more_than_the_limit_is_not_looked_at(void)
{
	gsize n_bytes = SATCHEL_LIMIT_MANIFEST_BYTES + 1;
	g_autoptr(GBytes) bytes = g_bytes_new_take(g_malloc0(n_bytes), n_bytes);
	g_autoptr(GError) error = NULL;

	g_assert_null(satchel_manifest_parse(bytes, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_BUNDLE_INVALID);
	g_assert_nonnull(strstr(error->message, "too large"));
}

/* @text, in pieces of @n_piece bytes. */
static SatchelManifest *
parse_pieces(const char *text, gsize n_piece, GError **error)
{
	static const guint8 key[SATCHEL_MANIFEST_SHA256_BYTES];
	g_autoptr(SatchelManifestParser) parser = satchel_manifest_parser_new(key, 0, 0);
	gsize n_bytes = strlen(text);

	for (gsize at = 0; at < n_bytes; at += n_piece)
		if (!satchel_manifest_parser_feed(parser, text + at, MIN(n_piece, n_bytes - at),
						  error))
			return NULL;
	return satchel_manifest_parser_finish(parser, error);
}

static void
test_pieces_of_any_size_give_the_same(void)
{
	g_autoptr(SatchelManifest) written = sample();
	g_autoptr(GBytes) bytes = satchel_manifest_to_bytes(written);
	g_autofree char *text = g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));

	for (gsize n_piece = 1; n_piece <= strlen(text) + 1; n_piece++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(SatchelManifest) read = parse_pieces(text, n_piece, &error);
		g_autoptr(GBytes) again = NULL;

		g_assert_no_error(error);
		again = satchel_manifest_to_bytes(read);
		g_assert_true(g_bytes_equal(bytes, again));
	}
}

static void
test_what_is_wrong_is_so_in_pieces_too(void)
{
	static const struct {
		const char *text;
		const char *words;
	} cases[] = {
		{"", "line 1"},
		{"#mtree", "line 1"},
		{"#mtreex\n", "line 1"},
		{"#mtree\n./a type=file", "line 2: the last line is cut short"},
		{"#mtree\n" LINE LINE, "line 3: a member is listed twice"},
		{"#mtree\n" LINE "\n", "line 3"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		for (gsize n_piece = 1; n_piece < 200; n_piece++) {
			g_autoptr(GError) error = NULL;

			g_assert_null(parse_pieces(cases[i].text, n_piece, &error));
			g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_BUNDLE_INVALID);
			if (strstr(error->message, cases[i].words) == NULL)
				g_error("'%s' is not in '%s'", cases[i].words, error->message);
		}
	}
}

static void
test_a_line_without_end_is_not_kept(void)
{
	g_autofree char *name = g_strnfill(1 << 20, 'a');
	g_autofree char *text = g_strconcat("#mtree\n./", name, NULL);
	g_autoptr(GError) error = NULL;

	g_assert_null(parse_pieces(text, 4096, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_BUNDLE_INVALID);
	g_assert_nonnull(strstr(error->message, "line 2: it is too long"));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/manifest/what-is-written-is-read-back-in-order",
			test_what_is_written_is_read_back_in_order);
	g_test_add_func("/manifest/lookup-finds-members-and-no-others",
			test_lookup_finds_members_and_no_others);
	g_test_add_func("/manifest/many-members-are-found-again",
			test_many_members_are_found_again);
	g_test_add_func("/manifest/libarchive-reads-the-same", test_libarchive_reads_the_same);
	g_test_add_func("/manifest/empty-manifest-is-one-line", test_empty_manifest_is_one_line);
	g_test_add_func("/manifest/unsafe-paths-are-refused", test_unsafe_paths_are_refused);
	g_test_add_func("/manifest/a-member-stands-once", test_a_member_stands_once);
	g_test_add_func("/manifest/it-lists-neither-itself-nor-the-bundle-metadata",
			test_it_lists_neither_itself_nor_the_bundle_metadata);
	g_test_add_func("/manifest/only-a-lower-case-sha256-is-a-digest",
			test_only_a_lower_case_sha256_is_a_digest);
	g_test_add_func("/manifest/sizes-are-plain-numbers", test_sizes_are_plain_numbers);
	g_test_add_func("/manifest/other-mtree-is-refused-with-its-line",
			test_other_mtree_is_refused_with_its_line);
	g_test_add_func("/manifest/one-name-has-one-spelling", test_one_name_has_one_spelling);
	g_test_add_func("/manifest/a-last-line-without-its-end-is-refused",
			test_a_last_line_without_its_end_is_refused);
	g_test_add_func("/manifest/nul-is-refused", test_nul_is_refused);
	g_test_add_func("/manifest/overlong-lines-are-refused", test_overlong_lines_are_refused);
	g_test_add_func("/manifest/more-than-the-limit-is-not-looked-at",
			test_more_than_the_limit_is_not_looked_at);
	g_test_add_func("/manifest/pieces-of-any-size-give-the-same",
			test_pieces_of_any_size_give_the_same);
	g_test_add_func("/manifest/what-is-wrong-is-so-in-pieces-too",
			test_what_is_wrong_is_so_in_pieces_too);
	g_test_add_func("/manifest/a-line-without-end-is-not-kept",
			test_a_line_without_end_is_not_kept);
	return g_test_run();
}
