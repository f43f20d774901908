#pragma once
#include <glib.h>

/* What the file system of an open folder can hold. All set errno where they fail. */

/* The size of the largest file: on FAT 4 GiB less one cluster, so that no reader or writer meets
 * the edge; G_MAXUINT64 elsewhere. */
gboolean satchel_medium_file_limit(int dir_fd, guint64 *limit_bytes);

/* The same for a file system of that type (statfs) and cluster size. Pure. */
guint64 satchel_medium_file_limit_of(guint64 type, guint64 cluster_bytes);

/* What is free for us, and the unit in which files take it. */
gboolean satchel_medium_free(int dir_fd, guint64 *free_bytes, guint64 *cluster_bytes);
