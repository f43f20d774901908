#pragma once
#include <satchel/error.h>

/* What the file system of an open folder can hold. */

/* The size of the largest file: on FAT 4 GiB less one cluster, so that no reader or writer meets
 * the edge; G_MAXUINT64 elsewhere. FALSE with errno. */
gboolean satchel_medium_file_limit(int dir_fd, guint64 *limit_bytes);

/* The same for a file system of that type (statfs) and cluster size. Pure. */
guint64 satchel_medium_file_limit_of(guint64 type, guint64 cluster_bytes);

/* Whether @n_files files of together @size_bytes fit. Errors: SATCHEL_ERROR_NO_SPACE, with both
 * numbers; SATCHEL_ERROR_FAILED. @path: for messages */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_medium_check_space(int dir_fd, const char *path, guint64 n_files,
				    guint64 size_bytes, GError **error);
