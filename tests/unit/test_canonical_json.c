#include "../../verify/json.h"

static void
assert_canonical(const char *text, SatchelDialect dialect, const char *expected)
{
	g_autoptr(GBytes) document = g_bytes_new(text, strlen(text));
	g_autoptr(GBytes) wanted = g_bytes_new(expected, strlen(expected));
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) got = satchel_canonical_json(document, dialect, &error);

	g_assert_no_error(error);
	g_assert_true(g_bytes_equal(got, wanted));
}

static void
test_members_are_sorted_and_white_space_goes(void)
{
	const char *text =
		" { \"b\" : [ ] , \"a\" : { } , \"aa\" : [ 1 , -2 , null , true, false ] }\n";
	const char *canonical = "{\"a\":{},\"aa\":[1,-2,null,true,false],\"b\":[]}";

	assert_canonical(text, SATCHEL_DIALECT_TUF, canonical);
	assert_canonical(text, SATCHEL_DIALECT_UPTANE, canonical);
}

static void
test_tuf_escapes_only_quote_and_backslash(void)
{
	assert_canonical("{\"a\":\"\\\"\\\\\\/\\n\\u0001\\u007f\\u00e9\\ud83d\\ude00\"}",
			 SATCHEL_DIALECT_TUF,
			 "{\"a\":\"\\\"\\\\/\n\x01\x7f\xc3\xa9\xf0\x9f\x98\x80\"}");
}

static void
test_uptane_escapes_controls_and_all_beyond_ascii(void)
{
	assert_canonical(
		"{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f\\u00e9\\ud83d\\ude00\"}",
		SATCHEL_DIALECT_UPTANE,
		"{\"a\":\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\\u00e9\\ud83d\\ude00\"}");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/canonical-json/members-are-sorted",
			test_members_are_sorted_and_white_space_goes);
	g_test_add_func("/canonical-json/tuf-escapes-only-quote-and-backslash",
			test_tuf_escapes_only_quote_and_backslash);
	g_test_add_func("/canonical-json/uptane-escapes-controls-and-all-beyond-ascii",
			test_uptane_escapes_controls_and_all_beyond_ascii);
	return g_test_run();
}
