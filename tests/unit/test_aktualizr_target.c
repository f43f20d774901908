#include "../../installer/aktualizr_target.h"
#include <string.h>

#define COMMIT "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define OTHER "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static SatchelStateTarget *
target(const char *name, const char *commit, const char *custom)
{
	g_autoptr(GBytes) bytes = custom == NULL ? NULL : g_bytes_new(custom, strlen(custom));

	return satchel_aktualizr_target_new(name, commit, bytes);
}

static gint64
version_of(const char *custom)
{
	g_autoptr(SatchelStateTarget) self = target("a", COMMIT, custom);

	return self->version;
}

static void
test_version_is_a_decimal_number_or_none(void)
{
	g_assert_cmpint(version_of("{\"version\":\"12\"}"), ==, 12);
	g_assert_cmpint(version_of("{\"version\":12}"), ==, 12);
	g_assert_cmpint(version_of("{\"version\":-12}"), ==, -1);
	g_assert_cmpint(version_of("{\"version\":\"12a\"}"), ==, -1);
	g_assert_cmpint(version_of("{\"version\":\"9223372036854775808\"}"), ==, -1);
	g_assert_cmpint(version_of("{\"version\":[12]}"), ==, -1);
	g_assert_cmpint(version_of("{}"), ==, -1);
	g_assert_cmpint(version_of("[]"), ==, -1);
	g_assert_cmpint(version_of("{"), ==, -1);
	g_assert_cmpint(version_of(NULL), ==, -1);
}

static void
test_apps_are_in_order_and_odd_ones_left_out(void)
{
	g_autoptr(SatchelStateTarget) self =
		target("a", COMMIT,
		       "{\"docker_compose_apps\":{\"z\":{\"uri\":\"h/z\"},\"b\":{\"uri\":\"h/b\"},"
		       "\"a/b\":{\"uri\":\"h\"},\"..\":{\"uri\":\"h\"},\"n\":{},\"m\":1,"
		       "\"u\":{\"uri\":\"h\\nx\"}}}");
	const SatchelStateApp *first = NULL;

	g_assert_cmpuint(self->apps->len, ==, 2);
	first = g_ptr_array_index(self->apps, 0);
	g_assert_cmpstr(first->name, ==, "b");
	g_assert_cmpstr(first->uri, ==, "h/b");
}

static void
test_names_and_commits_that_are_none_give_no_target(void)
{
	g_autofree char *longest = g_strnfill(SATCHEL_LIMIT_NAME_BYTES, 'n');
	g_autofree char *longer = g_strnfill(SATCHEL_LIMIT_NAME_BYTES / 2 + 1, 'n');
	g_autofree char *parts = g_strconcat(longer, "/", longer, NULL);
	g_autoptr(SatchelStateTarget) good = target(longest, COMMIT, NULL);

	g_assert_nonnull(good);
	g_assert_null(target("", COMMIT, NULL));
	g_assert_null(target("a\nb", COMMIT, NULL));
	g_assert_null(target("../a", COMMIT, NULL));
	g_assert_null(target(parts, COMMIT, NULL));
	g_assert_null(target("a", "", NULL));
	g_assert_null(target("a", COMMIT "a", NULL));
}

static SatchelStateTarget *
imported(const char *text, GError **error)
{
	g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));

	return satchel_aktualizr_target_find_imported(bytes, COMMIT, error);
}

#define ENTRY(name, current, commit)                                                               \
	"\"" name "\":{\"is_current\":" current ",\"hashes\":{\"sha256\":\"" commit "\"},"         \
	"\"custom\":{\"version\":\"3\"}}"

static void
test_the_imported_one_is_called_current_and_runs(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelStateTarget) self =
		imported("{" ENTRY("old", "false", COMMIT) "," ENTRY(
				 "other", "true", OTHER) "," ENTRY("this", "true", COMMIT) "}",
			 &error);

	g_assert_no_error(error);
	g_assert_cmpstr(self->name, ==, "this");
	g_assert_cmpint(self->version, ==, 3);
	g_assert_null(imported("{}", &error));
	g_assert_null(imported("{\"a\":1}", &error));
	g_assert_null(imported("{\"a\":{\"is_current\":true}}", &error));
	g_assert_no_error(error);
}

static void
test_an_import_of_another_form_is_an_error(void)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(imported("[]", &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID);
	g_clear_error(&error);
	g_assert_null(imported("{", &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID);
}

#define ADD(name) g_test_add_func("/aktualizr_target/" #name, test_##name)

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD(version_is_a_decimal_number_or_none);
	ADD(apps_are_in_order_and_odd_ones_left_out);
	ADD(names_and_commits_that_are_none_give_no_target);
	ADD(the_imported_one_is_called_current_and_runs);
	ADD(an_import_of_another_form_is_an_error);
	return g_test_run();
}
