#pragma once
#include "../verify/oci_document.h"

/*
 * One image as `docker load` takes it, made on the way: a tar of the image's configuration, its
 * layers as they are in the app store, and a manifest.json that names both. Nothing of it is
 * written anywhere; one buffer of it is in memory.
 */
typedef struct SatchelLoadArchive SatchelLoadArchive;

/**
 * satchel_load_archive_new:
 * @blobs_fd: the folder of the blobs, each under the hex of its hash; must stay open
 * @image: a manifest, its hash found right; borrowed
 * @name: by which the engine is to know the image, with a tag
 *
 * (transfer full)
 */
SatchelLoadArchive *satchel_load_archive_new(int blobs_fd, const SatchelOciDocument *image,
					     const char *name);

guint64 satchel_load_archive_get_bytes(const SatchelLoadArchive *self);

/**
 * satchel_load_archive_read:
 *
 * The next bytes. Every blob is hashed on its way, and its last byte is given only once the hash is
 * right: of a blob that is not what it should be nobody gets all, and manifest.json, which comes
 * last, not at all.
 *
 * Errors: SATCHEL_ERROR_DOWNLOAD_FAILED naming the blob: absent, of another size, or altered.
 *
 * Returns: how many; 0 at the end, -1 with an error
 */
G_GNUC_WARN_UNUSED_RESULT
gssize satchel_load_archive_read(SatchelLoadArchive *self, gpointer buffer, gsize n_bytes,
				 GError **error);

void satchel_load_archive_free(SatchelLoadArchive *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelLoadArchive, satchel_load_archive_free)
