#pragma once
#include "../verify/app_closure.h"
#include <gio/gio.h>
#include <satchel/bundle_reader.h>
#include <satchel/progress.h>

/*
 * The device's own store of apps, in composectl's layout: every blob under its hash, in
 * blobs/sha256/, and apps/APP/SHA256/uri for each app that is whole. A blob gets its name only once
 * it was hashed, so a store that was cut off holds nothing wrong.
 */
typedef struct SatchelBlobStore SatchelBlobStore;

/* @path: made where it is not there. Error: SATCHEL_ERROR_NO_SPACE, _FAILED. (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
SatchelBlobStore *satchel_blob_store_open(const char *path, GError **error);

/* Where its blobs lie; borrowed. */
int satchel_blob_store_get_blobs_fd(const SatchelBlobStore *self);

/* An app of which the store has all. Errors: as satchel_app_closure_new(). (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
SatchelAppClosure *satchel_blob_store_find(const SatchelBlobStore *self, const char *uri,
					   const SatchelOciPlatform *platform, GError **error);

/* A whole blob, hashed. Errors: SATCHEL_ERROR_DOWNLOAD_FAILED. (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
GBytes *satchel_blob_store_load(const SatchelBlobStore *self, const SatchelOciDescriptor *blob,
				gsize max_bytes, GError **error);

/**
 * satchel_blob_store_pull:
 * @closures: of SatchelAppClosure, what is in the bundle
 * @watermark_percent: of the file system, how much may be in use at most
 *
 * Copies what the store lacks, or holds damaged: that is hashed first. Cut off, it goes on where
 * it was.
 *
 * Errors: SATCHEL_ERROR_NO_SPACE (before anything is written; says how much is lacking, or on the
 * way); SATCHEL_ERROR_NO_TARGET_CONTENT, SATCHEL_ERROR_DOWNLOAD_FAILED: the bundle lacks a blob, or
 * has another one under its name; SATCHEL_ERROR_CANCELLED.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_blob_store_pull(SatchelBlobStore *self, SatchelBundleReader *bundle,
				 const GPtrArray *closures, guint64 watermark_percent,
				 const SatchelProgressSink *sink, GCancellable *cancellable,
				 GError **error);

/* Takes away what none of the apps with these URIs needs, and remains of what was cut off. Those of
 * which something is lacking count with what is there. @uris: NULL-terminated. Does what it can. */
void satchel_blob_store_prune(SatchelBlobStore *self, const char *const *uris,
			      const SatchelOciPlatform *platform);

void satchel_blob_store_free(SatchelBlobStore *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelBlobStore, satchel_blob_store_free)
