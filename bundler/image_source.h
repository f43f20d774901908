#pragma once
#include "app_store.h"
#include "image_name.h"

/*
 * Where images come from, behind one table: a folder in OCI's layout, an archive of `docker save`,
 * a registry. Nothing that a source gives is believed: documents are hashed by the caller, blobs by
 * the store's writer.
 *
 * Errors of all: SATCHEL_ERROR_NO_TARGET_CONTENT where it is not there;
 * SATCHEL_ERROR_DOWNLOAD_FAILED, and those of the writer.
 */
typedef struct SatchelImageSource SatchelImageSource;

typedef struct {
	/* The index or manifest that @name stands for; where it has a digest, that one. (transfer
	 * full) */
	GBytes *(*load_root)(SatchelImageSource *self, const SatchelImageName *name,
			     GError **error);
	/* Index or manifest by digest. (transfer full) */
	GBytes *(*load_manifest)(SatchelImageSource *self, const SatchelImageName *name,
				 const char *sha256, GError **error);
	/* From several threads at once where the source says so. */
	gboolean (*copy_blob)(SatchelImageSource *self, const SatchelImageName *name,
			      const char *sha256, SatchelBlobWriter *writer, GError **error);
	guint n_parallel; /* blobs at once */
	void (*free)(SatchelImageSource *self);
} SatchelImageSourceClass;

/* First member of every source's own structure. */
struct SatchelImageSource {
	const SatchelImageSourceClass *klass;
	char *name; /* as it was given, for messages */
};

/* How to reach registries. Borrowed by the source. */
typedef struct {
	const char *auth_file; /* (nullable): ~/.docker/config.json */
	const char *ca_file;   /* (nullable): PEM; only these are trusted */
	gboolean allow_http;   /* not only for this machine itself */
} SatchelRegistryOptions;

/* @text: oci:DIR, docker-archive:FILE or registry. Errors: SATCHEL_ERROR_USAGE and those of opening
 * it. (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
SatchelImageSource *
satchel_image_source_open(const char *text, const SatchelRegistryOptions *options, GError **error);

G_GNUC_WARN_UNUSED_RESULT
SatchelImageSource *satchel_image_source_oci_new(const char *path, GError **error);
G_GNUC_WARN_UNUSED_RESULT
SatchelImageSource *satchel_image_source_docker_new(const char *path, GError **error);
G_GNUC_WARN_UNUSED_RESULT
SatchelImageSource *satchel_image_source_registry_new(const SatchelRegistryOptions *options,
						      GError **error);

void satchel_image_source_free(SatchelImageSource *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelImageSource, satchel_image_source_free)
