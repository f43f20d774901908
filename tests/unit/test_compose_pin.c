#include "../../bundler/compose_pin.h"
#include "../../verify/compose_file.h"
#include <string.h>

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define PINNED "docker.io/library/busybox@sha256:" HEX

static const char *const images[] = {"busybox:1.36", NULL};
static const char *const pinned[] = {PINNED, NULL};

static char *
pin(const char *text, GError **error)
{
	g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
	g_autoptr(GBytes) result = satchel_compose_pin(bytes, images, pinned, error);

	if (result == NULL)
		return NULL;
	return g_strndup(g_bytes_get_data(result, NULL), g_bytes_get_size(result));
}

static void
test_all_forms_are_pinned_and_labelled(void)
{
	static const char *const texts[] = {
		"services:\n  a:\n    image: busybox:1.36 # a comment\n    command: [x]\n",
		"services:\n  a:\n    image: 'busybox:1.36'\n    labels:\n      x: y\n",
		"services:\n  a:\n    image: \"busybox:1.36\"\n    labels:\n    - x=y\n",
		"services: {a: {image: 'busybox:1.36', labels: [x=y]}}\n",
		"services: {a: {'image': 'busybox:1.36', labels: {'x': y}}}\n",
		"services:\n  a: {image: \"busybox:1.36\"}\n",
		"x: &i busybox:1.36\nservices:\n  a:\n    image: *i\n",
		"services:\n  a:\n    image: busybox:1.36\n    labels:\n      "
		"io.compose-spec.config-hash: old\n",
		"services:\n  a:\n    image: busybox:1.36\n    labels:\n      - "
		"io.compose-spec.config-hash=old\n",
		"services:\n  a:\n    'image': busybox:1.36",
		"services:\r\n  a:\r\n    image: busybox:1.36\r\n    tty: true\r\n",
	};

	for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *text = pin(texts[i], &error);
		g_autoptr(GBytes) bytes = NULL;
		g_autoptr(SatchelComposeFile) file = NULL;
		const SatchelComposeService *service;

		if (error != NULL)
			g_error("%s%s", texts[i], error->message);
		bytes = g_bytes_new(text, strlen(text));
		file = satchel_compose_file_parse(bytes, &error);
		g_assert_no_error(error);
		service = file->services->pdata[0];
		g_assert_cmpstr(service->image->sha256, ==, HEX);
		if (!service->has_config_hash || strstr(text, "old") != NULL)
			g_error("no hash, or an old one:\n%s", text);
	}
}

static void
test_the_rest_of_the_text_stays(void)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *text = pin("# top\nservices:\n  a:   # first\n    image: busybox:1.36\n\n"
				    "    environment: { B: \"1\", A: yes }\n",
				    &error);

	g_assert_no_error(error);
	g_assert_true(g_str_has_prefix(text, "# top\nservices:\n  a:   # first\n    labels: "
					     "{\"io.compose-spec.config-hash\": \""));
	g_assert_true(g_str_has_suffix(text, "\"}\n    image: \"" PINNED "\"\n\n"
					     "    environment: { B: \"1\", A: yes }\n"));
}

/* The label's value of the first service. */
static char *
hash_of(const char *text)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *result = pin(text, &error);

	g_assert_no_error(error);
	return g_strndup(strstr(result, "config-hash\": \"") + strlen("config-hash\": \""), 64);
}

static void
test_the_hash_changes_with_the_service_alone(void)
{
	g_autofree char *plain =
		hash_of("services:\n  a:\n    image: busybox:1.36\n    tty: true\n");
	g_autofree char *other =
		hash_of("services:\n  a:\n    image: busybox:1.36\n    tty: false\n");
	g_autofree char *more = hash_of("services:\n  a:\n    image: busybox:1.36\n    tty: true\n"
					"  b:\n    image: busybox:1.36\n");
	g_autofree char *merged =
		hash_of("x: &x {tty: true}\nservices:\n  a:\n    image: busybox:1.36\n"
			"    <<: *x\n");
	g_autofree char *merged_other =
		hash_of("x: &x {tty: false}\nservices:\n  a:\n    image: busybox:1.36\n"
			"    <<: *x\n");

	g_assert_cmpstr(plain, !=, other);
	g_assert_cmpstr(plain, ==, more);
	g_assert_cmpstr(merged, !=, merged_other);
}

static void
test_labels_that_are_merged_are_not_hidden(void)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *text = pin("x: &x {labels: {k: v}}\nservices:\n  a:\n    <<: *x\n"
				    "    image: busybox:1.36\n",
				    &error);

	g_assert_no_error(error);
	g_assert_null(strstr(text, "config-hash"));
}

static void
test_images_are_listed_once(void)
{
	static const char text[] =
		"services:\n  a:\n    image: busybox:1.36\n  b:\n    image: x/y\n"
		"  c:\n    image: busybox:1.36\n";
	g_autoptr(GBytes) bytes = g_bytes_new_static(text, strlen(text));
	g_autoptr(GError) error = NULL;
	g_auto(GStrv) found = satchel_compose_pin_list_images(bytes, &error);

	g_assert_no_error(error);
	g_assert_cmpuint(g_strv_length(found), ==, 2);
	g_assert_cmpstr(found[0], ==, "busybox:1.36");
	g_assert_cmpstr(found[1], ==, "x/y");
}

static void
test_what_cannot_be_collected_is_refused(void)
{
	static const struct {
		const char *text;
		const char *message;
	} rows[] = {
		{"services:\n  a:\n    image: x\n    build: .\n", "service a has 'build'"},
		{"services:\n  a:\n    image: x\n    extends: b\n", "service a has 'extends'"},
		{"services:\n  a:\n    command: x\n", "service a names no image"},
		{"include: [x]\nservices:\n  a:\n    image: x\n", "includes other files"},
		{"services:\n", "no services"},
		{"a: [", "line "},
		{"services:\n  'a b':\n    image: x\n", "name that is none"},
	};

	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GBytes) bytes = g_bytes_new(rows[i].text, strlen(rows[i].text));
		g_autoptr(GError) error = NULL;
		g_auto(GStrv) found = satchel_compose_pin_list_images(bytes, &error);

		g_assert_null(found);
		g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_CONTENT_INVALID);
		if (strstr(error->message, rows[i].message) == NULL)
			g_error("'%s' is not in '%s'", rows[i].message, error->message);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/compose-pin/forms", test_all_forms_are_pinned_and_labelled);
	g_test_add_func("/compose-pin/rest", test_the_rest_of_the_text_stays);
	g_test_add_func("/compose-pin/hash", test_the_hash_changes_with_the_service_alone);
	g_test_add_func("/compose-pin/merged", test_labels_that_are_merged_are_not_hidden);
	g_test_add_func("/compose-pin/list", test_images_are_listed_once);
	g_test_add_func("/compose-pin/refused", test_what_cannot_be_collected_is_refused);
	return g_test_run();
}
