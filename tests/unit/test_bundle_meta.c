/* Walks fixtures/bundle-meta/, and judges one good document by type, tag and time. */
#include "../../verify/json.h"
#include "../../verify/utc_time.h"
#include <satchel/bundle_meta.h>

static GBytes *
read_fixture(const char *folder, const char *name)
{
	g_autofree char *path =
		g_build_filename(g_getenv("SATCHEL_FIXTURES"), "bundle-meta", folder, name, NULL);
	g_autoptr(GError) error = NULL;
	char *content = NULL;
	gsize n_bytes = 0;

	if (!g_file_get_contents(path, &content, &n_bytes, &error))
		g_error("%s", error->message);
	return g_bytes_new_take(content, n_bytes);
}

static SatchelRoot *
read_root(const char *folder)
{
	g_autoptr(GBytes) bytes = read_fixture(folder, "root.json");
	g_autoptr(GError) error = NULL;
	SatchelRoot *root = satchel_root_new_trusted(bytes, &error);

	g_assert_no_error(error);
	return root;
}

static SatchelBundleMeta *
read_good(const char *folder)
{
	g_autoptr(SatchelRoot) root = read_root(folder);
	g_autoptr(GBytes) bytes = read_fixture(folder, "bundle-targets.json");
	g_autoptr(GError) error = NULL;
	SatchelBundleMeta *meta = satchel_bundle_meta_verify(root, bytes, &error);

	g_assert_no_error(error);
	return meta;
}

static void
assert_refused(const SatchelRoot *root, GBytes *document, const char *message)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelBundleMeta) meta = satchel_bundle_meta_verify(root, document, &error);

	g_assert_null(meta);
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_BUNDLE_INVALID);
	if (!g_str_has_prefix(error->message, "bundle-targets.json") ||
	    strstr(error->message, message) == NULL)
		g_error("'%s' is not in '%s'", message, error->message);
	g_test_message("%s", error->message);
}

static void
assert_strv(const char *const *got, const json_t *expected)
{
	g_assert_cmpuint(g_strv_length((GStrv)(guintptr)got), ==, json_array_size(expected));
	for (gsize i = 0; got[i] != NULL; i++)
		g_assert_cmpstr(got[i], ==, json_string_value(json_array_get(expected, i)));
}

static void
assert_text(const char *got, const json_t *claims, const char *member)
{
	if (json_object_get(claims, member) != NULL)
		g_assert_cmpstr(got, ==, json_string_value(json_object_get(claims, member)));
}

static void
assert_issued(gint64 issued_s, const json_t *claims)
{
	const char *text = json_string_value(json_object_get(claims, "issued"));
	gint64 expected = -1;

	if (json_object_get(claims, "issued") == NULL)
		return;
	if (text != NULL)
		g_assert_true(satchel_utc_time_parse(text, &expected, NULL));
	g_assert_cmpint(issued_s, ==, expected);
}

static void
assert_claims(const SatchelBundleMeta *meta, const json_t *claims)
{
	gint64 expires_s;

	g_assert_true(satchel_utc_time_parse("2090-01-01T00:00:00Z", &expires_s, NULL));
	g_assert_cmpint(satchel_bundle_meta_get_version(meta), ==, 7);
	g_assert_cmpint(satchel_bundle_meta_get_expires_s(meta), ==, expires_s);
	assert_text(satchel_bundle_meta_get_type(meta), claims, "type");
	assert_text(satchel_bundle_meta_get_tag(meta), claims, "tag");
	assert_text(satchel_bundle_meta_get_manifest_sha256(meta), claims, "manifest");
	if (json_object_get(claims, "targets") != NULL)
		assert_strv(satchel_bundle_meta_get_targets(meta),
			    json_object_get(claims, "targets"));
	if (json_object_get(claims, "length") != NULL)
		g_assert_cmpuint(satchel_bundle_meta_get_manifest_length_bytes(meta), ==,
				 (guint64)json_integer_value(json_object_get(claims, "length")));
	assert_issued(satchel_bundle_meta_get_issued_s(meta), claims);
}

/* A view is for all whose form is right, whoever signed, and counts who did. */
static void
assert_view(const SatchelRoot *root, GBytes *document, const json_t *tree)
{
	const json_t *claims = json_object_get(tree, "claims");
	const json_t *signers = json_object_get(tree, "signers");
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelBundleMetaView) view =
		satchel_bundle_meta_view_new(root, document, &error);

	if (signers == NULL)
		return;
	g_assert_no_error(error);
	g_assert_cmpuint(
		g_strv_length((GStrv)(guintptr)satchel_bundle_meta_view_get_signed_keyids(view)),
		==, (guint)json_integer_value(signers));
	g_assert_cmpuint(
		g_strv_length((GStrv)(guintptr)satchel_bundle_meta_view_get_allowed_keyids(view)),
		==, satchel_bundle_meta_view_get_threshold(view));
	g_assert_cmpint(satchel_bundle_meta_view_get_version(view), ==, 7);
	g_assert_cmpint(satchel_bundle_meta_view_get_expires_s(view), >, 0);
	assert_text(satchel_bundle_meta_view_get_type(view), claims, "type");
	assert_text(satchel_bundle_meta_view_get_tag(view), claims, "tag");
	assert_issued(satchel_bundle_meta_view_get_issued_s(view), claims);
	if (json_object_get(claims, "targets") != NULL)
		assert_strv(satchel_bundle_meta_view_get_targets(view),
			    json_object_get(claims, "targets"));
}

static void
assert_thin(const SatchelBundleMeta *meta, const json_t *expected)
{
	const SatchelBundleThin *thin = satchel_bundle_meta_get_thin(meta);
	const json_t *bases = json_object_get(expected, "from");

	if (expected == NULL)
		return;
	g_assert_nonnull(thin);
	g_assert_cmpuint(thin->n_bases, ==, json_array_size(bases));
	for (guint i = 0; i < thin->n_bases; i++)
		g_assert_cmpstr(thin->bases[i].commit, ==,
				json_string_value(json_array_get(bases, i)));
	g_assert_cmpuint(thin->n_deltas, ==,
			 (guint)json_integer_value(json_object_get(expected, "deltas")));
	g_assert_cmpuint(thin->full.n_objects, ==, 9);
	g_assert_cmpuint(thin->full.size_bytes, ==, 9000);
	g_assert_cmpuint(thin->bases[0].lacks.size_bytes, ==, 4096);
	g_assert_cmpstr(thin->bases[0].names[0], ==, "lmp-0");
}

static void
test_case(gconstpointer data)
{
	const char *folder = data;
	g_autoptr(SatchelRoot) root = read_root(folder);
	g_autoptr(GBytes) document = read_fixture(folder, "bundle-targets.json");
	g_autoptr(GBytes) text = read_fixture(folder, "case.json");
	g_autoptr(SatchelJson) tree = satchel_json_parse(text, NULL);
	const char *message = json_string_value(json_object_get(tree, "message"));
	g_autoptr(SatchelBundleMeta) meta = NULL;

	g_assert_nonnull(tree);
	if (message == NULL) {
		meta = read_good(folder);
		assert_claims(meta, json_object_get(tree, "claims"));
		assert_thin(meta, json_object_get(tree, "thin"));
	} else {
		assert_refused(root, document, message);
	}
	assert_view(root, document, tree);
}

static void
test_what_has_the_wrong_form_cannot_be_viewed(void)
{
	g_autoptr(SatchelRoot) root = read_root("other-type-uptane");
	g_autoptr(GBytes) document = read_fixture("other-type-uptane", "bundle-targets.json");
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelBundleMetaView) view =
		satchel_bundle_meta_view_new(root, document, &error);

	g_assert_null(view);
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_BUNDLE_INVALID);
}

static void
test_what_is_no_document_is_refused(void)
{
	g_autoptr(SatchelRoot) root = read_root("plain-uptane");
	static const char *const texts[] = {"", "{", "[]", "{\"signatures\": [], \"signed\": 1}"};

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(GBytes) document = g_bytes_new_static(texts[i], strlen(texts[i]));
		g_autoptr(GError) error = NULL;
		g_autoptr(SatchelBundleMetaView) view = NULL;

		assert_refused(root, document, ": ");
		view = satchel_bundle_meta_view_new(root, document, &error);
		g_assert_null(view);
		g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_BUNDLE_INVALID);
	}
}

static GBytes *
pad(GBytes *document, gsize n_bytes)
{
	GByteArray *padded = g_bytes_unref_to_array(g_bytes_ref(document));

	while (padded->len < n_bytes)
		g_byte_array_append(padded, (const guint8 *)" ", 1);
	return g_byte_array_free_to_bytes(padded);
}

static void
test_a_document_past_the_limit_is_refused(void)
{
	g_autoptr(SatchelRoot) root = read_root("plain-tuf");
	g_autoptr(GBytes) document = read_fixture("plain-tuf", "bundle-targets.json");
	g_autoptr(GBytes) longest = pad(document, SATCHEL_LIMIT_BUNDLE_META_BYTES);
	g_autoptr(GBytes) longer = pad(document, SATCHEL_LIMIT_BUNDLE_META_BYTES + 1);
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelBundleMeta) meta = satchel_bundle_meta_verify(root, longest, &error);

	g_assert_no_error(error);
	g_assert_nonnull(meta);
	assert_refused(root, longer, "longer than");
}

static void
test_expiry_must_be_later_than_now(void)
{
	g_autoptr(SatchelBundleMeta) meta = read_good("plain-uptane");
	gint64 expires_s = satchel_bundle_meta_get_expires_s(meta);
	g_autoptr(GError) error = NULL;

	g_assert_true(satchel_bundle_meta_check_expiry(meta, expires_s - 1, NULL));
	g_assert_false(satchel_bundle_meta_check_expiry(meta, expires_s, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_EXPIRED);
	g_assert_cmpstr(error->message, ==,
			"bundle-targets.json 7: expired at 2090-01-01T00:00:00Z, now is "
			"2090-01-01T00:00:00Z");
}

static void
test_another_type_is_refused(void)
{
	g_autoptr(SatchelBundleMeta) ci = read_good("plain-uptane");
	g_autoptr(SatchelBundleMeta) prod = read_good("prod-uptane");
	g_autoptr(GError) error = NULL;

	g_assert_true(satchel_bundle_meta_check_type(ci, "ci", NULL));
	g_assert_true(satchel_bundle_meta_check_type(prod, "prod", NULL));
	g_assert_true(satchel_bundle_meta_check_type(prod, NULL, NULL));
	g_assert_false(satchel_bundle_meta_check_type(prod, "ci", NULL));
	g_assert_false(satchel_bundle_meta_check_type(ci, "prod", &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_BUNDLE_INVALID);
	g_assert_cmpstr(error->message, ==,
			"bundle-targets.json: the bundle is of type ci, the device of type prod");
}

static void
test_one_of_the_tags_must_be_the_bundles(void)
{
	static const char *const good[] = {"main", "devel", NULL};
	static const char *const bad[] = {"main", "Devel", "devel-2", NULL};
	static const char *const none[] = {NULL};
	g_autoptr(SatchelBundleMeta) meta = read_good("plain-uptane");
	g_autoptr(GError) error = NULL;

	g_assert_true(satchel_bundle_meta_check_tags(meta, good, NULL));
	g_assert_true(satchel_bundle_meta_check_tags(meta, none, NULL));
	g_assert_true(satchel_bundle_meta_check_tags(meta, NULL, NULL));
	g_assert_false(satchel_bundle_meta_check_tags(meta, bad, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_OTHER_TAG);
	g_assert_cmpstr(error->message, ==,
			"bundle-targets.json: the bundle is for tag devel, the device takes "
			"main, Devel, devel-2");
}

static void
add_cases(void)
{
	g_autofree char *top = g_build_filename(g_getenv("SATCHEL_FIXTURES"), "bundle-meta", NULL);
	g_autoptr(GDir) dir = g_dir_open(top, 0, NULL);
	const char *name;

	g_assert_nonnull(dir);
	while ((name = g_dir_read_name(dir)) != NULL) {
		g_autofree char *test = g_strconcat("/bundle-meta/", name, NULL);

		g_test_add_data_func_full(test, g_strdup(name), test_case, g_free);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add_cases();
	g_test_add_func("/bundle-meta/view-wrong-form",
			test_what_has_the_wrong_form_cannot_be_viewed);
	g_test_add_func("/bundle-meta/no-document", test_what_is_no_document_is_refused);
	g_test_add_func("/bundle-meta/too-long", test_a_document_past_the_limit_is_refused);
	g_test_add_func("/bundle-meta/expiry", test_expiry_must_be_later_than_now);
	g_test_add_func("/bundle-meta/type", test_another_type_is_refused);
	g_test_add_func("/bundle-meta/tags", test_one_of_the_tags_must_be_the_bundles);
	return g_test_run();
}
