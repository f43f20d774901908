#include "meta_file.h"

static gboolean
meta_file_parse_hashes(SatchelMetaFile *self, const json_t *entry, gboolean pinned, GError **error)
{
	json_t *hashes;

	if (!pinned && json_object_get(entry, "hashes") == NULL)
		return TRUE;
	hashes = satchel_json_get_object(entry, "hashes", error);
	if (hashes == NULL)
		return FALSE;
	self->hashes = satchel_hash_list_parse(hashes, error);
	return self->hashes != NULL;
}

SatchelMetaFile *
satchel_meta_file_parse(const json_t *entry, gboolean pinned, GError **error)
{
	g_autoptr(SatchelMetaFile) self = g_new0(SatchelMetaFile, 1);

	self->length_bytes = -1;
	if (!json_is_object(entry)) {
		g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
				    "no object");
		return NULL;
	}
	if (!satchel_json_get_int(entry, "version", 1, G_MAXINT64, &self->version, error))
		return NULL;
	if ((pinned || json_object_get(entry, "length") != NULL) &&
	    !satchel_json_get_int(entry, "length", 0, G_MAXINT64, &self->length_bytes, error))
		return NULL;
	if (!meta_file_parse_hashes(self, entry, pinned, error))
		return NULL;
	return g_steal_pointer(&self);
}

gboolean
satchel_meta_file_check_content(const SatchelMetaFile *self, const SatchelSignedDocument *document,
				SatchelDialect dialect, GError **error)
{
	guint64 length_bytes = 0;

	if (self->hashes != NULL) {
		if (!satchel_hash_list_check(self->hashes, document, dialect, &length_bytes, error))
			return FALSE;
	} else if (self->length_bytes >= 0) {
		g_autofree char *hash = satchel_signed_document_hash(document, dialect, "sha256",
								     &length_bytes, error);
		if (hash == NULL)
			return FALSE;
	}
	if (self->length_bytes < 0 || length_bytes == (guint64)self->length_bytes)
		return TRUE;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
		    "length is %" G_GUINT64_FORMAT ", %" G_GINT64_FORMAT " is listed", length_bytes,
		    self->length_bytes);
	return FALSE;
}

gboolean
satchel_meta_file_check_version(const SatchelMetaFile *self, gint64 version, const char *by,
				GError **error)
{
	if (version == self->version)
		return TRUE;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
		    "%s lists version %" G_GINT64_FORMAT, by, self->version);
	return FALSE;
}

void
satchel_meta_file_free(SatchelMetaFile *self)
{
	g_clear_pointer(&self->hashes, satchel_hash_list_free);
	g_free(self);
}
