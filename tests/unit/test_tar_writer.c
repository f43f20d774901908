#include "../../bundler/tar_writer.h"
#include "../../verify/tar_layout.h"
#include <locale.h>
#include <string.h>

#define MARK "content begins here"
/* More than libarchive holds back. */
#define FLUSH_BYTES (4u * 1024u * 1024u)

static gboolean
collect(gpointer user_data, gconstpointer data, gsize n_bytes, GError **error)
{
	g_byte_array_append(user_data, data, (guint)n_bytes);
	return TRUE;
}

static SatchelTarWriter *
begin(GByteArray *written)
{
	g_autoptr(GError) error = NULL;
	SatchelTarWriter *tar = satchel_tar_writer_new(1700000000, collect, written, &error);

	g_assert_no_error(error);
	return tar;
}

static gboolean
is_header(const GByteArray *written, guint64 at)
{
	return at + 512 <= written->len && memcmp(written->data + at + 257, "ustar", 6) == 0;
}

/* Writes one member behind another one and asserts that it lies where the rule says. */
static void
assert_laid_out(const char *path, guint64 size_bytes)
{
	g_autoptr(GByteArray) written = g_byte_array_new();
	g_autoptr(SatchelTarWriter) tar = begin(written);
	g_autofree guint8 *data = g_malloc0(FLUSH_BYTES);
	g_autoptr(GError) error = NULL;
	gsize n_data = (gsize)MIN(size_bytes, FLUSH_BYTES);
	guint64 first = 0;
	guint64 second = 0;
	guint64 at = 0;
	guint64 n_headers;

	memcpy(data, MARK, sizeof MARK);
	g_assert_true(satchel_tar_writer_begin_file(tar, "a", 1, &error));
	g_assert_true(satchel_tar_writer_put_data(tar, "x", 1, &error));
	g_assert_true(satchel_tar_writer_begin_file(tar, path, size_bytes, &error));
	g_assert_true(satchel_tar_writer_put_data(tar, data, n_data, &error));
	if (n_data == size_bytes) {
		g_assert_true(satchel_tar_writer_begin_file(tar, "b", 0, &error));
		g_assert_true(satchel_tar_writer_finish(tar, &error));
	}
	g_assert_no_error(error);
	g_assert_true(satchel_tar_layout_place(&at, "a", 1, &first));
	n_headers = satchel_tar_layout_header_bytes(path, size_bytes);
	g_assert_true(is_header(written, at));
	g_assert_true(is_header(written, at + n_headers - 512));
	/* The header next to the content is the member's own; a pax header comes first. */
	g_assert_cmpint(written->data[at + 156], ==, n_headers > 512 ? 'x' : '0');
	g_assert_cmpint(written->data[at + n_headers - 512 + 156], ==, '0');
	g_assert_true(satchel_tar_layout_place(&at, path, size_bytes, &second));
	g_assert_cmpmem(written->data + second, MIN(n_data, sizeof MARK), MARK,
			MIN(n_data, sizeof MARK));
	if (n_data < size_bytes)
		return;
	g_assert_true(is_header(written, at));
	g_assert_cmpstr((const char *)written->data + at, ==, "b");
	g_assert_cmpuint(satchel_tar_layout_total_bytes(at + 512), ==, written->len);
}

/* @n_bytes of a path whose components are as long as may be. */
static char *
path_of(gsize n_bytes, gsize n_component)
{
	char *path = g_strnfill(n_bytes, 'n');

	for (gsize i = n_component; i + 1 < n_bytes; i += n_component + 1)
		path[i] = '/';
	return path;
}

static void
test_members_lie_where_the_rule_says(void)
{
	static const gsize lengths[] = {1, 99, 100, 101, 155, 156, 157, 255, 256, 257, 1000};
	static const guint64 sizes[] = {0,
					1,
					511,
					512,
					513,
					G_GUINT64_CONSTANT(077777777777),
					G_GUINT64_CONSTANT(1) << 33,
					(G_GUINT64_CONSTANT(1) << 33) + 1};

	for (guint i = 0; i < G_N_ELEMENTS(lengths); i++) {
		for (guint j = 0; j < G_N_ELEMENTS(sizes); j++) {
			g_autofree char *in_one = path_of(lengths[i], 255);
			g_autofree char *in_many = path_of(lengths[i], 20);
			g_autofree char *in_two = path_of(lengths[i], 154);

			assert_laid_out(in_one, sizes[j]);
			assert_laid_out(in_many, sizes[j]);
			assert_laid_out(in_two, sizes[j]);
		}
	}
}

static void
test_names_beyond_ascii_lie_where_the_rule_says_in_any_locale(void)
{
	static const char *const locales[] = {"C", "C.UTF-8"};

	for (guint i = 0; i < G_N_ELEMENTS(locales); i++) {
		g_assert_nonnull(setlocale(LC_ALL, locales[i]));
		assert_laid_out("apps/caf\xc3\xa9", 5);
		assert_laid_out("apps/\xf0\x9f\x9a\x9a", 0);
	}
	(void)setlocale(LC_ALL, "C");
}

static void
test_a_name_that_is_not_utf8_is_refused(void)
{
	g_autoptr(GByteArray) written = g_byte_array_new();
	g_autoptr(SatchelTarWriter) tar = begin(written);
	g_autoptr(GError) error = NULL;

	g_assert_false(satchel_tar_writer_begin_file(tar, "apps/caf\xe9", 5, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED);
	g_assert_nonnull(strstr(error->message, "caf\\xe9"));
}

static void
test_headers_say_nothing_of_who_packed(void)
{
	g_autoptr(GByteArray) written = g_byte_array_new();
	g_autoptr(SatchelTarWriter) tar = begin(written);
	g_autoptr(GError) error = NULL;
	const char *head;

	g_assert_true(satchel_tar_writer_begin_file(tar, "file", 0, &error));
	g_assert_true(satchel_tar_writer_put_folder(tar, "folder", &error));
	g_assert_true(satchel_tar_writer_finish(tar, &error));
	g_assert_cmpuint(written->len, ==, SATCHEL_TAR_RECORD_BYTES);
	head = (const char *)written->data;
	g_assert_cmpmem(head + 100, 7, "000644 ", 7);
	g_assert_cmpmem(head + 108, 7, "000000 ", 7);
	g_assert_cmpmem(head + 116, 7, "000000 ", 7);
	g_assert_cmpmem(head + 136, 11, "14524770400", 11);
	g_assert_cmpint(head[265], ==, '\0'); /* user */
	g_assert_cmpint(head[297], ==, '\0'); /* group */
	g_assert_cmpstr(head + 512, ==, "folder/");
	g_assert_cmpmem(head + 512 + 100, 7, "000755 ", 7);
	g_assert_cmpint(head[512 + 156], ==, '5');
}

/* The last time that makes no pax header, which the rule knows nothing of. */
static void
test_the_last_time_needs_no_pax_header(void)
{
	g_autoptr(GByteArray) written = g_byte_array_new();
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelTarWriter) tar =
		satchel_tar_writer_new(SATCHEL_TAR_LAST_TIME_S, collect, written, &error);

	g_assert_true(satchel_tar_writer_begin_file(tar, "file", 0, &error));
	g_assert_true(satchel_tar_writer_finish(tar, &error));
	g_assert_cmpint(written->data[156], ==, '0');
}

static gboolean
refuse(gpointer user_data, gconstpointer data, gsize n_bytes, GError **error)
{
	(*(guint *)user_data)++;
	g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_NO_SPACE, "full");
	return FALSE;
}

static void
test_the_error_of_the_sink_is_passed_on_and_it_is_asked_once(void)
{
	guint n_calls = 0;
	g_autoptr(GError) error = NULL;
	g_autofree guint8 *data = g_malloc0(FLUSH_BYTES);
	SatchelTarWriter *tar = satchel_tar_writer_new(0, refuse, &n_calls, &error);

	g_assert_true(satchel_tar_writer_begin_file(tar, "file", FLUSH_BYTES, &error));
	g_assert_false(satchel_tar_writer_put_data(tar, data, FLUSH_BYTES, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_NO_SPACE);
	satchel_tar_writer_free(tar);
	g_assert_cmpuint(n_calls, ==, 1);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/tar-writer/members-lie-where-the-rule-says",
			test_members_lie_where_the_rule_says);
	g_test_add_func("/tar-writer/names-beyond-ascii-lie-where-the-rule-says-in-any-locale",
			test_names_beyond_ascii_lie_where_the_rule_says_in_any_locale);
	g_test_add_func("/tar-writer/a-name-that-is-not-utf8-is-refused",
			test_a_name_that_is_not_utf8_is_refused);
	g_test_add_func("/tar-writer/headers-say-nothing-of-who-packed",
			test_headers_say_nothing_of_who_packed);
	g_test_add_func("/tar-writer/the-last-time-needs-no-pax-header",
			test_the_last_time_needs_no_pax_header);
	g_test_add_func("/tar-writer/the-error-of-the-sink-is-passed-on-and-it-is-asked-once",
			test_the_error_of_the_sink_is_passed_on_and_it_is_asked_once);
	return g_test_run();
}
