#pragma once
#include <satchel/error.h>

/* Errors of the system on files that the bundler writes: SATCHEL_ERROR_NO_SPACE for ENOSPC and
 * EDQUOT, else SATCHEL_ERROR_FAILED; "PATH: cannot VERB: reason". Always returns FALSE. */
gboolean satchel_file_error_set(GError **error, int system_error, const char *path,
				const char *verb);
