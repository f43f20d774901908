#pragma once
#include <satchel/error.h>

/* A file in a folder that a reboot empties: as long as it is there, there was none. */

/* Errors: SATCHEL_ERROR_FAILED. The folder is made where it is missing. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_reboot_sentinel_set(const char *dir, const char *name, GError **error);

gboolean satchel_reboot_sentinel_is_set(const char *dir, const char *name);

/* A file that cannot be removed does no harm: the next reboot takes it. */
void satchel_reboot_sentinel_clear(const char *dir, const char *name);
