#include "../../verify/tar_layout.h"
#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <string.h>

#define BUFFER_BYTES (64u * 1024u)

/* The bytes of headers that libarchive writes for the member. */
static gsize
written_bytes(const char *path, gint64 size_bytes)
{
	g_autofree guint8 *buffer = g_malloc0(BUFFER_BYTES);
	struct archive *writer = archive_write_new();
	struct archive_entry *entry = archive_entry_new();
	gsize n_bytes = 0, header_bytes;

	g_assert_cmpint(archive_write_set_format_pax_restricted(writer), ==, ARCHIVE_OK);
	g_assert_cmpint(archive_write_set_bytes_per_block(writer, 512), ==, ARCHIVE_OK);
	g_assert_cmpint(archive_write_open_memory(writer, buffer, BUFFER_BYTES, &n_bytes), ==,
			ARCHIVE_OK);
	archive_entry_set_pathname(entry, path);
	archive_entry_set_size(entry, size_bytes);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0644);
	archive_entry_set_mtime(entry, 0, 0);
	/* It warns of a name that is no UTF-8, and writes it as binary. */
	g_assert_cmpint(archive_write_header(writer, entry), >=, ARCHIVE_WARN);
	header_bytes = n_bytes;
	archive_entry_free(entry);
	/* It fills up the member, as far as the buffer goes; archive_write_fail() would leak. */
	archive_write_free(writer);
	return header_bytes;
}

static void
assert_as_libarchive(const char *path, guint64 size_bytes)
{
	gsize expected = written_bytes(path, (gint64)size_bytes);
	guint64 found = satchel_tar_layout_header_bytes(path, size_bytes);

	if (found != expected)
		g_error("'%s' (%" G_GSIZE_FORMAT " bytes), size %" G_GUINT64_FORMAT
			": %" G_GUINT64_FORMAT " and not %" G_GSIZE_FORMAT,
			path, strlen(path), size_bytes, found, expected);
}

static void
test_sizes_take_the_headers_that_libarchive_writes(void)
{
	static const guint64 sizes[] = {0,
					1,
					4294967296,
					SATCHEL_TAR_USTAR_MAX_BYTES,
					SATCHEL_TAR_USTAR_MAX_BYTES + 1,
					9999999999,
					10000000000,
					1000000000000000};

	for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
		assert_as_libarchive("ostree_repo/config", sizes[i]);
		assert_as_libarchive("caf\xc3\xa9", sizes[i]);
	}
}

/* One slash at every place in names of every awkward length, and names without one. */
static void
test_names_take_the_headers_that_libarchive_writes(void)
{
	static const gsize lengths[] = {1,   99,  100, 101, 102, 154, 155, 156, 157,
					199, 200, 201, 254, 255, 256, 257, 258, 300};

	for (guint i = 0; i < G_N_ELEMENTS(lengths); i++) {
		for (gsize slash = 0; slash + 1 < lengths[i]; slash++) {
			g_autofree char *name = g_strnfill(lengths[i], 'n');

			if (slash > 0)
				name[slash] = '/';
			assert_as_libarchive(name, 3);
		}
	}
}

static void
test_names_with_many_slashes_take_the_same(void)
{
	for (gsize n_bytes = 90; n_bytes < 320; n_bytes++) {
		for (gsize step = 5; step < 120; step += 23) {
			g_autofree char *name = g_strnfill(n_bytes, 'n');

			for (gsize i = step; i + 1 < n_bytes; i += step)
				name[i] = '/';
			assert_as_libarchive(name, 3);
		}
	}
}

/* Records that fill a block to its last byte, and lengths whose digits add a digit. */
static void
test_records_that_end_with_a_block_take_the_same(void)
{
	for (gsize n_bytes = 440; n_bytes < 540; n_bytes++) {
		g_autofree char *name = g_strnfill(n_bytes, 'n');

		assert_as_libarchive(name, 3);
		name[n_bytes / 2] = (char)0xe9;
		assert_as_libarchive(name, 3);
		assert_as_libarchive(name, SATCHEL_TAR_USTAR_MAX_BYTES + 1);
		memcpy(name + n_bytes / 2, "\xc3\xa9", 2);
		assert_as_libarchive(name, 3);
		assert_as_libarchive(name, SATCHEL_TAR_USTAR_MAX_BYTES + 1);
	}
	for (gsize n_bytes = 980; n_bytes < 1040; n_bytes++) {
		g_autofree char *name = g_strnfill(n_bytes, 'n');

		assert_as_libarchive(name, 3);
	}
}

static void
test_places_add_up(void)
{
	guint64 at = 512, content_at = 0;

	g_assert_true(satchel_tar_layout_place(&at, "a", 0, &content_at));
	g_assert_cmpuint(content_at, ==, 1024);
	g_assert_cmpuint(at, ==, 1024);
	g_assert_true(satchel_tar_layout_place(&at, "b", 1, &content_at));
	g_assert_cmpuint(content_at, ==, 1536);
	g_assert_cmpuint(at, ==, 2048);
	g_assert_true(satchel_tar_layout_place(&at, "c", 512, &content_at));
	g_assert_cmpuint(at, ==, 3072);
	g_assert_true(satchel_tar_layout_place(&at, "caf\xc3\xa9", 513, &content_at));
	g_assert_cmpuint(content_at, ==, 3072 + 1536);
	g_assert_cmpuint(at, ==, 3072 + 1536 + 1024);
}

static void
test_sums_do_not_wrap(void)
{
	static const struct {
		guint64 at, size_bytes;
	} cases[] = {
		{0, G_MAXINT64},	{0, G_MAXUINT64},	 {G_MAXINT64, 1},
		{G_MAXUINT64 - 511, 1}, {G_MAXINT64 / 2 + 1, 0}, {512, G_MAXINT64 / 2 - 600},
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		guint64 at = cases[i].at, content_at = 7;

		g_assert_false(
			satchel_tar_layout_place(&at, "a", cases[i].size_bytes, &content_at));
		g_assert_cmpuint(at, ==, cases[i].at);
		g_assert_cmpuint(content_at, ==, 7);
	}
}

static void
test_the_whole_is_full_records(void)
{
	g_assert_cmpuint(satchel_tar_layout_total_bytes(0), ==, 10240);
	g_assert_cmpuint(satchel_tar_layout_total_bytes(10240 - 1024), ==, 10240);
	g_assert_cmpuint(satchel_tar_layout_total_bytes(10240 - 512), ==, 20480);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_assert_nonnull(setlocale(LC_CTYPE, "C.UTF-8"));
	g_test_add_func("/tar-layout/sizes-take-the-headers-that-libarchive-writes",
			test_sizes_take_the_headers_that_libarchive_writes);
	g_test_add_func("/tar-layout/names-take-the-headers-that-libarchive-writes",
			test_names_take_the_headers_that_libarchive_writes);
	g_test_add_func("/tar-layout/names-with-many-slashes-take-the-same",
			test_names_with_many_slashes_take_the_same);
	g_test_add_func("/tar-layout/records-that-end-with-a-block-take-the-same",
			test_records_that_end_with_a_block_take_the_same);
	g_test_add_func("/tar-layout/places-add-up", test_places_add_up);
	g_test_add_func("/tar-layout/sums-do-not-wrap", test_sums_do_not_wrap);
	g_test_add_func("/tar-layout/the-whole-is-full-records", test_the_whole_is_full_records);
	return g_test_run();
}
