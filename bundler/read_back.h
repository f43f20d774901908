#pragma once
#include "../verify/progress.h"
#include <satchel/error.h>

/**
 * satchel_read_back:
 * @dir_fd, @name: a file that was written and synced
 * @shown: what messages call it
 * @sha256: of what was written
 * @progress: (nullable): advances by what is read
 *
 * Reads a file from the medium, not from memory, and compares: a stick that is failing, or is
 * smaller than it says, gives something else than it got, and tells nobody.
 *
 * Errors: SATCHEL_ERROR_DOWNLOAD_FAILED; SATCHEL_ERROR_FAILED once a signal has come.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_read_back(int dir_fd, const char *name, const char *shown, const char *sha256,
			   SatchelProgress *progress, GError **error);
