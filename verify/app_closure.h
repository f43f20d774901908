#pragma once
#include "app_manifest.h"
#include "compose_file.h"

/*
 * What an app consists of: every blob, with its digest and size, from the digest in a signed target
 * on. Each document is hashed before it is parsed, and every digest comes out of a document that
 * was hashed: target → app manifest → archive → docker-compose.yml → image index → image manifest →
 * configuration and layers. Pure but for its source.
 *
 * Errors of all functions: SATCHEL_ERROR_NO_TARGET_CONTENT where something is not there (status 8);
 * SATCHEL_ERROR_DOWNLOAD_FAILED where it cannot be read, or has not the size or the hash that it
 * should have (50; 70 for `satchel-verify --full`); SATCHEL_ERROR_CONTENT_INVALID where a document
 * that is the right one is malformed (70). Messages name the app and the blob.
 */

/* Where blobs are read: a bundle, an app store, one that is being filled. */
typedef struct {
	const char *folder; /* of `blobs/` and `apps/`, for messages: "apps/", or empty */
	/* The bytes of a blob, at most @max_bytes, in no way verified. SATCHEL_ERROR_
	 * METADATA_NOT_FOUND where it is absent. (transfer full) */
	GBytes *(*load)(gpointer self, const char *sha256, gsize max_bytes, GError **error);
	/* The size of a blob as it is there; absence is *@missing, not an error. */
	gboolean (*find)(gpointer self, const char *sha256, guint64 *size_bytes, gboolean *missing,
			 GError **error);
	/* (nullable): the next load of that blob comes from the medium. */
	void (*forget)(gpointer self, const char *sha256);
	gpointer self;
} SatchelAppSource;

typedef enum {
	SATCHEL_APP_BLOB_MANIFEST,
	SATCHEL_APP_BLOB_ARCHIVE,
	SATCHEL_APP_BLOB_ARCHIVE_INDEX,
	SATCHEL_APP_BLOB_LAYERS_META,
	SATCHEL_APP_BLOB_IMAGE_INDEX,
	SATCHEL_APP_BLOB_IMAGE_MANIFEST,
	SATCHEL_APP_BLOB_IMAGE_CONFIG,
	SATCHEL_APP_BLOB_IMAGE_LAYER,
} SatchelAppBlobKind;

/* "layer", "app manifest": for messages and reports. */
const char *satchel_app_blob_kind_name(SatchelAppBlobKind kind);

typedef struct {
	SatchelAppBlobKind kind;
	char sha256[65];
	guint64 size_bytes;
} SatchelAppBlob;

/* One image for one platform: what an engine loads. */
typedef struct {
	const SatchelImageReference *reference; /* as the services name it; borrowed */
	SatchelOciPlatform *platform;		/* (nullable): where an index names it */
	/* The manifest's descriptor, as an index has it or as it would have it. */
	SatchelOciDescriptor *descriptor;
	SatchelOciDocument *manifest; /* with configuration and layers */
} SatchelAppImage;

typedef struct {
	char *name; /* that of the folder in a store: APP of the URI */
	char *uri;
	SatchelImageReference *reference; /* the URI, parsed */
	SatchelAppManifest *manifest;
	GBytes *compose_text; /* docker-compose.yml */
	SatchelComposeFile *compose;
	GPtrArray *images;  /* of SatchelAppImage, by reference in the order of the file */
	GArray *blobs;	    /* of SatchelAppBlob, each digest once: manifest first */
	guint64 size_bytes; /* of all blobs */
} SatchelAppClosure;

/**
 * satchel_app_closure_new:
 * @uri: out of a verified target
 * @platform: (nullable): the device's: of an index exactly its image is wanted. NULL: every
 *   platform whose manifest is there, at least one of each index
 *
 * The app's manifest, archive and its image documents are read and hashed; configurations and
 * layers must be there in their sizes. Index and sizes of layers are left out where they are not
 * there: composectl can do without.
 *
 * Returns: (transfer full): the closure, or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelAppClosure *satchel_app_closure_new(const SatchelAppSource *source, const char *uri,
					   const SatchelOciPlatform *platform, GError **error);

/**
 * satchel_app_closure_new_partial:
 *
 * The same from a source that need not hold configurations and layers: for one that is still to be
 * filled. The documents must be there.
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelAppClosure *satchel_app_closure_new_partial(const SatchelAppSource *source, const char *uri,
						   const SatchelOciPlatform *platform,
						   GError **error);

void satchel_app_closure_free(SatchelAppClosure *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelAppClosure, satchel_app_closure_free)

/* Paths in an app store; "apps/" stands before them in a bundle. (transfer full) */
char *satchel_app_store_blob(const char *sha256);
/* apps/APP/SHA256/NAME */
char *satchel_app_store_file(const SatchelImageReference *app, const char *name);
