#pragma once
#include "../verify/progress.h"
#include <gio/gio.h>
#include <satchel/bundle_reader.h>
#include <satchel/bundle_thin.h>

/**
 * satchel_delta_copy:
 * @bundle: with a signed manifest that was accepted, borrowed
 * @path: where the copy is to be, in a folder that nobody else writes to
 * @sink, @cancellable: (nullable)
 *
 * Copies the delta's file from the medium, once, and hashes it on the way: what is then parsed are
 * the bytes that were hashed. A copy that is there and has the signed hash is taken as it is. A
 * hash that does not fit is tried once more from the medium itself.
 *
 * Errors: SATCHEL_ERROR_BUNDLE_INVALID where no signed manifest lists the delta;
 * SATCHEL_ERROR_NO_TARGET_CONTENT where it is not there; SATCHEL_ERROR_DOWNLOAD_FAILED where it is
 * not what was signed, and then there is no copy; SATCHEL_ERROR_NO_SPACE, SATCHEL_ERROR_CANCELLED.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_delta_copy(SatchelBundleReader *bundle, const SatchelBundleDelta *delta,
			    const char *path, const SatchelProgressSink *sink,
			    GCancellable *cancellable, GError **error);
