#pragma once
#include <satchel/bundle_reader.h>

/* What a bundle weighs, as it lies there: folders count for nothing. */
typedef struct {
	guint64 n_files;
	guint64 size_bytes;
	guint64 n_objects; /* of OSTree, of any kind */
	guint64 object_bytes;
	guint64 app_bytes; /* of all that lies in apps/ */
} SatchelBundleSize;

/* Errors: as satchel_bundle_reader_read(). */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_bundle_size_measure(SatchelBundleReader *bundle, SatchelBundleSize *size,
				     GError **error);

/* The URIs of the apps that the bundle says it holds, by name. (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
GPtrArray *satchel_bundle_size_list_apps(SatchelBundleReader *bundle, GError **error);
