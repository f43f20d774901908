#include "oci_descriptor.h"
#include "hex.h"
#include <string.h>

#define DIGEST_PREFIX "sha256:"

gboolean
satchel_oci_digest_parse(const char *text, char sha256[65])
{
	if (text == NULL || !g_str_has_prefix(text, DIGEST_PREFIX) ||
	    !satchel_hex_is_sha256(text + strlen(DIGEST_PREFIX)))
		return FALSE;
	(void)g_strlcpy(sha256, text + strlen(DIGEST_PREFIX), 65);
	return TRUE;
}

static gboolean
refuse(GError **error, const char *member, const char *reason)
{
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID, "'%s' %s", member,
		    reason);
	return FALSE;
}

/* (transfer full): empty where it is not there. */
static char *
dup_string(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));

	return g_strdup(text != NULL ? text : "");
}

static SatchelOciPlatform *
platform_from_json(const json_t *value)
{
	SatchelOciPlatform *self;

	if (!json_is_object(value))
		return NULL;
	self = g_new0(SatchelOciPlatform, 1);
	self->os = dup_string(value, "os");
	self->architecture = dup_string(value, "architecture");
	self->variant = dup_string(value, "variant");
	return self;
}

SatchelOciDescriptor *
satchel_oci_descriptor_parse(const json_t *value, const char *member, GError **error)
{
	g_autoptr(SatchelOciDescriptor) self = g_new0(SatchelOciDescriptor, 1);
	const char *digest = json_string_value(json_object_get(value, "digest"));
	gint64 size_bytes = 0;

	if (!json_is_object(value))
		refuse(error, member, "is no descriptor");
	else if (!satchel_oci_digest_parse(digest, self->sha256))
		refuse(error, member, "has a digest that is not sha256: and 64 hex digits");
	else if (satchel_json_get_int(value, "size", 0, G_MAXINT64, &size_bytes, error)) {
		self->size_bytes = (guint64)size_bytes;
		self->media_type = dup_string(value, "mediaType");
		self->platform = platform_from_json(json_object_get(value, "platform"));
		return g_steal_pointer(&self);
	}
	return NULL;
}

GPtrArray *
satchel_oci_descriptor_parse_array(const json_t *object, const char *member, guint max,
				   GError **error)
{
	const json_t *array = satchel_json_get_array(object, member, error);
	g_autoptr(GPtrArray) parts =
		g_ptr_array_new_with_free_func((GDestroyNotify)satchel_oci_descriptor_free);
	json_t *value;
	gsize i;

	if (array == NULL)
		return NULL;
	if (json_array_size(array) > max) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
			    "'%s' has more than %u entries", member, max);
		return NULL;
	}
	json_array_foreach(array, i, value)
	{
		SatchelOciDescriptor *part = satchel_oci_descriptor_parse(value, member, error);

		if (part == NULL)
			return NULL;
		g_ptr_array_add(parts, part);
	}
	return g_steal_pointer(&parts);
}

gboolean
satchel_oci_check_schema(const json_t *object, GError **error)
{
	gint64 version = 0;

	return satchel_json_get_int(object, "schemaVersion", 2, 2, &version, error);
}

void
satchel_oci_descriptor_free(SatchelOciDescriptor *self)
{
	g_free(self->media_type);
	g_clear_pointer(&self->platform, satchel_oci_platform_free);
	g_free(self);
}
