#include "path_safety.h"
#include "role_parse.h"

struct SatchelSnapshot {
	GBytes *bytes;
	gint64 version;
	gint64 expires_s;
	GHashTable *files; /* "targets.json" → SatchelMetaFile */
};

static gboolean
snapshot_parse_files(SatchelSnapshot *self, json_t *meta, GError **error)
{
	const char *name;
	json_t *entry;

	json_object_foreach(meta, name, entry)
	{
		SatchelMetaFile *file = satchel_meta_file_parse(entry, FALSE, error);

		if (file == NULL) {
			g_autofree char *quoted = satchel_path_quote(name);

			g_prefix_error(error, "'meta': %s: ", quoted);
			return FALSE;
		}
		g_hash_table_insert(self->files, g_strdup(name), file);
	}
	if (g_hash_table_contains(self->files, "targets.json"))
		return TRUE;
	g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
			    "'meta' lacks targets.json");
	return FALSE;
}

SatchelSnapshot *
satchel_snapshot_parse(const SatchelSignedDocument *document, SatchelDialect dialect,
		       GError **error)
{
	g_autoptr(SatchelSnapshot) self = g_atomic_rc_box_new0(SatchelSnapshot);
	json_t *meta = satchel_json_get_object(document->signed_, "meta", error);

	self->bytes = g_bytes_ref(document->bytes);
	self->version = document->version;
	self->expires_s = document->expires_s;
	self->files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
					    (GDestroyNotify)satchel_meta_file_free);
	if (meta == NULL || !snapshot_parse_files(self, meta, error))
		return NULL;
	return g_steal_pointer(&self);
}

gboolean
satchel_snapshot_check_rollback(const SatchelSnapshot *self, const SatchelSnapshot *trusted,
				GError **error)
{
	GHashTableIter iter;
	gpointer name, old;

	g_hash_table_iter_init(&iter, trusted->files);
	while (g_hash_table_iter_next(&iter, &name, &old)) {
		gint64 old_version = ((const SatchelMetaFile *)old)->version;
		const SatchelMetaFile *file = satchel_snapshot_lookup(self, name);
		g_autofree char *quoted = NULL;

		if (file != NULL && file->version >= old_version)
			continue;
		quoted = satchel_path_quote(name);
		if (file == NULL)
			g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
				    "no longer lists %s (rollback)", quoted);
		else
			g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
				    "lists %s with version %" G_GINT64_FORMAT
				    ", lower than the trusted %" G_GINT64_FORMAT " (rollback)",
				    quoted, file->version, old_version);
		return FALSE;
	}
	return TRUE;
}

const SatchelMetaFile *
satchel_snapshot_lookup(const SatchelSnapshot *self, const char *file)
{
	return g_hash_table_lookup(self->files, file);
}

gint64
satchel_snapshot_get_version(const SatchelSnapshot *self)
{
	return self->version;
}

gint64
satchel_snapshot_get_expires_s(const SatchelSnapshot *self)
{
	return self->expires_s;
}

GBytes *
satchel_snapshot_get_bytes(const SatchelSnapshot *self)
{
	return self->bytes;
}

static void
snapshot_clear(gpointer data)
{
	SatchelSnapshot *self = data;

	g_bytes_unref(self->bytes);
	g_hash_table_unref(self->files);
}

SatchelSnapshot *
satchel_snapshot_ref(SatchelSnapshot *self)
{
	return g_atomic_rc_box_acquire(self);
}

void
satchel_snapshot_unref(SatchelSnapshot *self)
{
	g_atomic_rc_box_release_full(self, snapshot_clear);
}
