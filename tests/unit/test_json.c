#include "../../verify/json.h"

static GBytes *
bytes(const char *text)
{
	return g_bytes_new(text, strlen(text));
}

static void
assert_refused(GBytes *document, const char *message)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelJson) tree = satchel_json_parse(document, &error);

	g_assert_null(tree);
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID);
	if (strstr(error->message, message) == NULL)
		g_error("'%s' is not in '%s'", message, error->message);
}

static void
test_a_plain_document_is_read(void)
{
	g_autoptr(GBytes) document = bytes("{\"a\": [1, -2, true, null, \"x\"]}\n");
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelJson) tree = satchel_json_parse(document, &error);

	g_assert_no_error(error);
	g_assert_cmpuint(json_array_size(json_object_get(tree, "a")), ==, 5);
}

static void
test_refusals_name_the_place(void)
{
	static const struct {
		const char *text;
		const char *message;
	} cases[] = {
		{"", "line 1, column 1: empty document"},
		{"[]", "line 1, column 1: the document is not an object"},
		{"{\"a\":1.0}", "line 1, column 6: number that is not a plain integer"},
		{"{\"a\":\n 1e3}", "line 2, column 2: number that is not a plain integer"},
		{"{\"é\":-0}", "line 1, column 6: negative zero"},
		{"{\"a\":01}", "line 1, column"},
		{"{\"a\":9223372036854775808}", "too big integer"},
		{"{\"a\":1,\"a\":2}", "duplicate object key"},
		{"{\"a\":\"\\u0000\"}", "line 1, column 7: \\u0000 in a string"},
		{"{\"a\":\"\\ud800\"}", "line 1, column"},
		{"{} x", "line 1, column"},
		{"\xef\xbb\xbf{}", "byte order mark"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GBytes) document = bytes(cases[i].text);

		assert_refused(document, cases[i].message);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/json/a-plain-document-is-read", test_a_plain_document_is_read);
	g_test_add_func("/json/refusals-name-the-place", test_refusals_name_the_place);
	return g_test_run();
}
