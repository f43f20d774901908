#pragma once
#include "../verify/app_closure.h"

/*
 * An app store on the build host, in composectl's layout: blobs/sha256/HEX, and
 * apps/APP/HEX/{uri,manifest.json,HEX.tgz,docker-compose.yml,images/…} beside them. A blob has its
 * name only when all of it is on the disk and has that hash. While it is open for writing, a lock
 * keeps other writers out. Blobs may be written from several threads at once.
 *
 * Errors of all functions: SATCHEL_ERROR_NO_SPACE, SATCHEL_ERROR_BUSY, SATCHEL_ERROR_FAILED.
 */
typedef struct SatchelAppStore SatchelAppStore;

/* @writable: made where it is not there, and locked. (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
SatchelAppStore *satchel_app_store_open(const char *path, gboolean writable, GError **error);

const char *satchel_app_store_get_path(const SatchelAppStore *self);
/* Borrowed. */
int satchel_app_store_get_fd(const SatchelAppStore *self);
/* Reads it. Borrows from the store. */
SatchelAppSource satchel_app_store_source(const SatchelAppStore *self);

/* TRUE where a blob of that name and size is there: its hash was found right when it got it. */
gboolean satchel_app_store_has(const SatchelAppStore *self, const char *sha256, guint64 size_bytes);

/* A blob on its way. What is there of an earlier one that broke off is taken up again. */
typedef struct SatchelBlobWriter SatchelBlobWriter;

/* @sha256: what it must come to; borrowed for the life of the writer. (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
SatchelBlobWriter *satchel_app_store_begin(SatchelAppStore *self, const char *sha256,
					   guint64 size_bytes, GError **error);
/* So many bytes are there already: go on behind them. */
guint64 satchel_blob_writer_get_offset(const SatchelBlobWriter *self);
/* Throws away what is there, for a source that cannot go on in the middle. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_blob_writer_restart(SatchelBlobWriter *self, GError **error);
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_blob_writer_append(SatchelBlobWriter *self, gconstpointer data, gsize n_bytes,
				    GError **error);
/* Error: SATCHEL_ERROR_DOWNLOAD_FAILED where size or hash is another; then nothing of it stays. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_blob_writer_finish(SatchelBlobWriter *self, GError **error);
/* Without satchel_blob_writer_finish(), what came stays for the next time. */
void satchel_blob_writer_free(SatchelBlobWriter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelBlobWriter, satchel_blob_writer_free)

/* A whole blob. @sha256: (out): what it is. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_app_store_put(SatchelAppStore *self, GBytes *content, char sha256[65],
			       GError **error);

/* Writes what stands below apps/ for an app whose blobs are there, `uri` last: by it the app is
 * known. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_app_store_publish(SatchelAppStore *self, const SatchelAppClosure *app,
				   GError **error);

/* The URIs of the apps in it, in order of name. (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
GPtrArray *satchel_app_store_list(const SatchelAppStore *self, GError **error);

void satchel_app_store_close(SatchelAppStore *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelAppStore, satchel_app_store_close)
