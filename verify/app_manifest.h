#pragma once
#include "oci_document.h"

/*
 * The manifest of a Compose app, as composectl publishes it: an OCI image manifest whose first
 * layer is the archive with docker-compose.yml. Pure.
 */
typedef struct {
	SatchelOciDescriptor *archive;
	SatchelOciDescriptor *archive_index; /* (nullable): hashes of the files in the archive */
	SatchelOciDescriptor *layers_meta;   /* (nullable): sizes of unpacked layers */
} SatchelAppManifest;

/**
 * satchel_app_manifest_parse:
 * @document: at most SATCHEL_LIMIT_APP_MANIFEST_BYTES, its hash found right; borrowed
 *
 * Errors: SATCHEL_ERROR_CONTENT_INVALID.
 *
 * Returns: (transfer full): the manifest, or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelAppManifest *satchel_app_manifest_parse(GBytes *document, GError **error);

void satchel_app_manifest_free(SatchelAppManifest *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelAppManifest, satchel_app_manifest_free)
