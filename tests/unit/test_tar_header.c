#include "../../verify/tar_header.h"
#include "../../verify/tar_layout.h"
#include <satchel/limits.h>
#include <string.h>

/* An archive in memory, to which headers are added. */
static GByteArray *
archive_new(void)
{
	return g_byte_array_new();
}

static void
set_checksum(guint8 *header)
{
	guint sum = 0;
	char text[16];

	memset(header + 148, ' ', 8);
	for (guint i = 0; i < 512; i++)
		sum += header[i];
	g_snprintf(text, sizeof text, "%06o", sum);
	memcpy(header + 148, text, 7);
}

/* The header that was added last. */
static guint8 *
last_header(GByteArray *archive)
{
	return archive->data + archive->len - 512;
}

static void
add_header(GByteArray *archive, const char *name, const char *prefix, guint64 size_bytes, char type)
{
	guint8 header[512] = {0};
	char text[16];

	memcpy(header, name, MIN(strlen(name), 100));
	memcpy(header + 100, "0000644\0000000000\0000000000", 24);
	g_snprintf(text, sizeof text, "%011" G_GINT64_MODIFIER "o", size_bytes);
	memcpy(header + 124, text, 12);
	memcpy(header + 136, "00000000000", 12);
	header[156] = (guint8)type;
	memcpy(header + 257, "ustar\00000", 8);
	memcpy(header + 345, prefix, MIN(strlen(prefix), 155));
	set_checksum(header);
	g_byte_array_append(archive, header, sizeof header);
}

static void
add_pax(GByteArray *archive, const char *records, gsize n_bytes)
{
	static const guint8 zeros[512];

	add_header(archive, "PaxHeader", "", n_bytes, 'x');
	g_byte_array_append(archive, (const guint8 *)records, (guint)n_bytes);
	g_byte_array_append(archive, zeros, (guint)((512 - n_bytes % 512) % 512));
}

static gboolean
read_archive(gpointer source, guint64 offset_bytes, gpointer buffer, gsize n_bytes, GError **error)
{
	const GByteArray *archive = source;

	if (offset_bytes > archive->len || n_bytes > archive->len - offset_bytes) {
		g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED, "short");
		return FALSE;
	}
	memcpy(buffer, archive->data + offset_bytes, n_bytes);
	return TRUE;
}

static void
assert_member(GByteArray *archive, guint64 at, SatchelTarKind kind, const char *path,
	      guint64 size_bytes, guint64 content_at, guint64 next_at)
{
	g_auto(SatchelTarMember) member = {0};
	g_autoptr(GError) error = NULL;

	g_assert_true(satchel_tar_member_read(read_archive, archive, at, &member, &error));
	g_assert_no_error(error);
	g_assert_cmpint(member.kind, ==, kind);
	g_assert_cmpstr(member.path, ==, path);
	g_assert_cmpuint(member.size_bytes, ==, size_bytes);
	g_assert_cmpuint(member.content_at_bytes, ==, content_at);
	g_assert_cmpuint(member.next_at_bytes, ==, next_at);
}

static void
assert_refused(GByteArray *archive, const char *words)
{
	SatchelTarMember member = {0};
	g_autoptr(GError) error = NULL;

	g_assert_false(satchel_tar_member_read(read_archive, archive, 0, &member, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_BUNDLE_INVALID);
	g_assert_true(g_str_has_prefix(error->message, "the packed bundle, byte 0: "));
	if (strstr(error->message, words) == NULL)
		g_error("'%s' is not in '%s'", words, error->message);
	g_assert_null(member.path);
}

static void
test_files_and_folders_are_read(void)
{
	g_autoptr(GByteArray) archive = archive_new();
	static const guint8 zeros[1024];

	add_header(archive, "tuf/1.root.json", "", 513, '0');
	g_byte_array_append(archive, zeros, 1024);
	add_header(archive, "ostree_repo/tmp/", "", 0, '5');
	add_header(archive, "empty", "", 0, '0');
	g_byte_array_append(archive, zeros, 1024);
	assert_member(archive, 0, SATCHEL_TAR_FILE, "tuf/1.root.json", 513, 512, 1536);
	assert_member(archive, 1536, SATCHEL_TAR_FOLDER, "ostree_repo/tmp", 0, 2048, 2048);
	assert_member(archive, 2048, SATCHEL_TAR_FILE, "empty", 0, 2560, 2560);
	assert_member(archive, 2560, SATCHEL_TAR_END, NULL, 0, 0, 0);
}

static void
test_names_are_joined_of_two_fields(void)
{
	g_autoptr(GByteArray) archive = archive_new();
	g_autofree char *name = g_strnfill(100, 'n');
	g_autofree char *prefix = g_strnfill(155, 'p');
	g_autofree char *whole = g_strdup_printf("%s/%s", prefix, name);

	add_header(archive, name, prefix, 3, '0');
	assert_member(archive, 0, SATCHEL_TAR_FILE, whole, 3, 512, 1024);
}

static void
test_pax_records_hold_what_ustar_cannot(void)
{
	g_autoptr(GByteArray) archive = archive_new();
	g_autofree char *name = g_strnfill(101, 'n');
	g_autofree char *record = g_strdup_printf("111 path=%s\n", name);

	add_pax(archive, record, strlen(record));
	add_header(archive, "shortened", "", 3, '0');
	assert_member(archive, 0, SATCHEL_TAR_FILE, name, 3, 1536, 2048);

	g_byte_array_set_size(archive, 0);
	add_pax(archive, "12 path=\xc3\xa9\n", 12);
	assert_refused(archive, "length");
	g_byte_array_set_size(archive, 0);
	add_pax(archive, "11 path=\xc3\xa9\n", 11);
	add_header(archive, "e", "", 3, '0');
	assert_member(archive, 0, SATCHEL_TAR_FILE, "\xc3\xa9", 3, 1536, 2048);

	g_byte_array_set_size(archive, 0);
	add_pax(archive, "21 hdrcharset=BINARY\n10 path=\xe9\n19 size=8589934592\n", 50);
	add_header(archive, "e", "", 0, '0');
	assert_member(archive, 0, SATCHEL_TAR_FILE, "\xe9", 8589934592, 1536, 1536 + 8589934592);

	g_byte_array_set_size(archive, 0);
	add_pax(archive, "11 path=\xc3\xa9\n", 11);
	add_header(archive, "e/", "", 0, '5');
	assert_member(archive, 0, SATCHEL_TAR_FOLDER, "\xc3\xa9", 0, 1536, 1536);
}

static void
test_pax_records_that_are_not_needed_are_refused(void)
{
	static const char *const records[] = {"9 path=a\n", "9 size=3\n", "21 hdrcharset=BINARY\n",
					      "11 path=\xc3\xa9\n21 hdrcharset=BINARY\n",
					      "10 path=\xe9\n"};

	for (guint i = 0; i < G_N_ELEMENTS(records); i++) {
		g_autoptr(GByteArray) archive = archive_new();

		add_pax(archive, records[i], strlen(records[i]));
		add_header(archive, "a", "", 3, '0');
		assert_refused(archive, "a pax header where none belongs");
	}
}

static void
test_wrong_pax_records_are_refused(void)
{
	static const struct {
		const char *records, *words;
	} cases[] = {
		{"30 mtime=1350244992.023960108\n", "a bundle has not"},
		{"21 linkpath=/etc/abc\n", "a bundle has not"},
		{"11 path=\xc3\xa9\n11 path=\xc3\xa9\n", "stands twice"},
		{"19 size=8589934592\n19 size=8589934592\n", "stands twice"},
		{"20 hdrcharset=UTF-8\n", "not BINARY"},
		{"8 path=\n", "empty"},
		{"9 path=a", "length"},
		{"9 path=ab\n", "length"},
		{"-9 path=a\n", "length"},
		{"09 path=a\n", "length"},
		{"99999999999999999999 path=a\n", "length"},
		{"2 path=a\n", "length"},
		{"0 path=a\n", "length"},
		{"x path=a\n", "length"},
		{"path=a\n", "length"},
		{"7 path\n", "no value"},
		{"8 pathx\n", "no value"},
		{"9 size=-\n", "no number"},
		{"9 size=-1\n", "length"},
		{"11 size=-1\n", "no number"},
		{"11 size=01\n", "no number"},
		{"8 size=\n", "no number"},
		{"28 size=9999999999999999999\n", "no number"},
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GByteArray) archive = archive_new();

		add_pax(archive, cases[i].records, strlen(cases[i].records));
		add_header(archive, "a", "", 3, '0');
		assert_refused(archive, cases[i].words);
	}
}

static void
test_a_nul_in_a_pax_path_is_refused(void)
{
	g_autoptr(GByteArray) archive = archive_new();

	add_pax(archive, "11 path=\xe9\0\n", 11);
	add_header(archive, "a", "", 3, '0');
	assert_refused(archive, "NUL");
}

static void
test_pax_headers_of_odd_sizes_are_refused(void)
{
	g_autoptr(GByteArray) archive = archive_new();
	g_autofree char *much = g_strnfill(SATCHEL_LIMIT_PATH_BYTES + 129, 'x');

	add_pax(archive, "", 0);
	assert_refused(archive, "empty or too long");
	g_byte_array_set_size(archive, 0);
	add_pax(archive, much, strlen(much));
	assert_refused(archive, "empty or too long");
	g_byte_array_set_size(archive, 0);
	add_pax(archive, "11 path=\xc3\xa9\n", 11);
	archive->data[512 + 11] = 'x';
	add_header(archive, "a", "", 3, '0');
	assert_refused(archive, "zeros");
	g_byte_array_set_size(archive, 0);
	add_pax(archive, "11 path=\xc3\xa9\n", 11);
	add_pax(archive, "11 path=\xc3\xa9\n", 11);
	assert_refused(archive, "a pax header for a pax header");
	memcpy(archive->data + 124, "0000000001x", 11);
	set_checksum(archive->data);
	assert_refused(archive, "octal");
}

static void
test_other_kinds_are_refused(void)
{
	static const struct {
		char type;
		const char *words;
	} cases[] = {
		{'1', "link"}, {'2', "link"},  {'3', "device"}, {'4', "device"}, {'6', "pipe"},
		{'7', "kind"}, {'L', "GNU"},   {'K', "GNU"},	{'S', "kind"},	 {'g', "kind"},
		{'X', "kind"}, {'\0', "kind"}, {'D', "kind"},	{'V', "kind"},
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GByteArray) archive = archive_new();

		add_header(archive, "a", "", 0, cases[i].type);
		assert_refused(archive, cases[i].words);
		/* Nor behind a pax header. */
		g_byte_array_set_size(archive, 0);
		add_pax(archive, "11 path=\xc3\xa9\n", 11);
		add_header(archive, "a", "", 0, cases[i].type);
		assert_refused(archive, cases[i].words);
	}
}

static void
test_unsafe_names_are_refused(void)
{
	static const char *const names[] = {"",	    "/a",  "..",   "../a", "a/../b",
					    "a//b", "./a", "a\nb", "a/"};

	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autoptr(GByteArray) archive = archive_new();

		add_header(archive, names[i], "", 0, '0');
		assert_refused(archive, "path '");
	}
	for (guint i = 0; i < G_N_ELEMENTS(names) - 1; i++) {
		g_autoptr(GByteArray) archive = archive_new();

		add_header(archive, names[i], "", 0, '5');
		assert_refused(archive, "path '");
	}
}

static void
test_sizes_that_are_no_octal_number_are_refused(void)
{
	static const char *const sizes[] = {"-0000000003",
					    "           ",
					    "0000000008 ",
					    "3x",
					    "\x80\0\0\0\0\0\0\0\0\0\3",
					    "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"};

	for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
		g_autoptr(GByteArray) archive = archive_new();

		add_header(archive, "a", "", 3, '0');
		memcpy(last_header(archive) + 124, sizes[i], i == 3 ? 2 : 11);
		set_checksum(last_header(archive));
		assert_refused(archive, "octal");
	}
}

/* Twelve digits without an end are GNU's way to 64 GiB; a pax record is ours. */
static void
test_a_size_beyond_its_field_is_refused(void)
{
	g_autoptr(GByteArray) archive = archive_new();

	add_header(archive, "a", "", 3, '0');
	memcpy(last_header(archive) + 124, "777777777777", 12);
	set_checksum(last_header(archive));
	assert_refused(archive, "none where one does");
}

static void
test_a_folder_has_no_size(void)
{
	g_autoptr(GByteArray) archive = archive_new();

	add_header(archive, "a/", "", 1, '5');
	assert_refused(archive, "a folder with a size");
	g_byte_array_set_size(archive, 0);
	add_pax(archive, "8 size=0\n", 8);
	assert_refused(archive, "length");
	g_byte_array_set_size(archive, 0);
	add_pax(archive, "9 size=0\n", 9);
	add_header(archive, "a/", "", 0, '5');
	assert_refused(archive, "a folder with a size");
}

/* Wherever a byte of a header is another one, the header is refused or says the same. */
static void
test_every_changed_byte_is_seen(void)
{
	g_autoptr(GByteArray) archive = archive_new();

	add_header(archive, "tuf/1.root.json", "", 3, '0');
	for (guint i = 0; i < 512; i++) {
		for (guint bit = 0; bit < 8; bit++) {
			SatchelTarMember member = {0};
			g_autoptr(GError) error = NULL;

			archive->data[i] ^= (guint8)(1u << bit);
			if (satchel_tar_member_read(read_archive, archive, 0, &member, &error)) {
				/* The end of the checksum's digits: a NUL or a space. */
				g_assert_cmpuint(i, >=, 154);
				g_assert_cmpuint(i, <=, 155);
				g_assert_cmpstr(member.path, ==, "tuf/1.root.json");
				g_assert_cmpuint(member.size_bytes, ==, 3);
				satchel_tar_member_clear(&member);
			}
			archive->data[i] ^= (guint8)(1u << bit);
		}
	}
}

static void
test_what_is_no_ustar_header_is_refused(void)
{
	g_autoptr(GByteArray) archive = archive_new();

	add_header(archive, "a", "", 3, '0');
	memcpy(last_header(archive) + 257, "ustar  ", 8);
	set_checksum(last_header(archive));
	assert_refused(archive, "no ustar header");
	g_assert_true(satchel_tar_header_is_likely(last_header(archive), 512));
	g_assert_false(satchel_tar_header_is_likely(last_header(archive), 511));
	memcpy(last_header(archive) + 257, "\0\0\0\0\0\0\0", 8);
	assert_refused(archive, "no ustar header");
	g_assert_false(satchel_tar_header_is_likely(last_header(archive), 512));
}

static void
test_a_read_that_fails_fails_with_its_own_error(void)
{
	g_autoptr(GByteArray) archive = archive_new();
	SatchelTarMember member = {0};

	add_pax(archive, "11 path=\xc3\xa9\n", 11);
	for (guint n_bytes = 0; n_bytes <= 1024; n_bytes += 256) {
		g_autoptr(GError) error = NULL;

		g_byte_array_set_size(archive, n_bytes);
		g_assert_false(satchel_tar_member_read(read_archive, archive, 0, &member, &error));
		g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED);
		g_assert_cmpstr(error->message, ==, "short");
		g_byte_array_set_size(archive, 0);
		add_pax(archive, "11 path=\xc3\xa9\n", 11);
	}
}

static void
test_a_place_that_no_file_has_is_refused(void)
{
	g_autoptr(GByteArray) archive = archive_new();
	SatchelTarMember member = {0};
	g_autoptr(GError) error = NULL;

	g_assert_false(
		satchel_tar_member_read(read_archive, archive, G_MAXUINT64 - 511, &member, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_BUNDLE_INVALID);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/tar-header/files-and-folders-are-read", test_files_and_folders_are_read);
	g_test_add_func("/tar-header/names-are-joined-of-two-fields",
			test_names_are_joined_of_two_fields);
	g_test_add_func("/tar-header/pax-records-hold-what-ustar-cannot",
			test_pax_records_hold_what_ustar_cannot);
	g_test_add_func("/tar-header/pax-records-that-are-not-needed-are-refused",
			test_pax_records_that_are_not_needed_are_refused);
	g_test_add_func("/tar-header/wrong-pax-records-are-refused",
			test_wrong_pax_records_are_refused);
	g_test_add_func("/tar-header/a-nul-in-a-pax-path-is-refused",
			test_a_nul_in_a_pax_path_is_refused);
	g_test_add_func("/tar-header/pax-headers-of-odd-sizes-are-refused",
			test_pax_headers_of_odd_sizes_are_refused);
	g_test_add_func("/tar-header/other-kinds-are-refused", test_other_kinds_are_refused);
	g_test_add_func("/tar-header/unsafe-names-are-refused", test_unsafe_names_are_refused);
	g_test_add_func("/tar-header/sizes-that-are-no-octal-number-are-refused",
			test_sizes_that_are_no_octal_number_are_refused);
	g_test_add_func("/tar-header/a-size-beyond-its-field-is-refused",
			test_a_size_beyond_its_field_is_refused);
	g_test_add_func("/tar-header/a-folder-has-no-size", test_a_folder_has_no_size);
	g_test_add_func("/tar-header/every-changed-byte-is-seen", test_every_changed_byte_is_seen);
	g_test_add_func("/tar-header/what-is-no-ustar-header-is-refused",
			test_what_is_no_ustar_header_is_refused);
	g_test_add_func("/tar-header/a-read-that-fails-fails-with-its-own-error",
			test_a_read_that_fails_fails_with_its_own_error);
	g_test_add_func("/tar-header/a-place-that-no-file-has-is-refused",
			test_a_place_that_no_file_has_is_refused);
	return g_test_run();
}
