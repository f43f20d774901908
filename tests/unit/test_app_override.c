#include "../../installer/app_override.h"
#include "../../verify/json.h"
#include "../support/app_builder.h"

static SatchelAppClosure *
close_over(AppShelf *shelf)
{
	g_autofree char *image = app_put_image(shelf, "layer");
	g_autofree char *compose = g_strdup_printf(
		"services:\n  a:\n    image: hub.example.org/library/busybox@sha256:%s"
		"\n  b:\n    image: hub.example.org/library/busybox@sha256:%s"
		"\n  c:\n    image: hub.example.org/library/busybox@sha256:%s\n    profiles: [c]\n",
		image, image, image);
	g_autofree char *uri = app_put(shelf, compose);
	SatchelAppSource source = app_shelf_source(shelf);
	g_autoptr(GError) error = NULL;
	SatchelAppClosure *closure = satchel_app_closure_new(&source, uri, NULL, &error);

	g_assert_no_error(error);
	return closure;
}

static void
test_every_service_has_a_local_image_and_the_version(void)
{
	g_auto(AppShelf) shelf;
	g_autoptr(SatchelAppClosure) closure = NULL;
	g_autoptr(GBytes) override = NULL;
	g_autoptr(SatchelJson) root = NULL;
	static const char *const all[] = {"a", "b", "c"};
	g_auto(GStrv) services = NULL;
	g_autofree char *names = NULL;
	const char *sha256 = NULL;
	const SatchelAppImage *image = NULL;
	g_autofree char *name = NULL;

	app_shelf_init(&shelf);
	closure = close_over(&shelf);
	override = satchel_app_override_new(closure);
	sha256 = closure->reference->sha256;
	image = closure->images->pdata[0];
	name = g_strconcat("localhost/satchel/busybox:", image->descriptor->sha256, NULL);
	root = json_loadb(g_bytes_get_data(override, NULL), g_bytes_get_size(override), 0, NULL);
	for (guint i = 0; i < G_N_ELEMENTS(all); i++) {
		const json_t *service = json_object_get(json_object_get(root, "services"), all[i]);
		const json_t *labels = json_object_get(service, "labels");

		g_assert_cmpstr(json_string_value(json_object_get(service, "image")), ==, name);
		g_assert_cmpstr(json_string_value(json_object_get(service, "pull_policy")), ==,
				"never");
		g_assert_cmpstr(json_string_value(json_object_get(labels, "satchel.app")), ==,
				sha256);
	}
	services = satchel_app_override_list_services(override, sha256);
	names = g_strjoinv(" ", services);
	g_assert_cmpstr(names, ==, "a b");
}

static void
test_only_one_version_in_all_services_is_that_version(void)
{
	static const char *const others[] = {
		"",
		"{}",
		"{\"services\":[]}",
		"{\"services\":{}}",
		"{\"services\":{\"a\":{}}}",
		"{\"services\":{\"a\":{\"labels\":{\"satchel.app\":\"aa\"}},\"b\":{}}}",
		("{\"services\":{\"a\":{\"labels\":{\"satchel.app\":\"bb\"}},"
		 "\"b\":{\"labels\":{\"satchel.app\":\"aa\"}}}}"),
	};
	const char *one = "{\"services\":{\"a\":{\"labels\":{\"satchel.app\":\"aa\"}}}}";
	g_autoptr(GBytes) good = g_bytes_new(one, strlen(one));
	g_auto(GStrv) services = NULL;

	services = satchel_app_override_list_services(good, "aa");
	g_assert_cmpuint(g_strv_length(services), ==, 1);
	g_assert_null(satchel_app_override_list_services(NULL, "aa"));
	for (guint i = 0; i < G_N_ELEMENTS(others); i++) {
		g_autoptr(GBytes) bytes = g_bytes_new(others[i], strlen(others[i]));
		g_auto(GStrv) found = satchel_app_override_list_services(bytes, "aa");

		if (found != NULL)
			g_error("%s is taken for that version", others[i]);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/app_override/new", test_every_service_has_a_local_image_and_the_version);
	g_test_add_func("/app_override/version",
			test_only_one_version_in_all_services_is_that_version);
	return g_test_run();
}
