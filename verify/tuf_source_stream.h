#pragma once
#include <satchel/tuf_source.h>

/* What the sources that read files share, and how a client asks one. */

/* Asks @source; SATCHEL_ERROR_METADATA_DOWNLOAD where it is NULL, for then nobody can know what is
 * newer. Otherwise as SatchelTufSourceClass.fetch_metadata. */
G_GNUC_WARN_UNUSED_RESULT
GBytes *satchel_tuf_source_fetch_role(SatchelTufSource *source, const char *role, gint64 version,
				      gsize max_bytes, GError **error);

/* "3.snapshot.json", or "snapshot.json" for version 0. The role's name as it is. (transfer full) */
char *satchel_tuf_source_file_name(const char *role, gint64 version);

/**
 * satchel_tuf_source_read_role:
 * @stream: borrowed
 * @size_bytes: as the file system has it; more than @max_bytes is refused before anything is read
 * @name: for messages
 *
 * Errors: SATCHEL_ERROR_METADATA_INVALID where it is longer, SATCHEL_ERROR_METADATA_DOWNLOAD where
 * it cannot be read.
 */
G_GNUC_WARN_UNUSED_RESULT
GBytes *satchel_tuf_source_read_role(GInputStream *stream, guint64 size_bytes, gsize max_bytes,
				     const char *name, GError **error);

/* The error of a role that could not be opened: "not there" stays what it is, all else becomes
 * SATCHEL_ERROR_METADATA_DOWNLOAD. Always NULL. */
GBytes *satchel_tuf_source_fail_role(GError **error, GError *local_error);
