#include "../../verify/path_safety.h"
#include <satchel/limits.h>

static char *
repeat(char c, gsize n)
{
	return g_strnfill(n, c);
}

static void
assert_refused(const char *path)
{
	g_autoptr(GError) error = NULL;

	g_assert_false(satchel_path_check(path, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID);
}

static void
test_plain_relative_paths_are_good(void)
{
	static const char *const good[] = {"a",	   "a/b/c", ".hidden", "..a",
					   "a..",  "...",   "a b",     "\xc3\xa9/\xff",
					   "a\\b", "a/.b",  "a.",      ".a/b"};
	g_autofree char *longest = repeat('x', SATCHEL_LIMIT_NAME_BYTES);
	g_autoptr(GError) error = NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(good); i++)
		g_assert_true(satchel_path_check(good[i], &error));
	g_assert_true(satchel_path_check(longest, &error));
	g_assert_no_error(error);
}

static void
test_refusals_say_what_is_wrong(void)
{
	static const struct {
		const char *path;
		const char *message;
	} cases[] = {
		{"", "path '' is empty"},
		{"/a", "path '/a' is not relative"},
		{"a//b", "path 'a//b' has an empty component"},
		{"a/.", "path 'a/.' has a component '.'"},
		{"..", "path '..' has a component '..'"},
		{"a\n", "path 'a\\x0a' has a control character"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_false(satchel_path_check(cases[i].path, &error));
		g_assert_cmpstr(error->message, ==, cases[i].message);
	}
}

static void
test_paths_that_lead_elsewhere_are_refused(void)
{
	static const char *const bad[] = {"",	  "/",	    "/a",   "a/",    "a//b",
					  ".",	  "..",	    "./a",  "a/.",   "a/..",
					  "../a", "a/../b", "a\nb", "a\x7f", "\x01"};

	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
		assert_refused(bad[i]);
}

static void
test_long_paths_and_components_are_refused(void)
{
	g_autofree char *component = repeat('x', SATCHEL_LIMIT_NAME_BYTES + 1);
	g_autoptr(GString) path = g_string_new("x");

	assert_refused(component);
	while (path->len < SATCHEL_LIMIT_PATH_BYTES - 1)
		g_string_append(path, "/x");
	g_string_truncate(path, SATCHEL_LIMIT_PATH_BYTES - 1);
	g_string_append_c(path, 'x');
	g_assert_true(satchel_path_check(path->str, NULL));
	g_string_append_c(path, 'x');
	assert_refused(path->str);
}

static void
test_names_become_one_file_name(void)
{
	static const struct {
		const char *name;
		const char *encoded;
	} cases[] = {
		{"role", "role"},
		{"..", "%2E."},
		{".", "%2E"},
		{"../../x", "%2E.%2F..%2Fx"},
		{"a?b#c%", "a%3Fb%23c%25"},
		{"A-z0._~", "A-z0._~"},
		{"\xc3\xa9\n", "%C3%A9%0A"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *encoded = satchel_path_encode_name(cases[i].name, &error);

		g_assert_no_error(error);
		g_assert_cmpstr(encoded, ==, cases[i].encoded);
	}
}

static void
test_names_that_make_no_file_name_are_refused(void)
{
	g_autofree char *longest = repeat('x', SATCHEL_LIMIT_NAME_BYTES - 5);
	g_autofree char *too_long = repeat('x', SATCHEL_LIMIT_NAME_BYTES - 4);
	g_autofree char *too_long_encoded = repeat('/', 84);
	const char *bad[] = {"", too_long, too_long_encoded};
	g_autofree char *encoded = satchel_path_encode_name(longest, NULL);

	g_assert_cmpstr(encoded, ==, longest);
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(satchel_path_encode_name(bad[i], &error));
		g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID);
		g_assert_true(g_str_has_suffix(error->message,
					       bad[i][0] == '\0' ? "is empty"
								 : "is too long for a file name"));
	}
}

static void
test_every_name_has_a_file_name(void)
{
	g_autofree char *longest = repeat('x', SATCHEL_LIMIT_NAME_BYTES - 5);
	g_autofree char *longer = repeat('x', SATCHEL_LIMIT_NAME_BYTES - 4);
	g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, longer, -1);
	g_autofree char *expected = g_strconcat("%sha256-", digest, NULL);
	g_autofree char *plain = satchel_path_file_name("a/b");
	g_autofree char *whole = satchel_path_file_name(longest);
	g_autofree char *digested = satchel_path_file_name(longer);

	g_assert_cmpstr(plain, ==, "a%2Fb");
	g_assert_cmpstr(whole, ==, longest);
	g_assert_cmpstr(digested, ==, expected);
}

static void
test_quotes_are_short_printable_ascii(void)
{
	g_autofree char *just = repeat('x', 200);
	g_autofree char *longer = repeat('x', 201);
	g_autofree char *hostile = satchel_path_quote("a\n\x1b[\xc3\xa9\x7f b");
	g_autofree char *whole = satchel_path_quote(just);
	g_autofree char *cut = satchel_path_quote(longer);
	g_autofree char *expected = g_strconcat(just, "...", NULL);

	g_assert_cmpstr(hostile, ==, "a\\x0a\\x1b[\\xc3\\xa9\\x7f b");
	g_assert_cmpstr(whole, ==, just);
	g_assert_cmpstr(cut, ==, expected);
}

/* An escape stands whole or not at all. */
static void
test_quotes_are_not_cut_within_an_escape(void)
{
	g_autofree char *room = repeat('x', 196);
	g_autofree char *fits = g_strconcat(room, "\n", NULL);
	g_autofree char *fits_not = g_strconcat(room, "x\n", NULL);
	g_autofree char *whole = satchel_path_quote(fits);
	g_autofree char *cut = satchel_path_quote(fits_not);
	g_autofree char *expected_whole = g_strconcat(room, "\\x0a", NULL);
	g_autofree char *expected_cut = g_strconcat(room, "x...", NULL);

	g_assert_cmpstr(whole, ==, expected_whole);
	g_assert_cmpstr(cut, ==, expected_cut);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/path-safety/plain-relative-paths-are-good",
			test_plain_relative_paths_are_good);
	g_test_add_func("/path-safety/paths-that-lead-elsewhere-are-refused",
			test_paths_that_lead_elsewhere_are_refused);
	g_test_add_func("/path-safety/long-paths-and-components-are-refused",
			test_long_paths_and_components_are_refused);
	g_test_add_func("/path-safety/names-become-one-file-name", test_names_become_one_file_name);
	g_test_add_func("/path-safety/names-that-make-no-file-name-are-refused",
			test_names_that_make_no_file_name_are_refused);
	g_test_add_func("/path-safety/every-name-has-a-file-name", test_every_name_has_a_file_name);
	g_test_add_func("/path-safety/quotes-are-short-printable-ascii",
			test_quotes_are_short_printable_ascii);
	g_test_add_func("/path-safety/quotes-are-not-cut-within-an-escape",
			test_quotes_are_not_cut_within_an_escape);
	g_test_add_func("/path-safety/refusals-say-what-is-wrong", test_refusals_say_what_is_wrong);
	return g_test_run();
}
