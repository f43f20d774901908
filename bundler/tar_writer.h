#pragma once
#include <satchel/error.h>

/*
 * A tar of files and folders through libarchive, laid out as ../verify/tar_layout.h has it: ustar
 * headers, pax headers only where ustar cannot hold a name or a size; one time, owner 0 without
 * names and one mode for all. Same calls, same bytes, whatever locale. Not thread-safe.
 */
typedef struct SatchelTarWriter SatchelTarWriter;

/* Takes what has been written; FALSE ends it with the error it set. */
typedef gboolean (*SatchelTarSink)(gpointer user_data, gconstpointer data, gsize n_bytes,
				   GError **error);

/* The last time that stands in a ustar header: libarchive would put a later one into a pax header,
 * of which readers, who add up sizes, know nothing. */
#define SATCHEL_TAR_LAST_TIME_S (G_MAXINT32 - 1)

/* Errors of all functions: SATCHEL_ERROR_FAILED, also for a name that is not UTF-8; those of the
 * sink. @time_s: from 0 to SATCHEL_TAR_LAST_TIME_S. (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
SatchelTarWriter *satchel_tar_writer_new(gint64 time_s, SatchelTarSink sink, gpointer user_data,
					 GError **error);

/* @path: of a folder without slash at its end */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_tar_writer_put_folder(SatchelTarWriter *self, const char *path, GError **error);

/* To be followed by @size_bytes of data. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_tar_writer_begin_file(SatchelTarWriter *self, const char *path, guint64 size_bytes,
				       GError **error);
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_tar_writer_put_data(SatchelTarWriter *self, gconstpointer data, gsize n_bytes,
				     GError **error);

/* The end of the tar, filled up to a whole record. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_tar_writer_finish(SatchelTarWriter *self, GError **error);

/* Without satchel_tar_writer_finish() the sink gets no more. */
void satchel_tar_writer_free(SatchelTarWriter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelTarWriter, satchel_tar_writer_free)
