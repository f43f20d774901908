#include "app_manifest.h"
#include "oci_descriptor.h"
#include <string.h>

#define MEDIA_TYPE "application/vnd.oci.image.manifest.v1+json"
#define ARCHIVE_MEDIA_TYPE "application/octet-stream"
#define INDEX_DIGEST "org.foundries.app.bundle.index.digest"
#define INDEX_SIZE "org.foundries.app.bundle.index.size"
#define LAYERS_META "layers-meta"
#define VERSION "v1"

/* The archive and what describes the layers; more there is none. */
#define MAX_LAYERS 16u

static gboolean
refuse(GError **error, const char *reason)
{
	g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID, reason);
	return FALSE;
}

/* NULL where there is none. */
static const char *
get_annotation(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(json_object_get(object, "annotations"), name));
}

/* composectl takes the index for absent where one of the two annotations is. */
static gboolean
parse_index(SatchelAppManifest *self, const json_t *layer, GError **error)
{
	const char *digest = get_annotation(layer, INDEX_DIGEST);
	const char *size = get_annotation(layer, INDEX_SIZE);
	guint64 size_bytes = 0;

	if (digest == NULL || size == NULL)
		return TRUE;
	self->archive_index = g_new0(SatchelOciDescriptor, 1);
	self->archive_index->media_type = g_strdup("application/json");
	if (!satchel_oci_digest_parse(digest, self->archive_index->sha256) ||
	    !g_ascii_string_to_unsigned(size, 10, 0, G_MAXINT64, &size_bytes, NULL))
		return refuse(error, "its annotations of the archive's index are none");
	self->archive_index->size_bytes = size_bytes;
	return TRUE;
}

static gboolean
parse_layers(SatchelAppManifest *self, const json_t *object, GError **error)
{
	const json_t *layers = satchel_json_get_array(object, "layers", error);
	const json_t *second = json_array_get(layers, 1);
	const char *meta = get_annotation(second, LAYERS_META);

	if (layers == NULL)
		return FALSE;
	if (json_array_size(layers) == 0 || json_array_size(layers) > MAX_LAYERS)
		return refuse(error, "its 'layers' have no archive, or too much else");
	self->archive = satchel_oci_descriptor_parse(json_array_get(layers, 0), "layers", error);
	if (self->archive == NULL)
		return FALSE;
	if (strcmp(self->archive->media_type, ARCHIVE_MEDIA_TYPE) != 0)
		return refuse(error, "its first layer is not of type " ARCHIVE_MEDIA_TYPE);
	if (!parse_index(self, json_array_get(layers, 0), error))
		return FALSE;
	if (meta == NULL || strcmp(meta, VERSION) != 0)
		return TRUE;
	self->layers_meta = satchel_oci_descriptor_parse(second, "layers", error);
	return self->layers_meta != NULL;
}

static gboolean
parse(SatchelAppManifest *self, const json_t *object, GError **error)
{
	const char *media_type = json_string_value(json_object_get(object, "mediaType"));
	const char *version = get_annotation(object, "compose-app");

	if (!satchel_oci_check_schema(object, error))
		return FALSE;
	if (media_type == NULL || strcmp(media_type, MEDIA_TYPE) != 0)
		return refuse(error, "its 'mediaType' is not " MEDIA_TYPE);
	if (version == NULL || strcmp(version, VERSION) != 0)
		return refuse(error, "it has no annotation compose-app=" VERSION);
	return parse_layers(self, object, error);
}

SatchelAppManifest *
satchel_app_manifest_parse(GBytes *document, GError **error)
{
	g_autoptr(SatchelAppManifest) self = g_new0(SatchelAppManifest, 1);
	g_autoptr(GError) local_error = NULL;
	g_autoptr(SatchelJson) object = NULL;

	if (g_bytes_get_size(document) > SATCHEL_LIMIT_APP_MANIFEST_BYTES)
		refuse(&local_error, "it is too large");
	else
		object = satchel_json_parse(document, &local_error);
	if (object != NULL && parse(self, object, &local_error))
		return g_steal_pointer(&self);
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_CONTENT_INVALID, "the app's manifest: %s",
		    local_error->message);
	return NULL;
}

void
satchel_app_manifest_free(SatchelAppManifest *self)
{
	g_clear_pointer(&self->archive, satchel_oci_descriptor_free);
	g_clear_pointer(&self->archive_index, satchel_oci_descriptor_free);
	g_clear_pointer(&self->layers_meta, satchel_oci_descriptor_free);
	g_free(self);
}
