#include "app_override.h"
#include "../verify/json.h"
#include "app_containers.h"
#include "apps_load.h"
#include <string.h>

#define OPTIONAL "x-satchel-optional"

GBytes *
satchel_app_override_new(const SatchelAppClosure *closure)
{
	json_t *services = json_object();
	json_t *root = NULL;
	char *text = NULL;

	for (guint i = 0; i < closure->compose->services->len; i++) {
		const SatchelComposeService *service =
			g_ptr_array_index(closure->compose->services, i);
		g_autofree char *image = satchel_apps_load_local_name(service->image);
		json_t *value =
			json_pack("{s:s, s:s, s:{s:s}}", "image", image, "pull_policy", "never",
				  "labels", SATCHEL_APP_LABEL, closure->reference->sha256);

		if (service->is_optional)
			json_object_set_new(value, OPTIONAL, json_true());
		json_object_set_new(services, service->name, value);
	}
	root = json_pack("{s:o}", "services", services);
	text = json_dumps(root, JSON_INDENT(2));
	json_decref(root);
	return g_bytes_new_with_free_func(text, strlen(text), free, text);
}

GStrv
satchel_app_override_list_services(GBytes *override, const char *sha256)
{
	g_autoptr(GStrvBuilder) list = g_strv_builder_new();
	g_autoptr(SatchelJson) root = NULL;
	json_t *services = NULL;
	json_t *service = NULL;
	const char *name = NULL;
	gboolean same = FALSE;

	if (override == NULL)
		return NULL;
	root = json_loadb(g_bytes_get_data(override, NULL), g_bytes_get_size(override), 0, NULL);
	services = json_object_get(root, "services");
	json_object_foreach(services, name, service)
	{
		const json_t *labels = json_object_get(service, "labels");
		const char *label = json_string_value(json_object_get(labels, SATCHEL_APP_LABEL));

		same = g_strcmp0(label, sha256) == 0;
		if (!same)
			break;
		if (!json_is_true(json_object_get(service, OPTIONAL)))
			g_strv_builder_add(list, name);
	}
	return same ? g_strv_builder_end(list) : NULL;
}
