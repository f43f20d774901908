#include "../../verify/json.h"
#include "../../verify/utc_time.h"

/* Which texts are refused, and where, stands in fixtures/canonical-json/. */

static SatchelJson *
parse(const char *text)
{
	g_autoptr(GBytes) document = g_bytes_new_static(text, strlen(text));
	g_autoptr(GError) error = NULL;
	SatchelJson *tree = satchel_json_parse(document, &error);

	g_assert_no_error(error);
	return tree;
}

static void
assert_parsed(const GString *text)
{
	g_autoptr(SatchelJson) tree = parse(text->str);

	g_assert_nonnull(tree);
}

static void
assert_refused(const GString *text, const char *message)
{
	g_autoptr(GBytes) document = g_bytes_new_static(text->str, text->len);
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelJson) tree = satchel_json_parse(document, &error);

	g_assert_null(tree);
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID);
	g_assert_cmpstr(error->message, ==, message);
}

static void
assert_error(GError *error, const char *message)
{
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID);
	g_assert_cmpstr(error->message, ==, message);
}

/* {"a":"…"} where @piece stands @n times. */
static GString *
document_of_string(const char *piece, gsize n)
{
	GString *text = g_string_new("{\"a\":\"");

	for (gsize i = 0; i < n; i++)
		g_string_append(text, piece);
	g_string_append(text, "\"}");
	return text;
}

/* The limit is on what the string becomes, so that no dialect's escapes make it shorter. */
static void
test_strings_are_bounded_by_decoded_bytes(void)
{
	static const struct {
		const char *piece;
		guint n_bytes;
	} cases[] = {
		{"x", 1},	{"\\n", 1},	{"\\u0041", 1},	       {"\\u007f", 1},
		{"\\u0080", 2}, {"\\u07ff", 2}, {"\\ud83d\\ude00", 4}, {"\xc3\xa9", 2},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		gsize most = SATCHEL_LIMIT_JSON_STRING_BYTES / cases[i].n_bytes;
		g_autoptr(GString) longest = document_of_string(cases[i].piece, most);
		g_autoptr(GString) longer = document_of_string(cases[i].piece, most + 1);

		assert_parsed(longest);
		assert_refused(longer, "line 1, column 6: string longer than 1048576 bytes");
	}
}

static void
test_three_byte_characters_count_three(void)
{
	static const char *const pieces[] = {"\\u0800", "\\uffff", "\\ud7ff", "\\ue000",
					     "\xe2\x82\xac"};

	for (gsize i = 0; i < G_N_ELEMENTS(pieces); i++) {
		/* 349525 times three bytes and one more are exactly the limit. */
		g_autoptr(GString) longest = document_of_string(pieces[i], 349525);
		g_autoptr(GString) longer = document_of_string(pieces[i], 349525);

		g_string_insert(longest, (gssize)longest->len - 2, "x");
		g_string_insert(longer, (gssize)longer->len - 2, "xx");
		assert_parsed(longest);
		assert_refused(longer, "line 1, column 6: string longer than 1048576 bytes");
	}
}

static void
test_member_names_are_bounded_too(void)
{
	g_autoptr(GString) text = document_of_string("", 0);
	g_autofree char *name = g_strnfill(SATCHEL_LIMIT_JSON_STRING_BYTES, 'x');

	g_string_insert(text, 2, name);
	assert_refused(text, "line 1, column 2: string longer than 1048576 bytes");
}

/* {"a":[@piece,…,@last]} with @n pieces. */
static GString *
document_of_elements(const char *piece, guint n, const char *last)
{
	GString *text = g_string_new("{\"a\":[");

	for (guint i = 0; i < n; i++) {
		g_string_append(text, piece);
		g_string_append_c(text, ',');
	}
	g_string_append(text, last);
	g_string_append(text, "]}");
	return text;
}

/* What each kind of value takes in memory is bounded, however few bytes it is in the document. */
static void
test_memory_is_bounded(void)
{
	static const struct {
		const char *piece;
		guint n_bytes;
	} cases[] = {
		{"{}", 224},
		{"[]", 128},
		{"\"\"", 80},
		{"\"abc\"", 83},
		{"0", 32},
		{"true", 0},
		{"{\"b\":[]}", 224 + 81 + 128},
		{"\"\xc3\xa9\"", 88},
		{"\"\xf0\x9f\x98\x80\"", 96},
		{"{\"\xe2\x82\xac\":0}", 224 + 80 + 9 + 32},
		{"{\"1\":0,\"2\":0,\"3\":0,\"4\":0,\"5\":0,\"6\":0,\"7\":0,\"8\":0,\"9\":0}",
		 224 + 9 * (81 + 32) + 64},
	};
	/* The object, its member `a` and the array; eight elements are included. */
	const guint rest_bytes = SATCHEL_LIMIT_JSON_MEMORY_BYTES - 224 - 81 - 128 + 8 * 24;

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		guint most = rest_bytes / (cases[i].n_bytes + 24);
		g_autoptr(GString) largest =
			document_of_elements(cases[i].piece, most - 1, cases[i].piece);
		g_autoptr(GString) larger =
			document_of_elements(cases[i].piece, most, cases[i].piece);
		g_autoptr(GBytes) document = g_bytes_new_static(larger->str, larger->len);
		g_autoptr(GError) error = NULL;
		g_autoptr(SatchelJson) tree = NULL;

		assert_parsed(largest);
		tree = satchel_json_parse(document, &error);
		g_assert_null(tree);
		g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID);
		g_assert_nonnull(strstr(error->message,
					"the document takes more than 58720256 bytes of memory"));
	}
}

static void
test_fifty_thousand_targets_are_accepted(void)
{
	g_autoptr(GString) text = g_string_new("{\"targets\":{");

	for (guint i = 0; i < 50000; i++)
		g_string_append_printf(text,
				       "%s\"packages/%02x/package-%u.tar\":{\"hashes\":{"
				       "\"sha256\":\"%064u\"},\"length\":%u}",
				       i == 0 ? "" : ",", i & 0xff, i, i, i);
	g_string_append(text, "}}");
	assert_parsed(text);
}

static void
test_the_same_depth_may_come_again(void)
{
	g_autoptr(GString) text = g_string_new("{\"a\":[0");

	for (guint i = 0; i < 2 * SATCHEL_LIMIT_JSON_DEPTH; i++)
		g_string_append(text, ",[{}]");
	g_string_append(text, "]}");
	assert_parsed(text);
}

/* An escape behind text, text behind an escape, and a name that has both. */
static void
test_escapes_and_text_are_joined(void)
{
	g_autoptr(SatchelJson) tree = parse("{\"x\\ny\":{\"\\tz\":\"a\\u00e9b\\\\\"}}");
	const json_t *inner = json_object_get(tree, "x\ny");

	g_assert_cmpstr(satchel_json_get_string(inner, "\tz", NULL), ==,
			"a\xc3\xa9"
			"b\\");
}

static void
test_every_control_character_in_a_string_is_refused(void)
{
	for (char c = 1; c < 0x20; c++) {
		char text[] = "{\"a\":\"x\"}";
		g_autoptr(GBytes) document = NULL;
		g_autoptr(GError) error = NULL;

		text[6] = c;
		document = g_bytes_new_static(text, strlen(text));
		g_assert_null(satchel_json_parse(document, &error));
		assert_error(error, "line 1, column 7: control character in a string");
	}
}

static void
test_space_and_delete_stand_for_themselves(void)
{
	g_autoptr(SatchelJson) tree = parse("{\"a\":\" \x7f\"}");

	g_assert_cmpstr(satchel_json_get_string(tree, "a", NULL), ==, " \x7f");
}

/* What stands in memory behind the document must not complete it. */
static void
test_nothing_behind_the_end_is_read(void)
{
	static const struct {
		const char *text;
		const char *rest;
		const char *message;
	} cases[] = {
		{"", "{}", "line 1, column 1: empty document"},
		{" ", " {}", "line 1, column 2: empty document"},
		{"\xef\xbb", "\xbf{}", "line 1, column 1: the document is not an object"},
		{"{", "}", "line 1, column 2: the document ends where a member's name is expected"},
		{"{\"a\"", ":1}", "line 1, column 5: the document ends where ':' is expected"},
		{"{\"a\":", "1}", "line 1, column 6: the document ends where a value is expected"},
		{"{\"a\":[", "]}", "line 1, column 7: the document ends where a value is expected"},
		{"{\"a\":1", "2}",
		 "line 1, column 7: the document ends where ',' or '}' is expected"},
		{"{\"a\":1", " }",
		 "line 1, column 7: the document ends where ',' or '}' is expected"},
		{"{\"a\":1", "}",
		 "line 1, column 7: the document ends where ',' or '}' is expected"},
		{"{\"a\":1", "e",
		 "line 1, column 7: the document ends where ',' or '}' is expected"},
		{"{\"a\":-", "1}", "line 1, column 6: number without digits"},
		{"{\"a\":tru", "e}", "line 1, column 6: a value expected"},
		{"{\"a\":\"x", "\"}", "line 1, column 8: the document ends within a string"},
		{"{\"a\":\"x", "y\"}", "line 1, column 8: the document ends within a string"},
		{"{\"a\":\"\\", "n\"}", "line 1, column 7: the document ends within a string"},
		{"{\"a\":\"\\n", "\"}", "line 1, column 9: the document ends within a string"},
		{"{\"a\":\"\\u12", "34\"}", "line 1, column 7: bad escape"},
		{"{\"a\":\"\\u123", "4\"}", "line 1, column 7: bad escape"},
		{"{\"a\":\"\\ud800", "\\udc00\"}", "line 1, column 7: lone surrogate"},
		{"{\"a\":\"\xe2\x82", "\xac\"}", "line 1, column 7: invalid UTF-8"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *longer = g_strconcat(cases[i].text, cases[i].rest, NULL);
		g_autoptr(GBytes) document = g_bytes_new_static(longer, strlen(cases[i].text));
		g_autoptr(GError) error = NULL;

		g_assert_null(satchel_json_parse(document, &error));
		assert_error(error, cases[i].message);
	}
}

static void
test_brackets_and_commas_in_strings_are_text(void)
{
	g_autoptr(GString) text = document_of_string("[{,\\\"", 1000);

	assert_parsed(text);
}

static void
test_strings_are_given_as_they_are(void)
{
	g_autoptr(SatchelJson) tree = parse("{\"a\":\"x\",\"b\":1}");
	g_autoptr(GError) absent = NULL;
	g_autoptr(GError) other = NULL;

	g_assert_cmpstr(satchel_json_get_string(tree, "a", NULL), ==, "x");
	g_assert_null(satchel_json_get_string(tree, "c", &absent));
	assert_error(absent, "no member 'c'");
	g_assert_null(satchel_json_get_string(tree, "b", &other));
	assert_error(other, "member 'b' is not a string");
}

static void
test_containers_are_told_apart(void)
{
	g_autoptr(SatchelJson) tree = parse("{\"o\":{},\"a\":[]}");
	g_autoptr(GError) no_object = NULL;
	g_autoptr(GError) no_array = NULL;

	g_assert_true(satchel_json_get_object(tree, "o", NULL) == json_object_get(tree, "o"));
	g_assert_true(satchel_json_get_array(tree, "a", NULL) == json_object_get(tree, "a"));
	g_assert_null(satchel_json_get_object(tree, "a", &no_object));
	assert_error(no_object, "member 'a' is not an object");
	g_assert_null(satchel_json_get_array(tree, "o", &no_array));
	assert_error(no_array, "member 'o' is not an array");
}

static void
test_integers_are_within_their_bounds(void)
{
	g_autoptr(SatchelJson) tree = parse("{\"a\":5}");
	gint64 value = 0;

	g_assert_true(satchel_json_get_int(tree, "a", 5, 5, &value, NULL));
	g_assert_cmpint(value, ==, 5);
}

static void
test_integers_out_of_bounds_are_refused(void)
{
	g_autoptr(SatchelJson) tree = parse("{\"a\":5,\"b\":\"5\"}");
	g_autoptr(GError) low = NULL;
	g_autoptr(GError) high = NULL;
	g_autoptr(GError) text = NULL;
	gint64 value = -1;

	g_assert_false(satchel_json_get_int(tree, "a", 6, 9, &value, &low));
	assert_error(low, "member 'a' is 5, not from 6 to 9");
	g_assert_false(satchel_json_get_int(tree, "a", 0, 4, &value, &high));
	assert_error(high, "member 'a' is 5, not from 0 to 4");
	g_assert_false(satchel_json_get_int(tree, "b", 0, 9, &value, &text));
	assert_error(text, "member 'b' is not an integer");
	g_assert_cmpint(value, ==, -1);
}

static void
test_arrays_of_strings_are_copied(void)
{
	g_autoptr(SatchelJson) tree = parse("{\"a\":[\"x\",\"y\"],\"empty\":[]}");
	g_auto(GStrv) two = satchel_json_get_strv(tree, "a", NULL);
	g_auto(GStrv) none = satchel_json_get_strv(tree, "empty", NULL);

	g_assert_cmpuint(g_strv_length(two), ==, 2);
	g_assert_cmpstr(two[0], ==, "x");
	g_assert_cmpstr(two[1], ==, "y");
	g_assert_cmpuint(g_strv_length(none), ==, 0);
}

static void
test_arrays_of_other_things_are_refused(void)
{
	g_autoptr(SatchelJson) tree = parse("{\"a\":[\"x\",1],\"b\":\"x\"}");
	g_autoptr(GError) mixed = NULL;
	g_autoptr(GError) text = NULL;

	g_assert_null(satchel_json_get_strv(tree, "a", &mixed));
	assert_error(mixed, "element 1 of 'a' is not a string");
	g_assert_null(satchel_json_get_strv(tree, "b", &text));
	assert_error(text, "member 'b' is not an array");
}

static void
test_times_are_seconds(void)
{
	g_autoptr(SatchelJson) tree =
		parse("{\"a\":\"2090-01-01T00:00:00Z\",\"b\":\"2090-02-30T00:00:00Z\",\"c\":1}");
	g_autoptr(GError) unreal = NULL;
	g_autoptr(GError) number = NULL;
	gint64 seconds = -1;

	g_assert_true(satchel_json_get_time(tree, "a", &seconds, NULL));
	g_assert_cmpint(seconds, ==, 3786912000);
	g_assert_false(satchel_json_get_time(tree, "b", &seconds, &unreal));
	assert_error(unreal, "member 'b': '2090-02-30T00:00:00Z' is not a time of the form "
			     "YYYY-MM-DDTHH:MM:SSZ");
	g_assert_false(satchel_json_get_time(tree, "c", &seconds, &number));
	assert_error(number, "member 'c' is not a string");
	g_assert_cmpint(seconds, ==, 3786912000);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/json/strings-are-bounded-by-decoded-bytes",
			test_strings_are_bounded_by_decoded_bytes);
	g_test_add_func("/json/three-byte-characters-count-three",
			test_three_byte_characters_count_three);
	g_test_add_func("/json/member-names-are-bounded-too", test_member_names_are_bounded_too);
	g_test_add_func("/json/memory-is-bounded", test_memory_is_bounded);
	g_test_add_func("/json/fifty-thousand-targets-are-accepted",
			test_fifty_thousand_targets_are_accepted);
	g_test_add_func("/json/the-same-depth-may-come-again", test_the_same_depth_may_come_again);
	g_test_add_func("/json/escapes-and-text-are-joined", test_escapes_and_text_are_joined);
	g_test_add_func("/json/every-control-character-in-a-string-is-refused",
			test_every_control_character_in_a_string_is_refused);
	g_test_add_func("/json/space-and-delete-stand-for-themselves",
			test_space_and_delete_stand_for_themselves);
	g_test_add_func("/json/nothing-behind-the-end-is-read",
			test_nothing_behind_the_end_is_read);
	g_test_add_func("/json/brackets-and-commas-in-strings-are-text",
			test_brackets_and_commas_in_strings_are_text);
	g_test_add_func("/json/strings-are-given-as-they-are", test_strings_are_given_as_they_are);
	g_test_add_func("/json/containers-are-told-apart", test_containers_are_told_apart);
	g_test_add_func("/json/integers-are-within-their-bounds",
			test_integers_are_within_their_bounds);
	g_test_add_func("/json/integers-out-of-bounds-are-refused",
			test_integers_out_of_bounds_are_refused);
	g_test_add_func("/json/arrays-of-strings-are-copied", test_arrays_of_strings_are_copied);
	g_test_add_func("/json/arrays-of-other-things-are-refused",
			test_arrays_of_other_things_are_refused);
	g_test_add_func("/json/times-are-seconds", test_times_are_seconds);
	return g_test_run();
}
