#include "../../verify/compose_file.h"
#include <string.h>

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define IMAGE "hub.example.org:5000/library/busybox@sha256:" HEX

static SatchelComposeFile *
parse(const char *text, GError **error)
{
	g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));

	return satchel_compose_file_parse(bytes, error);
}

static SatchelComposeFile *
parse_good(const char *text)
{
	g_autoptr(GError) error = NULL;
	SatchelComposeFile *file = parse(text, &error);

	g_assert_no_error(error);
	return file;
}

static void
assert_refused(const char *text, const char *message)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(parse(text, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_CONTENT_INVALID);
	if (!g_str_has_prefix(error->message, "docker-compose.yml: ") ||
	    strstr(error->message, message) == NULL)
		g_error("'%s' is not in '%s'", message, error->message);
}

static void
test_services_and_images_are_read_in_order(void)
{
	g_autoptr(SatchelComposeFile) file = parse_good(
		"version: '3'\n"
		"services:\n"
		"  web:\n    image: " IMAGE "\n    labels: {io.compose-spec.config-hash: abc}\n"
		"  db: {image: \"docker.io/db:1.2@sha256:" HEX "\"}\n"
		"  c:\n    image: " IMAGE "\n    labels:\n    - io.compose-spec.config-hash=1\n");
	const SatchelComposeService *web = file->services->pdata[0];
	const SatchelComposeService *db = file->services->pdata[1];
	const SatchelComposeService *c = file->services->pdata[2];

	g_assert_cmpuint(file->services->len, ==, 3);
	g_assert_cmpstr(web->name, ==, "web");
	g_assert_cmpstr(web->image->host, ==, "hub.example.org:5000");
	g_assert_cmpstr(web->image->path, ==, "library/busybox");
	g_assert_cmpstr(web->image->sha256, ==, HEX);
	g_assert_true(web->has_config_hash);
	g_assert_cmpstr(db->image->host, ==, "docker.io");
	g_assert_cmpstr(db->image->path, ==, "db");
	g_assert_false(db->has_config_hash);
	g_assert_true(c->has_config_hash);
}

static void
test_an_image_may_come_by_a_merge_or_an_alias(void)
{
	g_autoptr(SatchelComposeFile) file =
		parse_good("x-base: &base\n  image: &ref " IMAGE "\n"
			   "x-top: &top\n  <<: [*base]\n"
			   "services:\n  a:\n    <<: *top\n    command: x\n  b: *base\n  c:\n    "
			   "image: *ref\n");

	g_assert_cmpuint(file->services->len, ==, 3);
	for (guint i = 0; i < 3; i++) {
		const SatchelComposeService *service = file->services->pdata[i];

		g_assert_cmpstr(service->image->sha256, ==, HEX);
	}
}

static void
test_a_service_of_a_profile_or_scaled_to_nothing_is_optional(void)
{
	static const struct {
		const char *more;
		gboolean is_optional;
	} rows[] = {
		{"profiles: [debug]", TRUE},
		{"extends: {service: b}", TRUE},
		{"scale: 0", TRUE},
		{"scale: '${N}'", TRUE},
		{"scale: [1]", TRUE},
		{"scale: 2", FALSE},
		{"deploy: {replicas: 0}", TRUE},
		{"deploy: {replicas: 1}", FALSE},
		{"deploy: {}", FALSE},
		{"command: 'true'", FALSE},
	};

	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = g_strdup_printf(
			"services:\n  a:\n    image: " IMAGE "\n    %s\n", rows[i].more);
		g_autoptr(SatchelComposeFile) file = parse_good(text);
		const SatchelComposeService *service = file->services->pdata[0];

		if (service->is_optional != rows[i].is_optional)
			g_error("%s: %d", rows[i].more, service->is_optional);
	}
}

static void
test_what_is_not_pinned_is_refused(void)
{
	static const char *const images[] = {
		"hub.example.org/a",
		"hub.example.org/a:latest",
		"hub.example.org/a@sha256:0123",
		"hub.example.org/a@sha512:" HEX,
		"hub.example.org/${NAME}@sha256:" HEX,
		"busybox@sha256:" HEX,
		"hub.example.org/../a@sha256:" HEX,
		"hub.example.org//a@sha256:" HEX,
		"../a@sha256:" HEX,
		"hub.example.org/a@sha256:" HEX "0",
	};

	for (guint i = 0; i < G_N_ELEMENTS(images); i++) {
		g_autofree char *text =
			g_strdup_printf("services:\n  a:\n    image: \"%s\"\n", images[i]);

		assert_refused(text, "service a: image ");
	}
}

static void
test_other_forms_are_refused(void)
{
	static const struct {
		const char *text;
		const char *message;
	} rows[] = {
		{"", "it has no services"},
		{"[]", "it has no services"},
		{"services: {}\n", "it has no services"},
		{"services:\n  a: {}\n", "service a names no image"},
		{"services:\n  a: text\n", "service a names no image"},
		{"services:\n  ../a: {image: \"" IMAGE "\"}\n", "is no name for a service"},
		{"services:\n  a: {image: \"" IMAGE "\"}\ninclude: [x.yml]\n",
		 "includes other files"},
		{"x: &x {a: {image: \"" IMAGE "\"}}\nservices:\n  <<: *x\n", "merged"},
		{"services:\n  a: {image: \"" IMAGE "\"}\n  a: {image: \"" IMAGE "\"}\n",
		 "'a' stands there twice"},
		{"services: [\n", "line "},
		{"a: *b\n", "an alias names no anchor before it"},
		{"a: &a [*a]\n", "an alias names no anchor before it"},
		{"a: 1\n---\nb: 1\n", "more than one document"},
		{"? [a]\n: b\n", "a key is no text"},
		{"a: \"\\xff\\0\"\n", "a NUL"},
		{"a: \xff\n", "not UTF-8"},
	};

	for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
		assert_refused(rows[i].text, rows[i].message);
}

static void
test_bombs_are_bounded(void)
{
	g_autoptr(GString) deep = g_string_new("a: ");
	g_autoptr(GString) wide = g_string_new("a: [");
	g_autoptr(GString) laughs = g_string_new("x0: &x0 {image: \"" IMAGE "\"}\n");
	g_autofree char *large = g_strnfill(1024 * 1024 + 1, ' ');
	g_autoptr(SatchelComposeFile) file = NULL;

	for (guint i = 0; i < 40; i++)
		g_string_append(deep, "[");
	assert_refused(deep->str, "nested too deep");
	for (guint i = 0; i < 70000; i++)
		g_string_append(wide, "a,");
	g_string_append(wide, "]");
	assert_refused(wide->str, "too many values");
	assert_refused(large, "longer than");
	/* Ten to the power of twenty images, if they were multiplied; merges that never find. */
	for (guint i = 1; i <= 20; i++) {
		g_string_append_printf(laughs, "x%u: &x%u\n  <<: [", i, i);
		for (guint j = 0; j < 10; j++)
			g_string_append_printf(laughs, "*x%u,", i - 1);
		g_string_append(laughs, "]\n");
	}
	g_string_append(laughs, "services:\n  a: *x20\n");
	file = parse_good(laughs->str);
	g_assert_cmpuint(file->services->len, ==, 1);
	g_string_erase(laughs, 0, (gssize)strlen("x0: &x0 {image"));
	g_string_prepend(laughs, "x0: &x0 {other");
	assert_refused(laughs->str, "service a names no image");
}

static void
test_services_are_bounded(void)
{
	g_autoptr(GString) many = g_string_new("services:\n");

	for (guint i = 0; i < 257; i++)
		g_string_append_printf(many, "  s%u: {image: \"" IMAGE "\"}\n", i);
	assert_refused(many->str, "more than 256 services");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/compose-file/order", test_services_and_images_are_read_in_order);
	g_test_add_func("/compose-file/merge", test_an_image_may_come_by_a_merge_or_an_alias);
	g_test_add_func("/compose-file/optional",
			test_a_service_of_a_profile_or_scaled_to_nothing_is_optional);
	g_test_add_func("/compose-file/pinned", test_what_is_not_pinned_is_refused);
	g_test_add_func("/compose-file/forms", test_other_forms_are_refused);
	g_test_add_func("/compose-file/bombs", test_bombs_are_bounded);
	g_test_add_func("/compose-file/services", test_services_are_bounded);
	return g_test_run();
}
