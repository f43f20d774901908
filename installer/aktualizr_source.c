#include "aktualizr_source.h"

typedef struct {
	SatchelTufSource parent;
	SatchelAktualizrDatabase *database;
} AktualizrSource;

static GBytes *
fetch_metadata(SatchelTufSource *source, const char *role, gint64 version, gsize max_bytes,
	       GError **error)
{
	static const char *const roles[] = {
		[SATCHEL_AKTUALIZR_ROOT] = "root",
		[SATCHEL_AKTUALIZR_SNAPSHOT] = "snapshot",
		[SATCHEL_AKTUALIZR_TARGETS] = "targets",
		[SATCHEL_AKTUALIZR_TIMESTAMP] = "timestamp",
	};
	AktualizrSource *self = (AktualizrSource *)source;

	for (guint i = 0; i < G_N_ELEMENTS(roles); i++) {
		if (g_str_equal(role, roles[i]))
			return satchel_aktualizr_database_get_meta(
				self->database, (SatchelAktualizrRole)i, version, max_bytes, error);
	}
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND,
		    "no delegated role is in the database");
	return NULL;
}

static void
source_free(SatchelTufSource *source)
{
	g_free(source);
}

SatchelTufSource *
satchel_aktualizr_source_new(SatchelAktualizrDatabase *database)
{
	static const SatchelTufSourceClass klass = {.fetch_metadata = fetch_metadata,
						    .free = source_free};
	AktualizrSource *self = g_new0(AktualizrSource, 1);

	self->parent.klass = &klass;
	self->database = database;
	return &self->parent;
}
