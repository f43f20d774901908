#pragma once
#include <satchel/error.h>

/**
 * satchel_bundle_choice_in:
 * @folder: one that is no bundle itself, such as a stick
 *
 * The one bundle that lies in it: a packed one, the first part of one, or a folder with `tuf/` in
 * it. Hidden files and links are passed over.
 *
 * Errors: SATCHEL_ERROR_METADATA_NOT_FOUND where there is none, or more than one, whose names the
 * message tells; SATCHEL_ERROR_DOWNLOAD_FAILED where later parts lie without the first one, or the
 * folder cannot be read.
 *
 * Returns: (transfer full): its path, or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
char *satchel_bundle_choice_in(const char *folder, GError **error);
