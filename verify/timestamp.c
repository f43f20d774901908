#include "role_parse.h"

struct SatchelTimestamp {
	GBytes *bytes;
	gint64 version;
	gint64 expires_s;
	SatchelMetaFile *snapshot;
};

SatchelTimestamp *
satchel_timestamp_parse(const SatchelSignedDocument *document, SatchelDialect dialect,
			GError **error)
{
	g_autoptr(SatchelTimestamp) self = g_atomic_rc_box_new0(SatchelTimestamp);
	const json_t *meta = satchel_json_get_object(document->signed_, "meta", error);
	const json_t *entry = NULL;

	self->bytes = g_bytes_ref(document->bytes);
	self->version = document->version;
	self->expires_s = document->expires_s;
	if (meta != NULL)
		entry = satchel_json_get_object(meta, "snapshot.json", error);
	if (entry == NULL)
		return NULL;
	/* aktualizr refuses a timestamp that does not pin the snapshot's content. */
	self->snapshot = satchel_meta_file_parse(entry, dialect == SATCHEL_DIALECT_UPTANE, error);
	if (self->snapshot == NULL) {
		g_prefix_error_literal(error, "'snapshot.json': ");
		return NULL;
	}
	return g_steal_pointer(&self);
}

gboolean
satchel_timestamp_check_rollback(const SatchelTimestamp *self, const SatchelTimestamp *trusted,
				 GError **error)
{
	/* TUF 5.4.3.1 */
	if (self->version < trusted->version) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
			    "version is lower than the trusted %" G_GINT64_FORMAT " (rollback)",
			    trusted->version);
		return FALSE;
	}
	/* TUF 5.4.3.2 */
	if (self->snapshot->version < trusted->snapshot->version) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
			    "lists snapshot %" G_GINT64_FORMAT
			    ", lower than the trusted %" G_GINT64_FORMAT " (rollback)",
			    self->snapshot->version, trusted->snapshot->version);
		return FALSE;
	}
	return TRUE;
}

const SatchelMetaFile *
satchel_timestamp_get_snapshot_file(const SatchelTimestamp *self)
{
	return self->snapshot;
}

gint64
satchel_timestamp_get_version(const SatchelTimestamp *self)
{
	return self->version;
}

gint64
satchel_timestamp_get_expires_s(const SatchelTimestamp *self)
{
	return self->expires_s;
}

gint64
satchel_timestamp_get_snapshot_version(const SatchelTimestamp *self)
{
	return self->snapshot->version;
}

GBytes *
satchel_timestamp_get_bytes(const SatchelTimestamp *self)
{
	return self->bytes;
}

static void
timestamp_clear(gpointer data)
{
	SatchelTimestamp *self = data;

	g_bytes_unref(self->bytes);
	g_clear_pointer(&self->snapshot, satchel_meta_file_free);
}

SatchelTimestamp *
satchel_timestamp_ref(SatchelTimestamp *self)
{
	return g_atomic_rc_box_acquire(self);
}

void
satchel_timestamp_unref(SatchelTimestamp *self)
{
	g_atomic_rc_box_release_full(self, timestamp_clear);
}
