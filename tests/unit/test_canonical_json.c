#include "../../verify/json.h"
#include "../support/fixtures.h"

static void
assert_canonical(const char *folder, SatchelDialect dialect, const char *expected_name)
{
	g_autoptr(GBytes) document = fixture_bytes(folder, "input.json");
	g_autoptr(GBytes) expected = fixture_bytes(folder, expected_name);
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) got = satchel_canonical_json(document, dialect, &error);

	g_assert_no_error(error);
	g_assert_cmpmem(g_bytes_get_data(got, NULL), g_bytes_get_size(got),
			g_bytes_get_data(expected, NULL), g_bytes_get_size(expected));
}

static void
test_valid_document_has_its_canonical_forms(gconstpointer folder)
{
	assert_canonical(folder, SATCHEL_DIALECT_TUF, "tuf.canonical");
	assert_canonical(folder, SATCHEL_DIALECT_UPTANE, "uptane.canonical");
}

static void
assert_refused(const char *folder, SatchelDialect dialect)
{
	g_autoptr(GBytes) document = fixture_bytes(folder, "input.json");
	g_autofree char *reason = fixture_text(folder, "error");
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) got = satchel_canonical_json(document, dialect, &error);

	g_assert_null(got);
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID);
	g_assert_cmpstr(error->message, ==, reason);
}

static void
test_invalid_document_is_refused_with_its_place(gconstpointer folder)
{
	assert_refused(folder, SATCHEL_DIALECT_TUF);
	assert_refused(folder, SATCHEL_DIALECT_UPTANE);
}

/* What a program built itself, so that no parser stood before it. */
static void
assert_tree_refused(const json_t *tree)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) got = satchel_json_canonicalize(tree, SATCHEL_DIALECT_TUF, &error);

	g_assert_null(got);
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID);
}

static void
test_a_fraction_has_no_canonical_form(void)
{
	g_autoptr(SatchelJson) in_object = json_pack("{s:f}", "a", 1.5);
	g_autoptr(SatchelJson) in_array = json_pack("{s:[i,f]}", "a", 1, 1.5);

	assert_tree_refused(in_object);
	assert_tree_refused(in_array);
}

static json_t *
nested_arrays(guint depth)
{
	json_t *tree = json_array();

	for (guint i = 1; i < depth; i++)
		tree = json_pack("[o]", tree);
	return tree;
}

static void
test_a_tree_that_is_too_deep_is_refused(void)
{
	g_autoptr(SatchelJson) deepest = nested_arrays(SATCHEL_LIMIT_JSON_DEPTH);
	g_autoptr(SatchelJson) too_deep = nested_arrays(SATCHEL_LIMIT_JSON_DEPTH + 1);
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) got = satchel_json_canonicalize(deepest, SATCHEL_DIALECT_TUF, &error);

	g_assert_no_error(error);
	g_assert_nonnull(got);
	assert_tree_refused(too_deep);
}

/* Neighbours do not add up: depth is that of the place, not of the document. */
static void
test_depth_ends_with_its_container(void)
{
	g_autoptr(SatchelJson) tree = json_array();
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) got = NULL;

	for (guint i = 0; i < SATCHEL_LIMIT_JSON_DEPTH + 1; i++)
		json_array_append_new(tree, json_pack("{s:[]}", "a"));
	got = satchel_json_canonicalize(tree, SATCHEL_DIALECT_UPTANE, &error);
	g_assert_no_error(error);
	g_assert_nonnull(got);
}

/* A value of any type has a canonical form, not only a document. */
static void
test_a_single_value_has_a_canonical_form(void)
{
	g_autoptr(SatchelJson) tree = json_string("a\"b");
	g_autoptr(GBytes) got = satchel_json_canonicalize(tree, SATCHEL_DIALECT_TUF, NULL);

	g_assert_cmpmem(g_bytes_get_data(got, NULL), g_bytes_get_size(got), "\"a\\\"b\"", 6);
}

/* All members of an object, whatever their number and order: sorted, none lost, none twice. */
static void
test_many_members_are_sorted(void)
{
	const guint n_members = 20000;
	g_autoptr(SatchelJson) tree = json_object();
	g_autoptr(GString) expected = g_string_new("{");
	g_autoptr(GBytes) got = NULL;

	for (guint i = n_members; i-- > 0;) {
		g_autofree char *key = g_strdup_printf("%06u", i);

		json_object_set_new(tree, key, json_pack("{s:i, s:i}", "b", 1, "a", 2));
	}
	for (guint i = 0; i < n_members; i++)
		g_string_append_printf(expected, "%s\"%06u\":{\"a\":2,\"b\":1}", i > 0 ? "," : "",
				       i);
	g_string_append_c(expected, '}');
	got = satchel_json_canonicalize(tree, SATCHEL_DIALECT_TUF, NULL);
	g_assert_cmpmem(g_bytes_get_data(got, NULL), g_bytes_get_size(got), expected->str,
			expected->len);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	fixture_add_cases("canonical-json/valid", test_valid_document_has_its_canonical_forms);
	fixture_add_cases("canonical-json/invalid",
			  test_invalid_document_is_refused_with_its_place);
	g_test_add_func("/canonical-json/a-fraction-has-no-canonical-form",
			test_a_fraction_has_no_canonical_form);
	g_test_add_func("/canonical-json/a-tree-that-is-too-deep-is-refused",
			test_a_tree_that_is_too_deep_is_refused);
	g_test_add_func("/canonical-json/depth-ends-with-its-container",
			test_depth_ends_with_its_container);
	g_test_add_func("/canonical-json/a-single-value-has-a-canonical-form",
			test_a_single_value_has_a_canonical_form);
	g_test_add_func("/canonical-json/many-members-are-sorted", test_many_members_are_sorted);
	return g_test_run();
}
