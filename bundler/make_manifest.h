#pragma once
#include "../verify/manifest.h"
#include <satchel/bundle_reader.h>

/**
 * satchel_make_manifest:
 * @bundle: one that has none: fioctl writes none
 * @sizes: path to guint64: every file in it
 *
 * Reads all of it. Order: tuf/ with its roots by number, the frame of the OSTree repository, its
 * objects as a device walks the commits, what is left of them, apps, and anything else.
 *
 * Errors: those of satchel_bundle_reader_read() and satchel_closure_list();
 * SATCHEL_ERROR_FAILED once a signal has come.
 *
 * Returns: (transfer full)
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelManifest *satchel_make_manifest(SatchelBundleReader *bundle, GHashTable *sizes,
				       GError **error);
