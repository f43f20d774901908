#include "compose_file.h"
#include "path_safety.h"
#include "yaml_tree.h"
#include <satchel/limits.h>
#include <string.h>

#define CONFIG_HASH_LABEL "io.compose-spec.config-hash"

static void
service_free(gpointer data)
{
	SatchelComposeService *service = data;

	g_free(service->name);
	g_clear_pointer(&service->image, satchel_image_reference_free);
	g_free(service);
}

static gboolean
refuse(GError **error, const char *reason)
{
	g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_CONTENT_INVALID, reason);
	return FALSE;
}

gboolean
satchel_compose_service_name_is_safe(const char *name)
{
	gsize n_bytes = strlen(name);

	return n_bytes > 0 && n_bytes <= SATCHEL_LIMIT_NAME_BYTES &&
	       (g_ascii_isalnum(*name) || *name == '_') &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
		       n_bytes;
}

/* Labels are a mapping, or a list of NAME=VALUE. */
static gboolean
has_config_hash(const SatchelYamlNode *service)
{
	const SatchelYamlNode *labels = satchel_yaml_node_lookup(service, "labels");

	if (labels == NULL)
		return FALSE;
	if (labels->kind == SATCHEL_YAML_MAPPING)
		return satchel_yaml_node_lookup(labels, CONFIG_HASH_LABEL) != NULL;
	for (guint i = 0; labels->kind == SATCHEL_YAML_SEQUENCE && i < labels->children->len; i++) {
		const SatchelYamlNode *label = labels->children->pdata[i];

		if (label->text != NULL && g_str_has_prefix(label->text, CONFIG_HASH_LABEL "="))
			return TRUE;
	}
	return FALSE;
}

/* Unknown where it is a variable, say. */
static gboolean
is_surely_one_or_more(const SatchelYamlNode *number)
{
	return number == NULL ||
	       (number->text != NULL &&
		g_ascii_string_to_unsigned(number->text, 10, 1, G_MAXUINT, NULL, NULL));
}

/* One of a profile starts where that is asked for, one may be scaled to nothing, and what is
 * inherited may be either. */
static gboolean
is_optional(const SatchelYamlNode *service)
{
	const SatchelYamlNode *deploy = satchel_yaml_node_lookup(service, "deploy");

	return satchel_yaml_node_lookup(service, "profiles") != NULL ||
	       satchel_yaml_node_lookup(service, "extends") != NULL ||
	       !is_surely_one_or_more(satchel_yaml_node_lookup(service, "scale")) ||
	       (deploy != NULL &&
		!is_surely_one_or_more(satchel_yaml_node_lookup(deploy, "replicas")));
}

static gboolean
parse_service(SatchelComposeFile *self, const SatchelYamlNode *key, const SatchelYamlNode *value,
	      GError **error)
{
	const SatchelYamlNode *image = satchel_yaml_node_lookup(value, "image");
	SatchelComposeService *service;

	if (key->text == NULL || !satchel_compose_service_name_is_safe(key->text)) {
		g_autofree char *quoted = satchel_path_quote(key->text != NULL ? key->text : "");

		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_CONTENT_INVALID,
			    "'%s' is no name for a service", quoted);
		return FALSE;
	}
	service = g_new0(SatchelComposeService, 1);
	service->name = g_strdup(key->text);
	g_ptr_array_add(self->services, service);
	if (image == NULL || image->text == NULL) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_CONTENT_INVALID,
			    "service %s names no image", service->name);
		return FALSE;
	}
	service->has_config_hash = has_config_hash(value);
	service->is_optional = is_optional(value);
	service->image = satchel_image_reference_parse(image->text, error);
	if (service->image != NULL)
		return TRUE;
	g_prefix_error(error, "service %s: image ", service->name);
	return FALSE;
}

static gboolean
parse_services(SatchelComposeFile *self, const SatchelYamlNode *root, GError **error)
{
	const SatchelYamlNode *services =
		root != NULL ? satchel_yaml_node_lookup(root, "services") : NULL;

	if (services == NULL || services->kind != SATCHEL_YAML_MAPPING ||
	    services->children->len == 0)
		return refuse(error, "it has no services");
	if (satchel_yaml_node_lookup(root, "include") != NULL)
		return refuse(error, "it includes other files, whose images nobody has collected");
	if (services->children->len / 2 > SATCHEL_LIMIT_APP_SERVICES) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_CONTENT_INVALID,
			    "it has more than %u services", SATCHEL_LIMIT_APP_SERVICES);
		return FALSE;
	}
	for (guint i = 0; i + 1 < services->children->len; i += 2) {
		const SatchelYamlNode *key = services->children->pdata[i];

		/* Services out of a merge have no place of their own. */
		if (key->text != NULL && strcmp(key->text, "<<") == 0)
			return refuse(error, "its services are merged from elsewhere");
		if (!parse_service(self, key, services->children->pdata[i + 1], error))
			return FALSE;
	}
	return TRUE;
}

SatchelComposeFile *
satchel_compose_file_parse(GBytes *text, GError **error)
{
	g_autoptr(SatchelComposeFile) self = g_new0(SatchelComposeFile, 1);
	g_autoptr(SatchelYamlTree) tree = satchel_yaml_tree_parse(text, error);

	self->services = g_ptr_array_new_with_free_func(service_free);
	if (tree != NULL && parse_services(self, satchel_yaml_tree_get_root(tree), error))
		return g_steal_pointer(&self);
	g_prefix_error(error, SATCHEL_COMPOSE_FILE ": ");
	return NULL;
}

void
satchel_compose_file_free(SatchelComposeFile *self)
{
	g_ptr_array_unref(self->services);
	g_free(self);
}
