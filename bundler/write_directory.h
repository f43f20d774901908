#pragma once
#include "../verify/manifest.h"
#include <satchel/error.h>

/*
 * Writes the files of a bundle in its directory form. Files are new: O_EXCL, plain, no hard links.
 * Nothing is synced: the whole folder is, in the end. Functions on different files may run in
 * different threads.
 */
typedef struct SatchelFileWriter SatchelFileWriter;

typedef struct {
	guint64 size_bytes;
	char sha256[65];
} SatchelWrittenFile;

/**
 * satchel_write_directory_begin:
 * @dir_fd: the bundle's top, borrowed
 * @member: path in it; its folders are made; borrowed for the life of the writer
 *
 * Errors of all functions: SATCHEL_ERROR_NO_SPACE, _FAILED.
 *
 * Returns: (transfer full)
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelFileWriter *satchel_write_directory_begin(int dir_fd, const char *member, GError **error);

G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_write_directory_append(SatchelFileWriter *self, gconstpointer data, gsize n_bytes,
					GError **error);

/* Writes what is left and says what the file is. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_write_directory_finish(SatchelFileWriter *self, SatchelWrittenFile *written,
					GError **error);

/* Without satchel_write_directory_finish(), the file is deleted. */
void satchel_file_writer_free(SatchelFileWriter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelFileWriter, satchel_file_writer_free)

/* A whole file; @manifest: (nullable): gets it as its next member. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_write_directory_put(int dir_fd, const char *member, GBytes *content,
				     SatchelManifest *manifest, GError **error);

/* An empty folder and those above it. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_write_directory_make_folder(int dir_fd, const char *member, GError **error);

/* Takes a file away, and its folder where nothing else is in it: nobody may write there meanwhile.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_write_directory_remove(int dir_fd, const char *member, GError **error);
