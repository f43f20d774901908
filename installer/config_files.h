#pragma once
#include "config.h"

/**
 * satchel_config_files_read:
 * @paths: (nullable): files and folders, NULL-terminated; NULL or empty: the default search path,
 *   of which nothing need be there
 *
 * The `*.toml` files of the folders and the files themselves, merged in order of file name; of two
 * with one name the later replaces the earlier, as in aktualizr.
 *
 * Errors: SATCHEL_ERROR_USAGE, naming the file.
 *
 * Returns: (transfer full): the configuration, or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelConfig *satchel_config_files_read(const char *const *paths, GError **error);
