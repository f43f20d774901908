#include "../support/app_builder.h"
#include <satchel/limits.h>

#define IMAGE_NAME "hub.example.org/library/busybox"
#define INDEX "\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"schemaVersion\":2"

static char *
compose_of(const char *image)
{
	return g_strdup_printf("services:\n  one:\n    image: " IMAGE_NAME "@sha256:%s\n", image);
}

static SatchelAppClosure *
close_over(AppShelf *shelf, const char *uri, const char *platform_text, GError **error)
{
	SatchelAppSource source = app_shelf_source(shelf);
	g_autoptr(SatchelOciPlatform) platform =
		platform_text != NULL ? satchel_oci_platform_parse(platform_text, NULL) : NULL;

	return satchel_app_closure_new(&source, uri, platform, error);
}

static void
assert_refused(AppShelf *shelf, const char *uri, const char *platform, SatchelError code,
	       const char *message)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelAppClosure) closure = close_over(shelf, uri, platform, &error);

	g_assert_null(closure);
	g_assert_error(error, SATCHEL_ERROR, (int)code);
	if (strstr(error->message, message) == NULL)
		g_error("'%s' is not in '%s'", message, error->message);
}

/* The digest of a blob of that kind in an app that is whole. */
static char *
digest_of(AppShelf *shelf, const char *uri, SatchelAppBlobKind kind)
{
	g_autoptr(SatchelAppClosure) closure = close_over(shelf, uri, NULL, NULL);

	g_assert_nonnull(closure);
	for (guint i = 0; i < closure->blobs->len; i++) {
		const SatchelAppBlob *blob = &g_array_index(closure->blobs, SatchelAppBlob, i);

		if (blob->kind == kind)
			return g_strdup(blob->sha256);
	}
	g_error("no %s", satchel_app_blob_kind_name(kind));
}

static char *
put_small_app(AppShelf *shelf)
{
	g_autofree char *image = app_put_image(shelf, "layer of one");
	g_autofree char *compose = compose_of(image);

	return app_put(shelf, compose);
}

static void
test_the_closure_lists_every_blob_once(void)
{
	static const SatchelAppBlobKind expected[] = {
		SATCHEL_APP_BLOB_MANIFEST,	 SATCHEL_APP_BLOB_ARCHIVE,
		SATCHEL_APP_BLOB_IMAGE_MANIFEST, SATCHEL_APP_BLOB_IMAGE_CONFIG,
		SATCHEL_APP_BLOB_IMAGE_LAYER,
	};
	g_auto(AppShelf) shelf;
	g_autoptr(GError) error = NULL;
	g_autofree char *image = NULL;
	g_autofree char *compose = NULL;
	g_autofree char *uri = NULL;
	g_autoptr(SatchelAppClosure) closure = NULL;
	guint64 sum_bytes = 0;

	app_shelf_init(&shelf);
	image = app_put_image(&shelf, "layer");
	/* Two services, one image. */
	compose = g_strdup_printf("services:\n  a:\n    image: " IMAGE_NAME
				  "@sha256:%s\n  b:\n    image: " IMAGE_NAME "@sha256:%s\n",
				  image, image);
	uri = app_put(&shelf, compose);
	closure = close_over(&shelf, uri, "linux/arm64", &error);
	g_assert_no_error(error);
	g_assert_cmpstr(closure->name, ==, "app");
	g_assert_cmpstr(closure->uri, ==, uri);
	g_assert_cmpuint(closure->images->len, ==, 1);
	g_assert_cmpuint(closure->compose->services->len, ==, 2);
	g_assert_cmpuint(closure->blobs->len, ==, G_N_ELEMENTS(expected));
	for (guint i = 0; i < closure->blobs->len; i++) {
		const SatchelAppBlob *blob = &g_array_index(closure->blobs, SatchelAppBlob, i);

		g_assert_cmpint(blob->kind, ==, expected[i]);
		g_assert_cmpuint(blob->size_bytes, ==, app_shelf_size(&shelf, blob->sha256));
		sum_bytes += blob->size_bytes;
	}
	g_assert_cmpuint(closure->size_bytes, ==, sum_bytes);
}

static void
test_a_missing_blob_is_named(void)
{
	static const SatchelAppBlobKind kinds[] = {
		SATCHEL_APP_BLOB_MANIFEST,	 SATCHEL_APP_BLOB_ARCHIVE,
		SATCHEL_APP_BLOB_IMAGE_MANIFEST, SATCHEL_APP_BLOB_IMAGE_CONFIG,
		SATCHEL_APP_BLOB_IMAGE_LAYER,
	};

	for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
		g_auto(AppShelf) shelf;
		g_autofree char *uri = NULL;
		g_autofree char *digest = NULL;
		g_autofree char *message = NULL;

		app_shelf_init(&shelf);
		uri = put_small_app(&shelf);
		digest = digest_of(&shelf, uri, kinds[i]);
		g_hash_table_remove(shelf.blobs, digest);
		message = g_strdup_printf("apps/blobs/sha256/%s, the %s, is not there", digest,
					  satchel_app_blob_kind_name(kinds[i]));
		assert_refused(&shelf, uri, NULL, SATCHEL_ERROR_NO_TARGET_CONTENT, message);
	}
}

static void
test_an_altered_document_is_read_twice_and_refused(void)
{
	static const SatchelAppBlobKind kinds[] = {SATCHEL_APP_BLOB_MANIFEST,
						   SATCHEL_APP_BLOB_ARCHIVE,
						   SATCHEL_APP_BLOB_IMAGE_MANIFEST};

	for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
		g_auto(AppShelf) shelf;
		g_autofree char *uri = NULL;
		g_autofree char *digest = NULL;
		g_autofree guint8 *data = NULL;
		gsize n_bytes;

		app_shelf_init(&shelf);
		uri = put_small_app(&shelf);
		digest = digest_of(&shelf, uri, kinds[i]);
		n_bytes = app_shelf_size(&shelf, digest);
		data = g_memdup2(g_bytes_get_data(g_hash_table_lookup(shelf.blobs, digest), NULL),
				 n_bytes);
		data[n_bytes - 1] ^= 1;
		g_hash_table_replace(shelf.blobs, g_strdup(digest), g_bytes_new(data, n_bytes));
		assert_refused(&shelf, uri, NULL, SATCHEL_ERROR_DOWNLOAD_FAILED, digest);
		g_assert_cmpuint(shelf.n_forgotten, ==, 1);
	}
}

static void
test_a_blob_of_another_size_is_refused(void)
{
	static const SatchelAppBlobKind kinds[] = {SATCHEL_APP_BLOB_IMAGE_CONFIG,
						   SATCHEL_APP_BLOB_IMAGE_LAYER};

	for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
		g_auto(AppShelf) shelf;
		g_autofree char *uri = NULL;
		g_autofree char *digest = NULL;

		app_shelf_init(&shelf);
		uri = put_small_app(&shelf);
		digest = digest_of(&shelf, uri, kinds[i]);
		g_hash_table_replace(shelf.blobs, g_strdup(digest), g_bytes_new("short", 5));
		assert_refused(&shelf, uri, NULL, SATCHEL_ERROR_DOWNLOAD_FAILED,
			       "has 5 bytes, not");
	}
}

/* An app whose image is for amd64 and arm64. */
static char *
put_index_app(AppShelf *shelf, char **amd64, char **arm64)
{
	g_autofree char *one = NULL;
	g_autofree char *other = NULL;
	g_autofree char *text = NULL;
	g_autofree char *index = NULL;
	g_autofree char *compose = NULL;

	*amd64 = app_put_image(shelf, "for amd64");
	*arm64 = app_put_image(shelf, "for arm64");
	one = app_descriptor(shelf, "application/vnd.oci.image.manifest.v1+json", *amd64,
			     ",\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}");
	other = app_descriptor(
		shelf, "application/vnd.oci.image.manifest.v1+json", *arm64,
		",\"platform\":{\"os\":\"linux\",\"architecture\":\"arm64\",\"variant\":\"v8\"}");
	text = g_strdup_printf("{" INDEX ",\"manifests\":[%s,%s]}", one, other);
	index = app_shelf_put_text(shelf, text);
	compose = compose_of(index);
	return app_put(shelf, compose);
}

static void
test_of_an_index_the_platform_is_taken(void)
{
	g_auto(AppShelf) shelf;
	g_autoptr(GError) error = NULL;
	g_autofree char *amd64 = NULL;
	g_autofree char *arm64 = NULL;
	g_autofree char *uri = NULL;
	g_autoptr(SatchelAppClosure) closure = NULL;
	const SatchelAppImage *image;

	app_shelf_init(&shelf);
	uri = put_index_app(&shelf, &amd64, &arm64);
	closure = close_over(&shelf, uri, "linux/arm64", &error);
	g_assert_no_error(error);
	g_assert_cmpuint(closure->images->len, ==, 1);
	image = closure->images->pdata[0];
	g_assert_cmpstr(image->descriptor->sha256, ==, arm64);
	g_assert_cmpuint(closure->blobs->len, ==, 6);
	/* What another machine needs may be left out. */
	g_hash_table_remove(shelf.blobs, amd64);
	g_clear_pointer(&closure, satchel_app_closure_free);
	closure = close_over(&shelf, uri, "linux/arm64", &error);
	g_assert_no_error(error);
	assert_refused(&shelf, uri, "linux/amd64", SATCHEL_ERROR_NO_TARGET_CONTENT, amd64);
	assert_refused(&shelf, uri, "linux/riscv64", SATCHEL_ERROR_NO_TARGET_CONTENT,
		       "not there for linux/riscv64");
}

static void
test_without_a_platform_all_that_are_there_are_taken(void)
{
	g_auto(AppShelf) shelf;
	g_autoptr(GError) error = NULL;
	g_autofree char *amd64 = NULL;
	g_autofree char *arm64 = NULL;
	g_autofree char *uri = NULL;
	g_autoptr(SatchelAppClosure) closure = NULL;

	app_shelf_init(&shelf);
	uri = put_index_app(&shelf, &amd64, &arm64);
	closure = close_over(&shelf, uri, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(closure->images->len, ==, 2);
	g_assert_cmpuint(closure->blobs->len, ==, 9);
	g_hash_table_remove(shelf.blobs, amd64);
	g_clear_pointer(&closure, satchel_app_closure_free);
	closure = close_over(&shelf, uri, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(closure->images->len, ==, 1);
	g_hash_table_remove(shelf.blobs, arm64);
	assert_refused(&shelf, uri, NULL, SATCHEL_ERROR_NO_TARGET_CONTENT, "for any platform");
}

static void
test_a_partial_source_needs_no_layers(void)
{
	g_auto(AppShelf) shelf;
	g_autoptr(GError) error = NULL;
	g_autofree char *uri = NULL;
	g_autofree char *layer = NULL;
	g_autoptr(SatchelAppClosure) closure = NULL;
	SatchelAppSource source;

	app_shelf_init(&shelf);
	uri = put_small_app(&shelf);
	layer = digest_of(&shelf, uri, SATCHEL_APP_BLOB_IMAGE_LAYER);
	g_hash_table_remove(shelf.blobs, layer);
	source = app_shelf_source(&shelf);
	closure = satchel_app_closure_new_partial(&source, uri, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(closure->blobs->len, ==, 5);
}

static void
test_documents_of_the_right_hash_and_a_wrong_form_are_invalid(void)
{
	g_auto(AppShelf) shelf;
	g_autofree char *nothing = NULL;
	g_autofree char *app = NULL;
	g_autofree char *image_compose = NULL;
	g_autofree char *image_app = NULL;
	g_autofree char *compose_app = NULL;

	app_shelf_init(&shelf);
	nothing = app_shelf_put_text(&shelf, "{}");
	app = g_strconcat("hub.example.org/factory/app@sha256:", nothing, NULL);
	assert_refused(&shelf, app, NULL, SATCHEL_ERROR_CONTENT_INVALID, "schemaVersion");
	image_compose = compose_of(nothing);
	image_app = app_put(&shelf, image_compose);
	assert_refused(&shelf, image_app, NULL, SATCHEL_ERROR_CONTENT_INVALID, "of service one");
	compose_app = app_put(&shelf, "services: [");
	assert_refused(&shelf, compose_app, NULL, SATCHEL_ERROR_CONTENT_INVALID,
		       "docker-compose.yml: line");
}

static void
test_an_index_in_an_index_is_refused(void)
{
	g_auto(AppShelf) shelf;
	g_autofree char *inner = NULL;
	g_autofree char *entry = NULL;
	g_autofree char *text = NULL;
	g_autofree char *outer = NULL;
	g_autofree char *compose = NULL;
	g_autofree char *uri = NULL;

	app_shelf_init(&shelf);
	inner = app_shelf_put_text(&shelf, "{" INDEX ",\"manifests\":[]}");
	entry = app_descriptor(&shelf, "application/vnd.oci.image.index.v1+json", inner, "");
	text = g_strdup_printf("{" INDEX ",\"manifests\":[%s]}", entry);
	outer = app_shelf_put_text(&shelf, text);
	compose = compose_of(outer);
	uri = app_put(&shelf, compose);
	assert_refused(&shelf, uri, NULL, SATCHEL_ERROR_CONTENT_INVALID, "another index");
}

/* ---- what need not be there */

/* The app with the digest and size of an index of its archive, and of what describes its layers. */
static char *
put_described_app(AppShelf *shelf, char **index, char **meta)
{
	g_autofree char *image = app_put_image(shelf, "layer");
	g_autofree char *compose = compose_of(image);
	const AppTarEntry entries[] = {{.path = "docker-compose.yml", .content = compose}, {0}};
	g_autoptr(GBytes) archive = app_tar_new(entries);
	g_autofree char *sha256 =
		app_shelf_put(shelf, g_bytes_get_data(archive, NULL), g_bytes_get_size(archive));
	g_autofree char *annotations = NULL;
	g_autofree char *first = NULL;
	g_autofree char *second = NULL;
	g_autofree char *text = NULL;
	g_autofree char *manifest = NULL;

	*index = app_shelf_put_text(shelf, "an index");
	*meta = app_shelf_put_text(shelf, "sizes of layers");
	annotations = g_strdup_printf(
		",\"annotations\":{\"org.foundries.app.bundle.index.digest\":\"sha256:%s\","
		"\"org.foundries.app.bundle.index.size\":\"8\"}",
		*index);
	first = app_descriptor(shelf, "application/octet-stream", sha256, annotations);
	second = app_descriptor(shelf, "application/json", *meta,
				",\"annotations\":{\"layers-meta\":\"v1\"}");
	text = g_strdup_printf("{" APP_SHELF_TYPES ",\"annotations\":{\"compose-app\":\"v1\"},"
			       "\"config\":{},\"layers\":[%s,%s]}",
			       first, second);
	manifest = app_shelf_put_text(shelf, text);
	return g_strconcat("hub.example.org/factory/app@sha256:", manifest, NULL);
}

static gboolean
lists(const SatchelAppClosure *closure, SatchelAppBlobKind kind, const char *sha256)
{
	for (guint i = 0; i < closure->blobs->len; i++) {
		const SatchelAppBlob *blob = &g_array_index(closure->blobs, SatchelAppBlob, i);

		if (g_str_equal(blob->sha256, sha256))
			return blob->kind == kind;
	}
	return FALSE;
}

static void
test_descriptions_are_listed_where_they_are_there(void)
{
	g_auto(AppShelf) shelf;
	g_autofree char *index = NULL;
	g_autofree char *meta = NULL;
	g_autofree char *uri = NULL;
	g_autoptr(SatchelAppClosure) whole = NULL;
	g_autoptr(SatchelAppClosure) fewer = NULL;
	g_autoptr(GError) error = NULL;

	app_shelf_init(&shelf);
	uri = put_described_app(&shelf, &index, &meta);
	whole = close_over(&shelf, uri, NULL, &error);
	g_assert_no_error(error);
	g_assert_true(lists(whole, SATCHEL_APP_BLOB_ARCHIVE_INDEX, index));
	g_assert_true(lists(whole, SATCHEL_APP_BLOB_LAYERS_META, meta));
	g_hash_table_remove(shelf.blobs, index);
	g_hash_table_remove(shelf.blobs, meta);
	fewer = close_over(&shelf, uri, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(fewer->blobs->len, ==, whole->blobs->len - 2);
	g_assert_cmpuint(fewer->size_bytes, ==, whole->size_bytes - 8 - strlen("sizes of layers"));
}

static void
test_descriptions_of_another_size_are_refused(void)
{
	for (guint i = 0; i < 2; i++) {
		g_auto(AppShelf) shelf;
		g_autofree char *index = NULL;
		g_autofree char *meta = NULL;
		g_autofree char *uri = NULL;

		app_shelf_init(&shelf);
		uri = put_described_app(&shelf, &index, &meta);
		g_hash_table_replace(shelf.blobs, g_strdup(i == 0 ? index : meta),
				     g_bytes_new("cut", 3));
		assert_refused(&shelf, uri, NULL, SATCHEL_ERROR_DOWNLOAD_FAILED,
			       "has 3 bytes, not");
	}
}

/* ---- sources that fail */

/* A shelf that gives one blob as it should not be. */
typedef struct {
	AppShelf shelf;
	SatchelAppSource source;
	char *digest;
	gboolean cured; /* once it was forgotten */
} OddShelf;

static void
odd_shelf_clear(OddShelf *self)
{
	app_shelf_clear(&self->shelf);
	g_free(self->digest);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(OddShelf, odd_shelf_clear)

static GBytes *
load_wrong(gpointer user_data, const char *sha256, gsize max_bytes, GError **error)
{
	OddShelf *self = user_data;

	if (g_str_equal(sha256, self->digest) && !self->cured)
		return g_bytes_new("wrong", 5);
	return app_shelf_load(&self->shelf, sha256, max_bytes, error);
}

static GBytes *
load_nothing(gpointer user_data, const char *sha256, gsize max_bytes, GError **error)
{
	OddShelf *self = user_data;

	if (!g_str_equal(sha256, self->digest))
		return app_shelf_load(&self->shelf, sha256, max_bytes, error);
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED, "a bad sector");
	return NULL;
}

static gboolean
find_nothing(gpointer user_data, const char *sha256, guint64 *size_bytes, gboolean *missing,
	     GError **error)
{
	OddShelf *self = user_data;

	if (!g_str_equal(sha256, self->digest))
		return app_shelf_find(&self->shelf, sha256, size_bytes, missing, error);
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED, "a bad sector");
	return FALSE;
}

static void
forget_cures(gpointer user_data, const char *sha256)
{
	OddShelf *self = user_data;

	self->cured = g_str_equal(sha256, self->digest);
}

/* With an app whose blob of @kind is the odd one: the app's URI. (transfer full) */
static char *
odd_shelf_init(OddShelf *self, SatchelAppBlobKind kind)
{
	char *uri;

	*self = (OddShelf){0};
	app_shelf_init(&self->shelf);
	uri = put_small_app(&self->shelf);
	self->digest = digest_of(&self->shelf, uri, kind);
	self->source = (SatchelAppSource){.folder = "apps/",
					  .load = load_wrong,
					  .find = find_nothing,
					  .forget = forget_cures,
					  .self = self};
	return uri;
}

static void
test_a_document_that_is_good_at_the_second_reading_is_taken(void)
{
	g_auto(OddShelf) shelf = {0};
	g_autofree char *uri = odd_shelf_init(&shelf, SATCHEL_APP_BLOB_ARCHIVE);
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelAppClosure) closure =
		satchel_app_closure_new(&shelf.source, uri, NULL, &error);

	g_assert_no_error(error);
	g_assert_nonnull(closure);
	g_assert_true(shelf.cured);
}

static void
test_a_source_that_forgets_nothing_is_read_once(void)
{
	g_auto(OddShelf) shelf = {0};
	g_autofree char *uri = odd_shelf_init(&shelf, SATCHEL_APP_BLOB_ARCHIVE);
	g_autoptr(GError) error = NULL;

	shelf.source.forget = NULL;
	g_assert_null(satchel_app_closure_new(&shelf.source, uri, NULL, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED);
}

static void
test_what_a_source_says_is_passed_on(void)
{
	static const SatchelAppBlobKind kinds[] = {
		SATCHEL_APP_BLOB_MANIFEST,
		SATCHEL_APP_BLOB_ARCHIVE,
		SATCHEL_APP_BLOB_IMAGE_CONFIG,
		SATCHEL_APP_BLOB_IMAGE_LAYER,
	};

	for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
		g_auto(OddShelf) shelf = {0};
		g_autofree char *uri = odd_shelf_init(&shelf, kinds[i]);
		g_autoptr(GError) error = NULL;

		shelf.source.load = load_nothing;
		g_assert_null(satchel_app_closure_new(&shelf.source, uri, NULL, &error));
		g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED);
		g_assert_nonnull(strstr(error->message, "app app: "));
		g_assert_nonnull(strstr(error->message, "a bad sector"));
	}
}

/* ---- claims */

/* An app with an image whose configuration and layers claim those sizes. */
static char *
put_claiming_app(AppShelf *shelf, const char *config_bytes, const char *layer_bytes)
{
	static const char digits[] = "abc";
	g_autoptr(GString) layers = g_string_new(NULL);
	g_autofree char *config = g_strnfill(64, 'd');
	g_autofree char *text = NULL;
	g_autofree char *image = NULL;
	g_autofree char *compose = NULL;

	for (guint i = 0; i < strlen(digits); i++) {
		g_autofree char *digest = g_strnfill(64, digits[i]);

		g_string_append_printf(
			layers,
			"%s{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar\","
			"\"digest\":\"sha256:%s\",\"size\":%s}",
			i > 0 ? "," : "", digest, layer_bytes);
	}
	text = g_strdup_printf("{" APP_SHELF_TYPES ",\"config\":{\"mediaType\":"
			       "\"application/vnd.oci.image.config.v1+json\","
			       "\"digest\":\"sha256:%s\",\"size\":%s},\"layers\":[%s]}",
			       config, config_bytes, layers->str);
	image = app_shelf_put_text(shelf, text);
	compose = compose_of(image);
	return app_put(shelf, compose);
}

static void
test_a_sum_of_sizes_does_not_wrap(void)
{
	g_auto(AppShelf) shelf;
	g_autofree char *uri = NULL;
	g_autoptr(SatchelAppClosure) closure = NULL;
	g_autoptr(GError) error = NULL;
	SatchelAppSource source;

	app_shelf_init(&shelf);
	uri = put_claiming_app(&shelf, "10", "9223372036854775807");
	source = app_shelf_source(&shelf);
	closure = satchel_app_closure_new_partial(&source, uri, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(closure->size_bytes, ==, G_MAXUINT64);
}

static void
test_a_configuration_of_more_than_the_limit_is_refused(void)
{
	g_auto(AppShelf) shelf;
	g_autofree char *uri = NULL;
	g_autofree char *too_many = g_strdup_printf("%u", SATCHEL_LIMIT_IMAGE_CONFIG_BYTES + 1);

	app_shelf_init(&shelf);
	uri = put_claiming_app(&shelf, too_many, "10");
	assert_refused(&shelf, uri, NULL, SATCHEL_ERROR_CONTENT_INVALID,
		       "its configuration is larger than");
}

static void
test_a_uri_that_is_none_is_refused(void)
{
	g_auto(AppShelf) shelf;

	app_shelf_init(&shelf);
	assert_refused(&shelf, "hub.example.org/factory/app:latest", NULL,
		       SATCHEL_ERROR_CONTENT_INVALID, "app:latest");
}

static void
test_every_kind_of_blob_has_a_name_of_its_own(void)
{
	g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

	for (int kind = SATCHEL_APP_BLOB_MANIFEST; kind <= SATCHEL_APP_BLOB_IMAGE_LAYER; kind++)
		g_assert_true(g_hash_table_add(
			names,
			(gpointer)(guintptr)satchel_app_blob_kind_name((SatchelAppBlobKind)kind)));
}

static void
test_an_app_has_its_folder_in_the_store(void)
{
	g_autofree char *sha256 = g_strnfill(64, 'a');
	g_autofree char *uri = g_strconcat("hub.example.org/factory/app@sha256:", sha256, NULL);
	g_autoptr(SatchelImageReference) app = satchel_app_uri_parse(uri, NULL);
	g_autofree char *file = satchel_app_store_file(app, "uri");
	g_autofree char *expected = g_strconcat("apps/app/", sha256, "/uri", NULL);

	g_assert_cmpstr(file, ==, expected);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/app-closure/every-blob-once", test_the_closure_lists_every_blob_once);
	g_test_add_func("/app-closure/missing", test_a_missing_blob_is_named);
	g_test_add_func("/app-closure/altered", test_an_altered_document_is_read_twice_and_refused);
	g_test_add_func("/app-closure/size", test_a_blob_of_another_size_is_refused);
	g_test_add_func("/app-closure/platform", test_of_an_index_the_platform_is_taken);
	g_test_add_func("/app-closure/no-platform",
			test_without_a_platform_all_that_are_there_are_taken);
	g_test_add_func("/app-closure/partial", test_a_partial_source_needs_no_layers);
	g_test_add_func("/app-closure/form",
			test_documents_of_the_right_hash_and_a_wrong_form_are_invalid);
	g_test_add_func("/app-closure/nested-index", test_an_index_in_an_index_is_refused);
	g_test_add_func("/app-closure/described",
			test_descriptions_are_listed_where_they_are_there);
	g_test_add_func("/app-closure/described-size",
			test_descriptions_of_another_size_are_refused);
	g_test_add_func("/app-closure/second-reading",
			test_a_document_that_is_good_at_the_second_reading_is_taken);
	g_test_add_func("/app-closure/one-reading",
			test_a_source_that_forgets_nothing_is_read_once);
	g_test_add_func("/app-closure/source-error", test_what_a_source_says_is_passed_on);
	g_test_add_func("/app-closure/sum", test_a_sum_of_sizes_does_not_wrap);
	g_test_add_func("/app-closure/config-limit",
			test_a_configuration_of_more_than_the_limit_is_refused);
	g_test_add_func("/app-closure/uri", test_a_uri_that_is_none_is_refused);
	g_test_add_func("/app-closure/kinds", test_every_kind_of_blob_has_a_name_of_its_own);
	g_test_add_func("/app-closure/folder", test_an_app_has_its_folder_in_the_store);
	return g_test_run();
}
