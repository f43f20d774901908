#include "collect_apps.h"
#include "../verify/digest.h"
#include "../verify/json.h"
#include "../verify/oci_document.h"
#include "../verify/safe_read.h"
#include <string.h>

/* One image on its way. */
typedef struct {
	SatchelAppStore *store;
	const SatchelImageWish *wish;
	SatchelImageSource *source;
	const SatchelImageName *name;
	GPtrArray *blobs; /* of SatchelOciDescriptor, borrowed: still to be copied */
	GPtrArray *documents;
	GMutex lock;
	GError *failure; /* the first */
} Collection;

static void
collection_init(Collection *self, SatchelAppStore *store, const SatchelImageWish *wish,
		const SatchelImageName *name)
{
	*self = (Collection){.store = store, .wish = wish, .name = name};
	self->blobs = g_ptr_array_new();
	self->documents = g_ptr_array_new_with_free_func((GDestroyNotify)satchel_oci_document_free);
	g_mutex_init(&self->lock);
}

static void
collection_clear(Collection *self)
{
	g_ptr_array_unref(self->blobs);
	g_ptr_array_unref(self->documents);
	g_clear_error(&self->failure);
	g_mutex_clear(&self->lock);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Collection, collection_clear)

static gboolean G_GNUC_PRINTF(3, 4) fail(GError **error, SatchelError code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (error != NULL)
		*error = g_error_new_valist(SATCHEL_ERROR, (int)code, format, args);
	va_end(args);
	return FALSE;
}

/* ---- documents */

/* Hashes a document, puts it into the store and parses it. @expected: (nullable) */
static SatchelOciDocument *
take_document(Collection *self, GBytes *bytes, const char *expected, char sha256[65],
	      GError **error)
{
	SatchelOciDocument *document;
	g_autofree char *found =
		satchel_digest_sha256_hex(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));

	if (expected != NULL && strcmp(found, expected) != 0) {
		fail(error, SATCHEL_ERROR_DOWNLOAD_FAILED,
		     "%s: the manifest sha256:%s has the hash %s", self->source->name, expected,
		     found);
		return NULL;
	}
	document = satchel_oci_document_parse(bytes, error);
	if (document == NULL)
		return NULL;
	g_ptr_array_add(self->documents, document);
	return satchel_app_store_put(self->store, bytes, sha256, error) ? document : NULL;
}

static gboolean
is_wanted(const Collection *self, const SatchelOciPlatform *platform)
{
	for (guint i = 0; i < self->wish->platforms->len; i++) {
		if (satchel_oci_platform_equal(self->wish->platforms->pdata[i], platform))
			return TRUE;
	}
	return FALSE;
}

/* Attestations and such stand in an index beside the images. */
static gboolean
is_image(const SatchelOciDescriptor *entry)
{
	return entry->platform == NULL || strcmp(entry->platform->architecture, "unknown") != 0;
}

static char *
describe_platforms(const SatchelOciDocument *index)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < index->parts->len; i++) {
		const SatchelOciDescriptor *entry = index->parts->pdata[i];
		g_autofree char *platform = NULL;

		if (!is_image(entry) || entry->platform == NULL)
			continue;
		platform = satchel_oci_platform_format(entry->platform);
		g_string_append_printf(text, "%s%s", text->len > 0 ? ", " : "", platform);
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static void
want_blob(Collection *self, SatchelOciDescriptor *blob)
{
	for (guint i = 0; i < self->blobs->len; i++) {
		const SatchelOciDescriptor *other = self->blobs->pdata[i];

		if (strcmp(other->sha256, blob->sha256) == 0)
			return;
	}
	if (!satchel_app_store_has(self->store, blob->sha256, blob->size_bytes))
		g_ptr_array_add(self->blobs, blob);
}

static void
want_manifest(Collection *self, const SatchelOciDocument *manifest)
{
	want_blob(self, manifest->config);
	for (guint i = 0; i < manifest->parts->len; i++)
		want_blob(self, manifest->parts->pdata[i]);
}

static gboolean
take_entry(Collection *self, const SatchelOciDescriptor *entry, GError **error)
{
	g_autoptr(GBytes) bytes =
		self->source->klass->load_manifest(self->source, self->name, entry->sha256, error);
	char sha256[65];
	const SatchelOciDocument *manifest;

	if (bytes == NULL)
		return FALSE;
	if (g_bytes_get_size(bytes) != entry->size_bytes)
		return fail(error, SATCHEL_ERROR_DOWNLOAD_FAILED,
			    "%s: the manifest sha256:%s has %" G_GSIZE_FORMAT
			    " bytes, not %" G_GUINT64_FORMAT,
			    self->source->name, entry->sha256, g_bytes_get_size(bytes),
			    entry->size_bytes);
	manifest = take_document(self, bytes, entry->sha256, sha256, error);
	if (manifest == NULL)
		return FALSE;
	if (manifest->kind != SATCHEL_OCI_MANIFEST)
		return fail(error, SATCHEL_ERROR_CONTENT_INVALID, "an index lists another index");
	want_manifest(self, manifest);
	return TRUE;
}

/* Every platform that is asked for is in the index. */
static gboolean
check_platforms(const Collection *self, const SatchelOciDocument *index, GError **error)
{
	g_autofree char *there = describe_platforms(index);

	for (guint i = 0; i < self->wish->platforms->len; i++) {
		const SatchelOciPlatform *wanted = self->wish->platforms->pdata[i];
		gboolean found = FALSE;
		g_autofree char *text = satchel_oci_platform_format(wanted);

		for (guint j = 0; j < index->parts->len; j++) {
			const SatchelOciDescriptor *entry = index->parts->pdata[j];

			found = found || (entry->platform != NULL &&
					  satchel_oci_platform_equal(wanted, entry->platform));
		}
		if (!found)
			return fail(error, SATCHEL_ERROR_NO_TARGET_CONTENT,
				    "it is not for %s, but for %s", text, there);
	}
	return TRUE;
}

static gboolean
take_index(Collection *self, const SatchelOciDocument *index, GError **error)
{
	gboolean any = self->wish->platforms->len == 0;
	g_autofree char *there = describe_platforms(index);
	guint n_images = 0;

	for (guint i = 0; i < index->parts->len; i++)
		n_images += is_image(index->parts->pdata[i]) ? 1 : 0;
	if (any && n_images != 1)
		return fail(error, SATCHEL_ERROR_USAGE, "it is for %s: choose with --platform",
			    there);
	if (!check_platforms(self, index, error))
		return FALSE;
	for (guint i = 0; i < index->parts->len; i++) {
		const SatchelOciDescriptor *entry = index->parts->pdata[i];
		gboolean wanted = any ? is_image(entry)
				      : entry->platform != NULL && is_wanted(self, entry->platform);

		if (wanted && !take_entry(self, entry, error))
			return FALSE;
	}
	return TRUE;
}

/* ---- blobs */

static gboolean
copy_blob(Collection *self, const SatchelOciDescriptor *blob, GError **error)
{
	g_autoptr(SatchelBlobWriter) writer =
		satchel_app_store_begin(self->store, blob->sha256, blob->size_bytes, error);

	return writer != NULL &&
	       self->source->klass->copy_blob(self->source, self->name, blob->sha256, writer,
					      error) &&
	       satchel_blob_writer_finish(writer, error);
}

static gboolean
has_failed(Collection *self)
{
	gboolean failed;

	g_mutex_lock(&self->lock);
	failed = self->failure != NULL;
	g_mutex_unlock(&self->lock);
	return failed;
}

/* In a worker's thread. */
static void
copy_in_worker(gpointer data, gpointer user_data)
{
	Collection *self = user_data;
	GError *error = NULL;

	if (has_failed(self) || copy_blob(self, data, &error))
		return;
	g_mutex_lock(&self->lock);
	if (self->failure == NULL)
		self->failure = g_steal_pointer(&error);
	g_mutex_unlock(&self->lock);
	g_clear_error(&error);
}

static gboolean
copy_blobs(Collection *self, GError **error)
{
	GThreadPool *pool = g_thread_pool_new(copy_in_worker, self,
					      (int)self->source->klass->n_parallel, TRUE, NULL);

	for (guint i = 0; i < self->blobs->len; i++)
		g_thread_pool_push(pool, self->blobs->pdata[i], NULL);
	g_thread_pool_free(pool, FALSE, TRUE);
	if (self->failure == NULL)
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&self->failure));
	return FALSE;
}

/* An image without an index says in its configuration what it is for. */
static gboolean
check_configuration(const Collection *self, const SatchelOciDocument *manifest, GError **error)
{
	g_autofree char *path = satchel_app_store_blob(manifest->config->sha256);
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(SatchelJson) config = NULL;
	SatchelOciPlatform platform = {0};
	g_autofree char *text = NULL;

	if (self->wish->platforms->len == 0)
		return TRUE;
	bytes = satchel_safe_read(satchel_app_store_get_fd(self->store), path,
				  SATCHEL_LIMIT_IMAGE_CONFIG_BYTES, error);
	config = bytes != NULL ? satchel_json_parse(bytes, error) : NULL;
	if (config == NULL) {
		g_prefix_error(error, "the image's configuration: ");
		return FALSE;
	}
	platform.os = (char *)(guintptr)json_string_value(json_object_get(config, "os"));
	platform.architecture =
		(char *)(guintptr)json_string_value(json_object_get(config, "architecture"));
	platform.variant = (char *)(guintptr)json_string_value(json_object_get(config, "variant"));
	if (platform.variant == NULL)
		platform.variant = (char *)(guintptr) "";
	if (platform.os == NULL || platform.architecture == NULL)
		return fail(error, SATCHEL_ERROR_CONTENT_INVALID,
			    "the image's configuration names no platform");
	if (is_wanted(self, &platform))
		return TRUE;
	text = satchel_oci_platform_format(&platform);
	return fail(error, SATCHEL_ERROR_NO_TARGET_CONTENT,
		    "it is for %s alone, which is not asked for", text);
}

/* ---- one image */

/* The first source that has it. */
static GBytes *
load_root(Collection *self, GError **error)
{
	for (guint i = 0; i < self->wish->sources->len; i++) {
		g_autoptr(GError) local_error = NULL;
		GBytes *bytes;

		self->source = self->wish->sources->pdata[i];
		bytes = self->source->klass->load_root(self->source, self->name, &local_error);
		if (bytes != NULL)
			return bytes;
		if (i + 1 == self->wish->sources->len ||
		    !g_error_matches(local_error, SATCHEL_ERROR, SATCHEL_ERROR_NO_TARGET_CONTENT)) {
			g_propagate_error(error, g_steal_pointer(&local_error));
			return NULL;
		}
	}
	return NULL;
}

static gboolean
collect(Collection *self, char sha256[65], GError **error)
{
	g_autoptr(GBytes) bytes = load_root(self, error);
	const SatchelOciDocument *root;

	if (bytes == NULL)
		return FALSE;
	root = take_document(self, bytes, *self->name->sha256 != '\0' ? self->name->sha256 : NULL,
			     sha256, error);
	if (root == NULL)
		return FALSE;
	if (root->kind == SATCHEL_OCI_INDEX)
		return take_index(self, root, error) && copy_blobs(self, error);
	/* What it is for is known before its layers are fetched. */
	want_blob(self, root->config);
	if (!copy_blobs(self, error) || !check_configuration(self, root, error))
		return FALSE;
	g_ptr_array_set_size(self->blobs, 0);
	want_manifest(self, root);
	return copy_blobs(self, error);
}

char *
satchel_collect_image(SatchelAppStore *store, const char *text, const SatchelImageWish *wish,
		      GError **error)
{
	g_autoptr(SatchelImageName) name = satchel_image_name_parse(text, error);
	g_auto(Collection) self = {0};
	g_autofree char *plain = NULL;
	char sha256[65];

	collection_init(&self, store, wish, name);
	if (name == NULL)
		return NULL;
	if (!collect(&self, sha256, error)) {
		g_prefix_error(error, "image %s: ", text);
		return NULL;
	}
	plain = satchel_image_name_format(name);
	return g_strconcat(plain, "@sha256:", sha256, NULL);
}
