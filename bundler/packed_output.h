#pragma once
#include "../verify/progress.h"
#include <satchel/error.h>

/*
 * The file, or the numbered files, of a packed bundle while they are written. They come into being
 * in a work folder beside their place and get their names when all of them are on the disk, the
 * first one last: without it the others are no bundle. Not thread-safe.
 */
typedef struct SatchelPackedOutput SatchelPackedOutput;

typedef struct {
	guint64 split_bytes; /* largest part; 0: what the file system can hold */
	gboolean replace;    /* also over another packed bundle of one file; never over parts */
	gboolean read_back;  /* satchel_packed_output_finish() reads all of it from the medium */
} SatchelPackedOutputOptions;

/**
 * satchel_packed_output_begin:
 * @path: NAME: where one file shall be in the end; several are NAME.000, NAME.001, ...
 * @options: copied
 *
 * Errors: SATCHEL_ERROR_FAILED where something is there that may not be replaced;
 * SATCHEL_ERROR_BUSY where another process is writing it; SATCHEL_ERROR_USAGE for parts that the
 * file system cannot hold; SATCHEL_ERROR_NO_SPACE, _FAILED.
 *
 * Returns: (transfer full)
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelPackedOutput *satchel_packed_output_begin(const char *path,
						 const SatchelPackedOutputOptions *options,
						 GError **error);

/* Errors: as satchel_medium_check_space(). */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_packed_output_check_space(const SatchelPackedOutput *self, guint64 size_bytes,
					   GError **error);

/* Makes an empty folder for what is needed only meanwhile: it goes away with @self. Once.
 * Returns: a file descriptor, the caller closes it; or -1 */
G_GNUC_WARN_UNUSED_RESULT
int satchel_packed_output_make_folder(SatchelPackedOutput *self, GError **error);
/* Its path. (transfer full) */
char *satchel_packed_output_get_folder(const SatchelPackedOutput *self);

/* Errors: SATCHEL_ERROR_NO_SPACE; SATCHEL_ERROR_FAILED, also beyond SATCHEL_LIMIT_PACKED_PARTS. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_packed_output_append(SatchelPackedOutput *self, gconstpointer data, gsize n_bytes,
				      GError **error);

/**
 * satchel_packed_output_finish:
 * @progress: (nullable): advances by the bytes read back
 *
 * Brings all parts to the medium and, where that was asked for, reads them from there again.
 * Errors: as above; SATCHEL_ERROR_DOWNLOAD_FAILED where the medium gives something else.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_packed_output_finish(SatchelPackedOutput *self, SatchelProgress *progress,
				      GError **error);

/* Gives the parts their names, after satchel_packed_output_finish(). Errors: as begin. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_packed_output_commit(SatchelPackedOutput *self, GError **error);

guint satchel_packed_output_get_n_parts(const SatchelPackedOutput *self);
guint64 satchel_packed_output_get_size_bytes(const SatchelPackedOutput *self);

/* Deletes what was not committed. */
void satchel_packed_output_free(SatchelPackedOutput *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelPackedOutput, satchel_packed_output_free)
