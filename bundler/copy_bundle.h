#pragma once
#include <satchel/bundle_reader.h>

/**
 * satchel_copy_bundle:
 * @from: the bundle: a folder, a file, the first part of a set, or a folder that holds one of these
 * @stick: a folder on the medium
 * @force: replace a bundle of the same name there
 *
 * Copies under the same name: written, synced, read back from the medium and compared, and only
 * then named. A packed bundle that is too large for a file there becomes a set of parts. With
 * progress and notes.
 *
 * Errors: SATCHEL_ERROR_NO_SPACE, before anything is written where that can be seen;
 * SATCHEL_ERROR_DOWNLOAD_FAILED where @from cannot be read or is damaged, and where the stick gives
 * something else than was written; SATCHEL_ERROR_FAILED, also once a signal has come; those of
 * satchel_bundle_reader_open().
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_copy_bundle(const char *from, const char *stick, gboolean force, GError **error);
