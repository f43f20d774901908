#pragma once
#include "image_source.h"

/* What is wanted of images. Borrowed for the call. */
typedef struct {
	GPtrArray *sources;   /* of SatchelImageSource: the first that has an image gives it */
	GPtrArray *platforms; /* of SatchelOciPlatform; empty: an image's only one */
} SatchelImageWish;

/**
 * satchel_collect_image:
 * @store: gets index, manifests, configurations and layers
 * @text: the image as a Compose file names it
 *
 * Nothing is taken for what it is called: documents and blobs are hashed on their way, from the
 * image's digest on where it has one. Blobs that the store has are not read again.
 *
 * Errors: SATCHEL_ERROR_NO_TARGET_CONTENT where no source has it or it is not for a platform that
 * is asked for; SATCHEL_ERROR_USAGE where it is for several and none is chosen; those of sources
 * and store.
 *
 * Returns: (transfer full): HOST/PATH@sha256:HEX, or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
char *satchel_collect_image(SatchelAppStore *store, const char *text, const SatchelImageWish *wish,
			    GError **error);
