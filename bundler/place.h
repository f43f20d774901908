#pragma once
#include <satchel/error.h>

/* Whether a bundle in its directory form may come to @path: where nothing or an empty folder is,
 * and with @force also over another bundle. Errors: SATCHEL_ERROR_FAILED. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_place_check(const char *path, gboolean force, GError **error);
