#include "../../verify/app_manifest.h"
#include "../../verify/image_reference.h"
#include <string.h>

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define BLOB "{\"digest\":\"sha256:" HEX "\",\"size\":7,\"mediaType\":\"application/octet-stream\"}"
#define SCHEMA "\"schemaVersion\":2"
#define INDEX "application/vnd.oci.image.index.v1+json"
#define MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define APP "\"mediaType\":\"" MANIFEST "\"," SCHEMA ",\"annotations\":{\"compose-app\":\"v1\"}"

static SatchelOciDocument *
parse(const char *text, GError **error)
{
	g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));

	return satchel_oci_document_parse(bytes, error);
}

static void
assert_refused(const char *text, const char *message)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(parse(text, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_CONTENT_INVALID);
	if (strstr(error->message, message) == NULL)
		g_error("'%s' is not in '%s'", message, error->message);
}

static void
test_a_manifest_has_its_configuration_and_layers(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelOciDocument) manifest =
		parse("{" SCHEMA ",\"config\":" BLOB ",\"layers\":[" BLOB "," BLOB "]}", &error);
	const SatchelOciDescriptor *layer;

	g_assert_no_error(error);
	g_assert_cmpint(manifest->kind, ==, SATCHEL_OCI_MANIFEST);
	g_assert_cmpuint(manifest->parts->len, ==, 2);
	layer = manifest->parts->pdata[1];
	g_assert_cmpstr(layer->sha256, ==, HEX);
	g_assert_cmpuint(layer->size_bytes, ==, 7);
	g_assert_null(layer->platform);
}

static void
test_an_index_has_platforms(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelOciDocument) index = parse(
		"{" SCHEMA ",\"mediaType\":\"" INDEX "\",\"manifests\":[{\"digest\":\"sha256:" HEX
		"\",\"size\":7,\"platform\":{\"os\":\"linux\",\"architecture\":\"arm\","
		"\"variant\":\"v7\"}}]}",
		&error);
	const SatchelOciDescriptor *entry;
	g_autofree char *platform = NULL;

	g_assert_no_error(error);
	g_assert_cmpint(index->kind, ==, SATCHEL_OCI_INDEX);
	entry = index->parts->pdata[0];
	platform = satchel_oci_platform_format(entry->platform);
	g_assert_cmpstr(platform, ==, "linux/arm/v7");
}

static void
test_ambiguous_documents_are_refused(void)
{
	g_autofree char *large = g_strnfill(1024 * 1024 + 1, ' ');
	g_autoptr(GString) layers = g_string_new("{" SCHEMA ",\"config\":" BLOB ",\"layers\":[");

	assert_refused("{" SCHEMA ",\"config\":" BLOB ",\"layers\":[],\"manifests\":[]}",
		       "at once");
	assert_refused("{" SCHEMA ",\"mediaType\":\"" MANIFEST "\",\"manifests\":[]}",
		       "other kind");
	assert_refused("{" SCHEMA ",\"mediaType\":\"" INDEX "\",\"config\":" BLOB ",\"layers\":[]}",
		       "other kind");
	assert_refused("{" SCHEMA ",\"mediaType\":\"text/plain\",\"manifests\":[]}", "no image");
	assert_refused("{\"schemaVersion\":1,\"manifests\":[]}", "schemaVersion");
	assert_refused("{" SCHEMA "}", "'config' is no descriptor");
	assert_refused("{" SCHEMA ",\"config\":" BLOB "}", "no member 'layers'");
	assert_refused("{" SCHEMA ",\"manifests\":[{\"digest\":\"sha512:" HEX "\",\"size\":1}]}",
		       "has a digest");
	assert_refused("{" SCHEMA ",\"manifests\":[{\"digest\":\"sha256:" HEX "\",\"size\":-1}]}",
		       "'size'");
	assert_refused("[]", "not an object");
	assert_refused(large, "too large");
	for (guint i = 0; i < 1025; i++)
		g_string_append(layers, i > 0 ? "," BLOB : BLOB);
	g_string_append(layers, "]}");
	assert_refused(layers->str, "more than 1024");
}

static void
test_platforms_are_compared_strictly(void)
{
	static const struct {
		const char *one;
		const char *other;
		gboolean equal;
	} rows[] = {
		{"linux/arm64", "linux/arm64/v8", TRUE},  {"linux/arm", "linux/arm/v7", TRUE},
		{"linux/arm/v6", "linux/arm/v7", FALSE},  {"linux/arm64", "linux/arm", FALSE},
		{"linux/amd64", "windows/amd64", FALSE},  {"linux/amd64", "linux/amd64/v1", TRUE},
		{"linux/amd64", "linux/amd64/v3", FALSE},
	};
	static const char *const wrong[] = {"",	       "linux",	  "linux/",	 "/arm64",
					    "a/b/c/d", "Linux/x", "linux/arm 64"};
	g_autoptr(SatchelOciPlatform) machine = satchel_oci_platform_of_machine("aarch64");

	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(SatchelOciPlatform) one = satchel_oci_platform_parse(rows[i].one, NULL);
		g_autoptr(SatchelOciPlatform) other =
			satchel_oci_platform_parse(rows[i].other, NULL);

		g_assert_cmpint(satchel_oci_platform_equal(one, other), ==, rows[i].equal);
	}
	for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(satchel_oci_platform_parse(wrong[i], &error));
		g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE);
	}
	g_assert_cmpstr(machine->architecture, ==, "arm64");
	g_assert_null(satchel_oci_platform_of_machine("vax"));
}

static SatchelAppManifest *
parse_app(const char *text, GError **error)
{
	g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));

	return satchel_app_manifest_parse(bytes, error);
}

static void
test_an_app_manifest_names_archive_index_and_sizes(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelAppManifest) plain = parse_app("{" APP ",\"layers\":[" BLOB "]}", &error);
	g_autoptr(SatchelAppManifest) full = NULL;

	g_assert_no_error(error);
	g_assert_cmpstr(plain->archive->sha256, ==, HEX);
	g_assert_null(plain->archive_index);
	g_assert_null(plain->layers_meta);
	full = parse_app(
		"{" APP ",\"layers\":[{\"digest\":\"sha256:" HEX
		"\",\"size\":7,\"mediaType\":\"application/octet-stream\",\"annotations\":{"
		"\"org.foundries.app.bundle.index.digest\":\"sha256:" HEX
		"\",\"org.foundries.app.bundle.index.size\":\"9\"}},{\"digest\":\"sha256:" HEX
		"\",\"size\":8,\"annotations\":{\"layers-meta\":\"v1\"}}]}",
		&error);
	g_assert_no_error(error);
	g_assert_cmpuint(full->archive_index->size_bytes, ==, 9);
	g_assert_cmpuint(full->layers_meta->size_bytes, ==, 8);
}

static void
test_other_manifests_are_no_apps(void)
{
	static const struct {
		const char *text;
		const char *message;
	} rows[] = {
		{"{" SCHEMA ",\"layers\":[" BLOB "]}", "'mediaType' is not"},
		{"{" SCHEMA ",\"mediaType\":\"" MANIFEST "\",\"layers\":[" BLOB "]}",
		 "no annotation compose-app=v1"},
		{"{" APP ",\"layers\":[]}", "no archive"},
		{"{" APP ",\"layers\":[{\"digest\":\"sha256:" HEX "\",\"size\":7}]}",
		 "its first layer is not of type"},
		{"{" APP ",\"layers\":[{\"digest\":\"sha256:" HEX
		 "\",\"size\":7,\"mediaType\":\"application/octet-stream\",\"annotations\":{"
		 "\"org.foundries.app.bundle.index.digest\":\"sha256:" HEX
		 "\",\"org.foundries.app.bundle.index.size\":\"-9\"}}]}",
		 "archive's index"},
		{"[]", "not an object"},
	};

	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(parse_app(rows[i].text, &error));
		g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_CONTENT_INVALID);
		if (strstr(error->message, rows[i].message) == NULL)
			g_error("'%s' is not in '%s'", rows[i].message, error->message);
	}
}

static void
test_an_app_uri_has_one_spelling(void)
{
	static const char *const wrong[] = {
		"hub.example.org/factory/app:1@sha256:" HEX,
		"hub.example.org/app@sha256:" HEX,
		"hub.example.org/factory/sub/app@sha256:" HEX,
		"hub.example.org/factory/..@sha256:" HEX,
		"hub.example.org/factory/app",
		"hub.example.org/factory/app@sha256:" HEX "\n",
		"",
	};
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelImageReference) uri =
		satchel_app_uri_parse("localhost:5000/factory/app@sha256:" HEX, &error);
	g_autofree char *text = NULL;

	g_assert_no_error(error);
	g_assert_cmpstr(satchel_app_uri_get_app(uri), ==, "app");
	text = satchel_image_reference_format(uri);
	g_assert_cmpstr(text, ==, "localhost:5000/factory/app@sha256:" HEX);
	for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_autoptr(GError) found = NULL;

		g_assert_null(satchel_app_uri_parse(wrong[i], &found));
		g_assert_error(found, SATCHEL_ERROR, SATCHEL_ERROR_CONTENT_INVALID);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/oci/manifest", test_a_manifest_has_its_configuration_and_layers);
	g_test_add_func("/oci/index", test_an_index_has_platforms);
	g_test_add_func("/oci/ambiguous", test_ambiguous_documents_are_refused);
	g_test_add_func("/oci/platforms", test_platforms_are_compared_strictly);
	g_test_add_func("/oci/app", test_an_app_manifest_names_archive_index_and_sizes);
	g_test_add_func("/oci/no-app", test_other_manifests_are_no_apps);
	g_test_add_func("/oci/uri", test_an_app_uri_has_one_spelling);
	return g_test_run();
}
