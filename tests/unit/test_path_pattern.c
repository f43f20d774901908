#include "../../verify/path_pattern.h"
#include <fnmatch.h>
#include <string.h>

static void
test_patterns_match_within_components(void)
{
	static const struct {
		const char *pattern;
		const char *path;
		gboolean matches;
	} cases[] = {
		{"", "", TRUE},
		{"", "a", FALSE},
		{"a", "", FALSE},
		{"a/b", "a/b", TRUE},
		{"a/b", "a/bc", FALSE},
		{"*", "", TRUE},
		{"*", "a", TRUE},
		{"*", ".hidden", TRUE},
		{"*", "a/b", FALSE},
		{"*/*", "a/b", TRUE},
		{"*/*", "a/b/c", FALSE},
		{"a/*", "a/", TRUE},
		{"a/*", "a", FALSE},
		{"**", "a/b", FALSE},
		{"**", "ab", TRUE},
		{"/a", "a", FALSE},
		{"/a", "/a", TRUE},
		{"a?c", "abc", TRUE},
		{"a?c", "ac", FALSE},
		{"a?c", "a/c", FALSE},
		{"a?c", "aéc", TRUE},
		{"foo-?.tgz", "foo-2.tgz", TRUE},
		{"foo-?.tgz", "foo-22.tgz", FALSE},
		{"*.tgz", "a.tgz.asc", FALSE},
		{"*a*b*c*", "xaxbxcx", TRUE},
		{"*a*b*c*", "xaxcxbx", FALSE},
		{"*ab", "aab", TRUE},
		{"*ab*ab", "ab", FALSE},
		{"[abc]", "b", TRUE},
		{"[abc]", "d", FALSE},
		{"[a-c]x", "bx", TRUE},
		{"[!a-c]", "b", FALSE},
		{"[^a-c]", "d", TRUE},
		{"[]a]", "]", TRUE},
		{"[!]a]", "]", FALSE},
		{"[a-]", "-", TRUE},
		{"[a-]", "b", FALSE},
		{"[c-a]", "b", FALSE},
		{"[à-ü]", "é", TRUE},
		{"[a/b]", "a/b]", FALSE},
		{"[a/b]", "[a/b]", TRUE},
		{"[", "[", TRUE},
		{"[a", "[a", TRUE},
		{"[a", "a", FALSE},
		{"[a", "xa", FALSE},
		{"[!", "[!", TRUE},
		{"[!]", "[!]", TRUE},
		{"[]", "[]", TRUE},
		{"*[", "x[", TRUE},
		{"a\\*", "a\\x", TRUE},
		{"a\\*", "a*", FALSE},
		{"\\a", "a", FALSE},
		{"é*", "éa", TRUE},
		{"*", "\xff", FALSE},
		{"\xff", "\xff", FALSE},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
		if (satchel_path_pattern_matches(cases[i].pattern, cases[i].path) !=
		    cases[i].matches)
			g_test_fail_printf("'%s' and '%s'", cases[i].pattern, cases[i].path);
}

/* In the C locale, which is a test's, fnmatch(3) says what is right for ASCII, unclosed sets aside.
 */
static void
test_random_patterns_match_as_with_fnmatch(void)
{
	static const char *const elements[] = {
		"a", "b",    "*",    "*",     "?",    "/",     "\\",	"]",	"-",	".",
		"!", "[ab]", "[!a]", "[a-b]", "[]a]", "[^]b]", "[b-a]", "[a-]", "[\\a]"};
	static const char letters[] = "aabb-/].\\!";
	guint n_matches = 0;

	for (guint i = 0; i < 200000; i++) {
		g_autoptr(GString) pattern = g_string_new(NULL);
		char path[7] = "";
		gint n_elements = g_test_rand_int_range(0, 7);
		gint n_path = g_test_rand_int_range(0, sizeof path);
		gboolean expected;

		for (gint k = 0; k < n_elements; k++)
			g_string_append(pattern,
					elements[g_test_rand_int_range(0, G_N_ELEMENTS(elements))]);
		for (gint k = 0; k < n_path; k++)
			path[k] = letters[g_test_rand_int_range(0, sizeof letters - 1)];
		expected = fnmatch(pattern->str, path, FNM_PATHNAME | FNM_NOESCAPE) == 0;
		n_matches += expected;
		if (satchel_path_pattern_matches(pattern->str, path) != expected)
			g_test_fail_printf("'%s' and '%s': fnmatch says %d", pattern->str, path,
					   expected);
	}
	g_assert_cmpuint(n_matches, >, 1000);
}

static void
test_a_hostile_pattern_takes_little_time(void)
{
	g_autoptr(GString) pattern = g_string_new(NULL);
	g_autofree char *path = g_strnfill(4096, 'a');

	for (guint i = 0; i < 2000; i++)
		g_string_append(pattern, "*a");
	g_string_append(pattern, "*b");
	g_test_timer_start();
	g_assert_false(satchel_path_pattern_matches(pattern->str, path));
	g_assert_cmpfloat(g_test_timer_elapsed(), <, 5.0);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/path-pattern/cases", test_patterns_match_within_components);
	g_test_add_func("/path-pattern/fnmatch", test_random_patterns_match_as_with_fnmatch);
	g_test_add_func("/path-pattern/hostile", test_a_hostile_pattern_takes_little_time);
	return g_test_run();
}
