#pragma once
#include <satchel/error.h>

/* Names that come from a medium or from metadata. Pure. */

/* Relative, no empty, `.` or `..` component, no control characters, within SATCHEL_LIMIT_PATH_BYTES
 * and SATCHEL_LIMIT_NAME_BYTES a component. The error (SATCHEL_ERROR_METADATA_INVALID) quotes the
 * path. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_path_check(const char *path, GError **error);

/* One file name for any role name or target path: percent-encodes all but A-Z a-z 0-9 - . _ ~, and
 * a leading dot; NULL with an error where the result would pass SATCHEL_LIMIT_NAME_BYTES - 5.
 * (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
char *satchel_path_encode_name(const char *name, GError **error);

/* The same for any name that is not empty: where it would be too long, `%sha256-` and the name's
 * digest, which no other name is encoded as. (transfer full) */
char *satchel_path_file_name(const char *name);

/* For messages: control and non-ASCII bytes as \xNN, cut at 200 characters. (transfer full) */
char *satchel_path_quote(const char *text);
