#include "app_closure.h"
#include "app_archive.h"
#include "digest.h"
#include "hex.h"
#include "medium_error.h"
#include <satchel/bundle_layout.h>
#include <satchel/limits.h>
#include <string.h>

typedef struct {
	const SatchelAppSource *source;
	const SatchelOciPlatform *platform; /* (nullable) */
	gboolean is_partial;
	SatchelAppClosure *closure;
	GHashTable *known; /* digests among the closure's blobs, borrowed from the descriptors */
} Walk;

const char *
satchel_app_blob_kind_name(SatchelAppBlobKind kind)
{
	switch (kind) {
	case SATCHEL_APP_BLOB_MANIFEST:
		return "app manifest";
	case SATCHEL_APP_BLOB_ARCHIVE:
		return "app archive";
	case SATCHEL_APP_BLOB_ARCHIVE_INDEX:
		return "index of the app archive";
	case SATCHEL_APP_BLOB_LAYERS_META:
		return "sizes of layers";
	case SATCHEL_APP_BLOB_IMAGE_INDEX:
		return "image index";
	case SATCHEL_APP_BLOB_IMAGE_MANIFEST:
		return "image manifest";
	case SATCHEL_APP_BLOB_IMAGE_CONFIG:
		return "image configuration";
	case SATCHEL_APP_BLOB_IMAGE_LAYER:
		break;
	}
	return "image layer";
}

char *
satchel_app_store_blob(const char *sha256)
{
	return g_strconcat(SATCHEL_APP_STORE_BLOBS "/", sha256, NULL);
}

char *
satchel_app_store_file(const SatchelImageReference *app, const char *name)
{
	return g_strconcat(SATCHEL_APP_STORE_APPS "/", satchel_app_uri_get_app(app), "/",
			   app->sha256, "/", name, NULL);
}

static char *
walk_member(const Walk *walk, const char *sha256)
{
	g_autofree char *path = satchel_app_store_blob(sha256);

	return g_strconcat(walk->source->folder, path, NULL);
}

static gboolean
walk_refuse_missing(const Walk *walk, SatchelAppBlobKind kind, const char *sha256, GError **error)
{
	g_autofree char *member = walk_member(walk, sha256);

	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_NO_TARGET_CONTENT,
		    "%s, the %s, is not there", member, satchel_app_blob_kind_name(kind));
	return FALSE;
}

static gboolean
walk_refuse_size(const Walk *walk, const char *sha256, guint64 found_bytes, guint64 wanted_bytes,
		 GError **error)
{
	g_autofree char *member = walk_member(walk, sha256);

	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
		    "%s has %" G_GUINT64_FORMAT " bytes, not %" G_GUINT64_FORMAT
		    ": the copy is incomplete, copy the bundle again",
		    member, found_bytes, wanted_bytes);
	return FALSE;
}

/* Lists a blob once. FALSE where it was listed before. */
static gboolean
walk_list(Walk *walk, SatchelAppBlobKind kind, const char *sha256, guint64 size_bytes)
{
	SatchelAppClosure *closure = walk->closure;
	SatchelAppBlob blob = {.kind = kind, .size_bytes = size_bytes};

	if (!g_hash_table_add(walk->known, g_strdup(sha256)))
		return FALSE;
	(void)g_strlcpy(blob.sha256, sha256, sizeof blob.sha256);
	g_array_append_val(closure->blobs, blob);
	/* Sizes are claims of documents; their sum stays a sum. */
	if (!g_uint64_checked_add(&closure->size_bytes, closure->size_bytes, size_bytes))
		closure->size_bytes = G_MAXUINT64;
	return TRUE;
}

/* One try. NULL with or without @error: not read, or not what its name says. */
static GBytes *
walk_try_load(const Walk *walk, SatchelAppBlobKind kind, const char *sha256, gsize max_bytes,
	      GError **error)
{
	g_autoptr(GError) local_error = NULL;
	g_autoptr(GBytes) bytes =
		walk->source->load(walk->source->self, sha256, max_bytes, &local_error);
	g_autofree char *found = NULL;

	if (bytes == NULL) {
		if (g_error_matches(local_error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND))
			walk_refuse_missing(walk, kind, sha256, error);
		else
			g_propagate_error(error, g_steal_pointer(&local_error));
		return NULL;
	}
	found = satchel_digest_sha256_hex(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
	return strcmp(found, sha256) == 0 ? g_steal_pointer(&bytes) : NULL;
}

/* A document, hashed before anyone looks into it, and listed. @wanted_bytes: its size, or -1. */
static GBytes *
walk_load(Walk *walk, SatchelAppBlobKind kind, const char *sha256, gsize max_bytes,
	  gint64 wanted_bytes, GError **error)
{
	g_autoptr(GError) local_error = NULL;
	g_autoptr(GBytes) bytes = walk_try_load(walk, kind, sha256, max_bytes, &local_error);

	if (bytes == NULL && local_error == NULL && walk->source->forget != NULL) {
		walk->source->forget(walk->source->self, sha256);
		bytes = walk_try_load(walk, kind, sha256, max_bytes, &local_error);
	}
	if (local_error != NULL) {
		g_propagate_error(error, g_steal_pointer(&local_error));
		return NULL;
	}
	if (bytes == NULL) {
		g_autofree char *member = walk_member(walk, sha256);

		(void)satchel_medium_error_set(error, SATCHEL_MEDIUM_WRONG_HASH, member, 0, NULL);
		return NULL;
	}
	if (wanted_bytes >= 0 && (guint64)wanted_bytes != g_bytes_get_size(bytes)) {
		walk_refuse_size(walk, sha256, g_bytes_get_size(bytes), (guint64)wanted_bytes,
				 error);
		return NULL;
	}
	(void)walk_list(walk, kind, sha256, g_bytes_get_size(bytes));
	return g_steal_pointer(&bytes);
}

/* What is hashed when it is read, by others: here it is looked at whether it is there. */
static gboolean
walk_find(Walk *walk, SatchelAppBlobKind kind, const SatchelOciDescriptor *blob,
	  gboolean is_optional, GError **error)
{
	guint64 size_bytes = 0;
	gboolean missing = FALSE;

	if (g_hash_table_contains(walk->known, blob->sha256))
		return TRUE;
	if (!walk->is_partial || is_optional) {
		if (!walk->source->find(walk->source->self, blob->sha256, &size_bytes, &missing,
					error))
			return FALSE;
		if (missing)
			return is_optional || walk_refuse_missing(walk, kind, blob->sha256, error);
		if (size_bytes != blob->size_bytes)
			return walk_refuse_size(walk, blob->sha256, size_bytes, blob->size_bytes,
						error);
	}
	(void)walk_list(walk, kind, blob->sha256, blob->size_bytes);
	return TRUE;
}

static void
image_free(gpointer data)
{
	SatchelAppImage *image = data;

	g_clear_pointer(&image->platform, satchel_oci_platform_free);
	g_clear_pointer(&image->descriptor, satchel_oci_descriptor_free);
	g_clear_pointer(&image->manifest, satchel_oci_document_free);
	g_free(image);
}

static SatchelOciDescriptor *
descriptor_new(const char *sha256, guint64 size_bytes, const char *media_type)
{
	SatchelOciDescriptor *self = g_new0(SatchelOciDescriptor, 1);

	(void)g_strlcpy(self->sha256, sha256, sizeof self->sha256);
	self->size_bytes = size_bytes;
	self->media_type = g_strdup(media_type);
	return self;
}

static SatchelOciPlatform *
platform_copy(const SatchelOciPlatform *platform)
{
	SatchelOciPlatform *self;

	if (platform == NULL)
		return NULL;
	self = g_new0(SatchelOciPlatform, 1);
	self->os = g_strdup(platform->os);
	self->architecture = g_strdup(platform->architecture);
	self->variant = g_strdup(platform->variant);
	return self;
}

/* @manifest: (transfer full) */
static gboolean
walk_manifest(Walk *walk, const SatchelImageReference *reference,
	      const SatchelOciDescriptor *descriptor, SatchelOciDocument *manifest, GError **error)
{
	SatchelAppImage *image = g_new0(SatchelAppImage, 1);

	image->reference = reference;
	image->manifest = manifest;
	image->descriptor =
		descriptor_new(descriptor->sha256, descriptor->size_bytes, descriptor->media_type);
	image->platform = platform_copy(descriptor->platform);
	g_ptr_array_add(walk->closure->images, image);
	if (manifest->config->size_bytes > SATCHEL_LIMIT_IMAGE_CONFIG_BYTES) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_CONTENT_INVALID,
			    "its configuration is larger than %u bytes",
			    SATCHEL_LIMIT_IMAGE_CONFIG_BYTES);
		return FALSE;
	}
	if (!walk_find(walk, SATCHEL_APP_BLOB_IMAGE_CONFIG, manifest->config, FALSE, error))
		return FALSE;
	for (guint i = 0; i < manifest->parts->len; i++) {
		if (!walk_find(walk, SATCHEL_APP_BLOB_IMAGE_LAYER, manifest->parts->pdata[i], FALSE,
			       error))
			return FALSE;
	}
	return TRUE;
}

static SatchelOciDocument *
walk_document(Walk *walk, SatchelAppBlobKind kind, const char *sha256, gint64 wanted_bytes,
	      guint64 *size_bytes, GError **error)
{
	g_autoptr(GBytes) bytes = walk_load(walk, kind, sha256, SATCHEL_LIMIT_IMAGE_MANIFEST_BYTES,
					    wanted_bytes, error);
	SatchelOciDocument *document;

	if (bytes == NULL)
		return NULL;
	*size_bytes = g_bytes_get_size(bytes);
	document = satchel_oci_document_parse(bytes, error);
	if (document == NULL) {
		g_autofree char *member = walk_member(walk, sha256);

		g_prefix_error(error, "%s: ", member);
	}
	return document;
}

/* One of an index's manifests. *@taken: FALSE where it is for another platform, or is not there and
 * none in particular is asked for. */
static gboolean
walk_index_entry(Walk *walk, const SatchelImageReference *reference,
		 const SatchelOciDescriptor *entry, gboolean *taken, GError **error)
{
	SatchelOciDocument *manifest;
	guint64 size_bytes = 0;
	gboolean missing = FALSE;

	*taken = FALSE;
	if (walk->platform != NULL &&
	    (entry->platform == NULL ||
	     !satchel_oci_platform_equal(entry->platform, walk->platform)))
		return TRUE;
	if (walk->platform == NULL &&
	    !walk->source->find(walk->source->self, entry->sha256, &size_bytes, &missing, error))
		return FALSE;
	if (missing)
		return TRUE;
	manifest = walk_document(walk, SATCHEL_APP_BLOB_IMAGE_MANIFEST, entry->sha256,
				 (gint64)entry->size_bytes, &size_bytes, error);
	if (manifest == NULL)
		return FALSE;
	if (manifest->kind != SATCHEL_OCI_MANIFEST) {
		satchel_oci_document_free(manifest);
		g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_CONTENT_INVALID,
				    "an index lists another index");
		return FALSE;
	}
	*taken = TRUE;
	return walk_manifest(walk, reference, entry, manifest, error);
}

static gboolean
walk_index(Walk *walk, const SatchelImageReference *reference, const SatchelOciDocument *index,
	   GError **error)
{
	g_autofree char *platform = NULL;
	guint n_taken = 0;

	for (guint i = 0; i < index->parts->len; i++) {
		gboolean taken = FALSE;

		if (!walk_index_entry(walk, reference, index->parts->pdata[i], &taken, error))
			return FALSE;
		n_taken += taken ? 1 : 0;
		/* The first that fits is the one that an engine takes. */
		if (taken && walk->platform != NULL)
			return TRUE;
	}
	if (n_taken > 0)
		return TRUE;
	platform = walk->platform != NULL ? satchel_oci_platform_format(walk->platform)
					  : g_strdup("any platform");
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_NO_TARGET_CONTENT, "it is not there for %s",
		    platform);
	return FALSE;
}

static gboolean
walk_image(Walk *walk, const SatchelImageReference *reference, GError **error)
{
	g_autoptr(SatchelOciDocument) root = NULL;
	g_autoptr(SatchelOciDescriptor) descriptor = NULL;
	guint64 size_bytes = 0;
	guint n_before = walk->closure->blobs->len;

	root = walk_document(walk, SATCHEL_APP_BLOB_IMAGE_MANIFEST, reference->sha256, -1,
			     &size_bytes, error);
	if (root == NULL)
		return FALSE;
	if (root->kind == SATCHEL_OCI_INDEX) {
		/* Only now is it known what it is. */
		if (walk->closure->blobs->len > n_before)
			g_array_index(walk->closure->blobs, SatchelAppBlob, n_before).kind =
				SATCHEL_APP_BLOB_IMAGE_INDEX;
		return walk_index(walk, reference, root, error);
	}
	descriptor = descriptor_new(reference->sha256, size_bytes, root->media_type);
	return walk_manifest(walk, reference, descriptor, g_steal_pointer(&root), error);
}

static gboolean
reference_is_new(const SatchelComposeFile *compose, guint index)
{
	const SatchelComposeService *service = compose->services->pdata[index];
	g_autofree char *text = satchel_image_reference_format(service->image);

	for (guint i = 0; i < index; i++) {
		const SatchelComposeService *other = compose->services->pdata[i];
		g_autofree char *other_text = satchel_image_reference_format(other->image);

		if (strcmp(text, other_text) == 0)
			return FALSE;
	}
	return TRUE;
}

static gboolean
walk_images(Walk *walk, GError **error)
{
	const SatchelComposeFile *compose = walk->closure->compose;

	for (guint i = 0; i < compose->services->len; i++) {
		const SatchelComposeService *service = compose->services->pdata[i];

		if (!reference_is_new(compose, i) || walk_image(walk, service->image, error))
			continue;
		g_prefix_error(error, "image %s/%s of service %s: ", service->image->host,
			       service->image->path, service->name);
		return FALSE;
	}
	return TRUE;
}

/* The app's manifest and archive, and what stands in the latter. */
static gboolean
walk_app(Walk *walk, GError **error)
{
	SatchelAppClosure *closure = walk->closure;
	g_autoptr(GBytes) document =
		walk_load(walk, SATCHEL_APP_BLOB_MANIFEST, closure->reference->sha256,
			  SATCHEL_LIMIT_APP_MANIFEST_BYTES, -1, error);
	g_autoptr(GBytes) archive = NULL;

	if (document == NULL)
		return FALSE;
	closure->manifest = satchel_app_manifest_parse(document, error);
	if (closure->manifest == NULL)
		return FALSE;
	archive = walk_load(walk, SATCHEL_APP_BLOB_ARCHIVE, closure->manifest->archive->sha256,
			    SATCHEL_LIMIT_APP_ARCHIVE_BYTES,
			    (gint64)closure->manifest->archive->size_bytes, error);
	if (archive == NULL)
		return FALSE;
	closure->compose_text = satchel_app_archive_read_compose(archive, error);
	if (closure->compose_text == NULL)
		return FALSE;
	closure->compose = satchel_compose_file_parse(closure->compose_text, error);
	return closure->compose != NULL;
}

static gboolean
walk_all(Walk *walk, GError **error)
{
	const SatchelAppManifest *manifest;

	if (!walk_app(walk, error))
		return FALSE;
	manifest = walk->closure->manifest;
	if (manifest->archive_index != NULL &&
	    !walk_find(walk, SATCHEL_APP_BLOB_ARCHIVE_INDEX, manifest->archive_index, TRUE, error))
		return FALSE;
	if (manifest->layers_meta != NULL &&
	    !walk_find(walk, SATCHEL_APP_BLOB_LAYERS_META, manifest->layers_meta, TRUE, error))
		return FALSE;
	return walk_images(walk, error);
}

static SatchelAppClosure *
closure_new(const SatchelAppSource *source, const char *uri, const SatchelOciPlatform *platform,
	    gboolean is_partial, GError **error)
{
	g_autoptr(SatchelAppClosure) closure = g_new0(SatchelAppClosure, 1);
	g_autoptr(GHashTable) known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	Walk walk = {source, platform, is_partial, closure, known};

	closure->images = g_ptr_array_new_with_free_func(image_free);
	closure->blobs = g_array_new(FALSE, FALSE, sizeof(SatchelAppBlob));
	closure->reference = satchel_app_uri_parse(uri, error);
	if (closure->reference == NULL)
		return NULL;
	closure->uri = g_strdup(uri);
	closure->name = g_strdup(satchel_app_uri_get_app(closure->reference));
	if (walk_all(&walk, error))
		return g_steal_pointer(&closure);
	g_prefix_error(error, "app %s: ", closure->name);
	return NULL;
}

SatchelAppClosure *
satchel_app_closure_new(const SatchelAppSource *source, const char *uri,
			const SatchelOciPlatform *platform, GError **error)
{
	return closure_new(source, uri, platform, FALSE, error);
}

SatchelAppClosure *
satchel_app_closure_new_partial(const SatchelAppSource *source, const char *uri,
				const SatchelOciPlatform *platform, GError **error)
{
	return closure_new(source, uri, platform, TRUE, error);
}

void
satchel_app_closure_free(SatchelAppClosure *self)
{
	g_free(self->name);
	g_free(self->uri);
	g_clear_pointer(&self->reference, satchel_image_reference_free);
	g_clear_pointer(&self->manifest, satchel_app_manifest_free);
	g_clear_pointer(&self->compose_text, g_bytes_unref);
	g_clear_pointer(&self->compose, satchel_compose_file_free);
	g_clear_pointer(&self->images, g_ptr_array_unref);
	g_clear_pointer(&self->blobs, g_array_unref);
	g_free(self);
}
