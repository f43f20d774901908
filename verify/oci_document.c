#include "oci_descriptor.h"
#include <string.h>

static const char *const index_types[] = {
	"application/vnd.oci.image.index.v1+json",
	"application/vnd.docker.distribution.manifest.list.v2+json", NULL};
static const char *const manifest_types[] = {"application/vnd.oci.image.manifest.v1+json",
					     "application/vnd.docker.distribution.manifest.v2+json",
					     NULL};

static gboolean
refuse(GError **error, const char *reason)
{
	g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID, reason);
	return FALSE;
}

static gboolean
document_check_kind(const SatchelOciDocument *self, const json_t *object, GError **error)
{
	gboolean has_manifests = json_object_get(object, "manifests") != NULL;
	gboolean has_layers = json_object_get(object, "layers") != NULL ||
			      json_object_get(object, "config") != NULL;
	const char *const *others = self->kind == SATCHEL_OCI_INDEX ? manifest_types : index_types;
	const char *const *own = self->kind == SATCHEL_OCI_INDEX ? index_types : manifest_types;

	if (has_manifests && has_layers)
		return refuse(error, "it is an index and a manifest at once");
	if (g_strv_contains(others, self->media_type))
		return refuse(error, "its 'mediaType' is that of the other kind of document");
	/* skopeo writes none into the index of a layout. */
	return *self->media_type == '\0' || g_strv_contains(own, self->media_type) ||
	       refuse(error, "its 'mediaType' is of no image");
}

static gboolean
document_parse(SatchelOciDocument *self, const json_t *object, GError **error)
{
	const char *media_type = json_string_value(json_object_get(object, "mediaType"));

	self->media_type = g_strdup(media_type != NULL ? media_type : "");
	if (json_object_get(object, "manifests") != NULL)
		self->kind = SATCHEL_OCI_INDEX;
	else
		self->kind = SATCHEL_OCI_MANIFEST;
	if (!satchel_oci_check_schema(object, error) || !document_check_kind(self, object, error))
		return FALSE;
	if (self->kind == SATCHEL_OCI_INDEX) {
		self->parts = satchel_oci_descriptor_parse_array(
			object, "manifests", SATCHEL_LIMIT_IMAGE_PLATFORMS, error);
		return self->parts != NULL;
	}
	self->config =
		satchel_oci_descriptor_parse(json_object_get(object, "config"), "config", error);
	if (self->config == NULL)
		return FALSE;
	self->parts = satchel_oci_descriptor_parse_array(object, "layers",
							 SATCHEL_LIMIT_IMAGE_LAYERS, error);
	return self->parts != NULL;
}

SatchelOciDocument *
satchel_oci_document_parse(GBytes *document, GError **error)
{
	g_autoptr(SatchelOciDocument) self = g_new0(SatchelOciDocument, 1);
	g_autoptr(GError) local_error = NULL;
	g_autoptr(SatchelJson) object = NULL;

	if (g_bytes_get_size(document) > SATCHEL_LIMIT_IMAGE_MANIFEST_BYTES)
		refuse(&local_error, "it is too large");
	else
		object = satchel_json_parse(document, &local_error);
	if (object != NULL && document_parse(self, object, &local_error))
		return g_steal_pointer(&self);
	g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_CONTENT_INVALID,
			    local_error->message);
	return NULL;
}

void
satchel_oci_document_free(SatchelOciDocument *self)
{
	g_free(self->media_type);
	g_clear_pointer(&self->config, satchel_oci_descriptor_free);
	g_clear_pointer(&self->parts, g_ptr_array_unref);
	g_free(self);
}
