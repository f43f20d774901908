#include "../verify/cli.h"
#include "../verify/progress.h"
#include "app_hash.h"
#include "app_store.h"
#include "commands.h"
#include "interrupt.h"
#include "options.h"
#include <jansson.h>
#include <stdio.h>

/* All apps of a store, each whole. (element-type SatchelAppClosure) (transfer full) */
static GPtrArray *
load_apps(const SatchelAppStore *store, GError **error)
{
	g_autoptr(GPtrArray) apps =
		g_ptr_array_new_with_free_func((GDestroyNotify)satchel_app_closure_free);
	g_autoptr(GPtrArray) uris = satchel_app_store_list(store, error);
	SatchelAppSource source = satchel_app_store_source(store);

	for (guint i = 0; uris != NULL && i < uris->len; i++) {
		SatchelAppClosure *app =
			satchel_app_closure_new(&source, uris->pdata[i], NULL, error);

		if (app == NULL)
			return NULL;
		g_ptr_array_add(apps, app);
	}
	return uris != NULL ? g_steal_pointer(&apps) : NULL;
}

static gboolean
print_text(const char *text, GError **error)
{
	if (fputs(text, stdout) >= 0 && fflush(stdout) == 0)
		return TRUE;
	g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
			    "the result could not be written");
	return FALSE;
}

static guint64
image_size(const SatchelAppImage *image)
{
	guint64 size_bytes = image->descriptor->size_bytes + image->manifest->config->size_bytes;

	for (guint i = 0; i < image->manifest->parts->len; i++)
		size_bytes += ((const SatchelOciDescriptor *)image->manifest->parts->pdata[i])
				      ->size_bytes;
	return size_bytes;
}

/* ---- list */

gboolean
satchel_cmd_app_list(int argc, char **argv, SatchelOutcome *outcome, GError **error)
{
	const GOptionEntry entries[] = {G_OPTION_ENTRY_NULL};
	const char *path = satchel_options_parse(entries, argc, argv, "STORE", error);
	g_autoptr(SatchelAppStore) store = NULL;
	g_autoptr(GPtrArray) uris = NULL;
	g_autoptr(GString) text = g_string_new(NULL);

	if (path == NULL)
		return FALSE;
	store = satchel_app_store_open(path, FALSE, error);
	if (store == NULL)
		return FALSE;
	uris = satchel_app_store_list(store, error);
	if (uris == NULL)
		return FALSE;
	for (guint i = 0; i < uris->len; i++)
		g_string_append_printf(text, "%s\n", (const char *)uris->pdata[i]);
	return print_text(text->str, error);
}

/* ---- show */

static void
describe_app(const SatchelAppClosure *app, GString *text)
{
	g_autofree char *size = satchel_progress_format_bytes(app->size_bytes);

	g_string_append_printf(text, "%s\n  %u blobs, %s\n", app->uri, app->blobs->len, size);
	for (guint i = 0; i < app->compose->services->len; i++) {
		const SatchelComposeService *service = app->compose->services->pdata[i];
		g_autofree char *image = satchel_image_reference_format(service->image);

		g_string_append_printf(text, "  service %s: %s\n", service->name, image);
	}
	for (guint i = 0; i < app->images->len; i++) {
		const SatchelAppImage *image = app->images->pdata[i];
		g_autofree char *platform = image->platform != NULL
						    ? satchel_oci_platform_format(image->platform)
						    : g_strdup("its only platform");
		g_autofree char *image_text = satchel_progress_format_bytes(image_size(image));

		g_string_append_printf(text, "  image %s/%s for %s: %u layers, %s\n",
				       image->reference->host, image->reference->path, platform,
				       image->manifest->parts->len, image_text);
	}
}

static json_t *
image_to_json(const SatchelAppImage *image)
{
	g_autofree char *reference = satchel_image_reference_format(image->reference);
	g_autofree char *platform =
		image->platform != NULL ? satchel_oci_platform_format(image->platform) : NULL;

	return json_pack("{s:s, s:s?, s:s, s:i, s:I}", "reference", reference, "platform", platform,
			 "manifest", image->descriptor->sha256, "layers",
			 (int)image->manifest->parts->len, "size", (json_int_t)image_size(image));
}

static json_t *
app_to_json(const SatchelAppClosure *app)
{
	json_t *services = json_array();
	json_t *images = json_array();

	for (guint i = 0; i < app->compose->services->len; i++) {
		const SatchelComposeService *service = app->compose->services->pdata[i];
		g_autofree char *image = satchel_image_reference_format(service->image);

		json_array_append_new(
			services, json_pack("{s:s, s:s}", "name", service->name, "image", image));
	}
	for (guint i = 0; i < app->images->len; i++)
		json_array_append_new(images, image_to_json(app->images->pdata[i]));
	return json_pack("{s:s, s:s, s:i, s:I, s:o, s:o}", "name", app->name, "uri", app->uri,
			 "blobs", (int)app->blobs->len, "size", (json_int_t)app->size_bytes,
			 "services", services, "images", images);
}

static char *
apps_to_json(const GPtrArray *apps)
{
	json_t *list = json_array();
	json_t *result;
	char *text;
	char *line;

	for (guint i = 0; i < apps->len; i++)
		json_array_append_new(list, app_to_json(apps->pdata[i]));
	result = json_pack("{s:o}", "apps", list);
	text = json_dumps(result, JSON_INDENT(2));
	line = g_strconcat(text, "\n", NULL);
	free(text);
	json_decref(result);
	return line;
}

gboolean
satchel_cmd_app_show(int argc, char **argv, SatchelOutcome *outcome, GError **error)
{
	gboolean json = FALSE;
	const GOptionEntry entries[] = {
		{"json", 0, 0, G_OPTION_ARG_NONE, &json, "One JSON document on stdout", NULL},
		G_OPTION_ENTRY_NULL,
	};
	const char *path = satchel_options_parse(entries, argc, argv, "STORE", error);
	g_autoptr(SatchelAppStore) store = NULL;
	g_autoptr(GPtrArray) apps = NULL;
	g_autoptr(GString) text = g_string_new(NULL);
	g_autofree char *document = NULL;

	if (path == NULL)
		return FALSE;
	store = satchel_app_store_open(path, FALSE, error);
	if (store == NULL)
		return FALSE;
	apps = load_apps(store, error);
	if (apps == NULL)
		return FALSE;
	for (guint i = 0; i < apps->len; i++)
		describe_app(apps->pdata[i], text);
	document = json ? apps_to_json(apps) : g_strdup(text->str);
	return print_text(document, error);
}

/* ---- check */

gboolean
satchel_cmd_app_check(int argc, char **argv, SatchelOutcome *outcome, GError **error)
{
	const GOptionEntry entries[] = {G_OPTION_ENTRY_NULL};
	const char *path = satchel_options_parse(entries, argc, argv, "STORE", error);
	g_autoptr(SatchelAppStore) store = NULL;
	g_autoptr(GPtrArray) apps = NULL;

	if (path == NULL)
		return FALSE;
	satchel_interrupt_watch();
	store = satchel_app_store_open(path, FALSE, error);
	if (store == NULL)
		return FALSE;
	apps = load_apps(store, error);
	if (apps == NULL || !satchel_app_hash_all(store, apps, error))
		return FALSE;
	satchel_cli_note("%s: %u apps, all content is what it should be", path, apps->len);
	return TRUE;
}
