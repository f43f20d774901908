#pragma once
#include <satchel/bundle_reader.h>

/* What a bundle weighs, as it lies there: folders count for nothing. */
typedef struct {
	guint64 n_files;
	guint64 size_bytes;
	guint64 n_objects; /* of OSTree, of any kind */
	guint64 object_bytes;
} SatchelBundleSize;

/* Errors: as satchel_bundle_reader_read(). */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_bundle_size_measure(SatchelBundleReader *bundle, SatchelBundleSize *size,
				     GError **error);
