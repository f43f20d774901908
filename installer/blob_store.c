#include "blob_store.h"
#include "../verify/app_source.h"
#include "../verify/atomic_write.h"
#include "../verify/cancel.h"
#include "../verify/digest.h"
#include "../verify/path_safety.h"
#include "../verify/progress.h"
#include "../verify/safe_read.h"
#include "file_tree.h"
#include <errno.h>
#include <fcntl.h>
#include <satchel/bundle_layout.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define BUFFER_BYTES (256u * 1024u)
#define BLOB_MODE 0644

struct SatchelBlobStore {
	char *path;
	int dir_fd;
	int blobs_fd;
	SatchelAppSource source;
};

/* One pull. */
typedef struct {
	SatchelBlobStore *store;
	SatchelBundleReader *bundle;
	GHashTable *seen; /* digests, borrowed from the closures */
	GArray *lacking;  /* SatchelAppBlob */
	SatchelProgress *progress;
	GCancellable *cancellable;
	guint8 *buffer;
} StorePull;

static void
store_pull_clear(StorePull *pull)
{
	g_clear_pointer(&pull->progress, satchel_progress_end);
	g_clear_pointer(&pull->seen, g_hash_table_unref);
	g_clear_pointer(&pull->lacking, g_array_unref);
	g_clear_pointer(&pull->buffer, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(StorePull, store_pull_clear)

static gboolean
store_fail(const SatchelBlobStore *self, int problem, GError **error)
{
	g_autofree char *quoted = satchel_path_quote(self->path);

	g_set_error(error, SATCHEL_ERROR,
		    problem == ENOSPC || problem == EDQUOT ? SATCHEL_ERROR_NO_SPACE
							   : SATCHEL_ERROR_FAILED,
		    "app store %s: %s", quoted, g_strerror(problem));
	return FALSE;
}

SatchelBlobStore *
satchel_blob_store_open(const char *path, GError **error)
{
	g_autoptr(SatchelBlobStore) self = g_new0(SatchelBlobStore, 1);

	self->path = g_strdup(path);
	self->dir_fd = self->blobs_fd = -1;
	if (g_mkdir_with_parents(path, 0755) == 0)
		self->dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (self->dir_fd >= 0)
		self->blobs_fd =
			satchel_file_tree_open_folder(self->dir_fd, SATCHEL_APP_STORE_BLOBS);
	if (self->blobs_fd < 0) {
		store_fail(self, errno, error);
		return NULL;
	}
	self->source = satchel_app_source_folder(&self->dir_fd);
	return g_steal_pointer(&self);
}

int
satchel_blob_store_get_blobs_fd(const SatchelBlobStore *self)
{
	return self->blobs_fd;
}

SatchelAppClosure *
satchel_blob_store_find(const SatchelBlobStore *self, const char *uri,
			const SatchelOciPlatform *platform, GError **error)
{
	return satchel_app_closure_new(&self->source, uri, platform, error);
}

GBytes *
satchel_blob_store_load(const SatchelBlobStore *self, const SatchelOciDescriptor *blob,
			gsize max_bytes, GError **error)
{
	g_autoptr(GError) local_error = NULL;
	g_autoptr(GBytes) content =
		satchel_safe_read(self->blobs_fd, blob->sha256, max_bytes, &local_error);
	g_autofree char *found = NULL;

	if (content != NULL)
		found = satchel_digest_sha256_hex(g_bytes_get_data(content, NULL),
						  g_bytes_get_size(content));
	if (g_strcmp0(found, blob->sha256) == 0)
		return g_steal_pointer(&content);
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
		    "blob %s of the app store: %s", blob->sha256,
		    content == NULL ? local_error->message : "it is damaged or was altered");
	return NULL;
}

/* ---- what is lacking */

/* TRUE where the store holds exactly this blob. */
static gboolean
is_held(const StorePull *pull, const SatchelAppBlob *blob)
{
	g_autoptr(SatchelDigest) digest = satchel_digest_new(SATCHEL_DIGEST_SHA256);
	g_autofree char *found = NULL;
	guint64 size_bytes = 0;
	int fd = satchel_safe_open(pull->store->blobs_fd, blob->sha256, &size_bytes, NULL);
	ssize_t n = 0;

	if (fd < 0)
		return FALSE;
	while (size_bytes == blob->size_bytes && (n = read(fd, pull->buffer, BUFFER_BYTES)) > 0)
		satchel_digest_update(digest, pull->buffer, (gsize)n);
	close(fd);
	found = satchel_digest_finish(digest);
	return n == 0 && size_bytes == blob->size_bytes && g_str_equal(found, blob->sha256);
}

static gboolean
find_lacking(StorePull *pull, const GPtrArray *closures, GError **error)
{
	for (guint i = 0; i < closures->len; i++) {
		const SatchelAppClosure *closure = g_ptr_array_index(closures, i);

		for (guint j = 0; j < closure->blobs->len; j++) {
			SatchelAppBlob *blob = &g_array_index(closure->blobs, SatchelAppBlob, j);

			if (!satchel_cancel_check(pull->cancellable, error))
				return FALSE;
			if (g_hash_table_add(pull->seen, blob->sha256) && !is_held(pull, blob))
				g_array_append_val(pull->lacking, *blob);
		}
	}
	return TRUE;
}

static gboolean
add_up(const GArray *blobs, guint64 block_bytes, guint64 *total_bytes)
{
	*total_bytes = 0;
	for (guint i = 0; i < blobs->len; i++) {
		guint64 size_bytes = g_array_index(blobs, SatchelAppBlob, i).size_bytes;

		if (!g_uint64_checked_add(total_bytes, *total_bytes, size_bytes) ||
		    !g_uint64_checked_add(total_bytes, *total_bytes, block_bytes))
			return FALSE;
	}
	return TRUE;
}

/* Nothing is written into the last of the file system: others live there too. */
static gboolean
check_space(const StorePull *pull, guint64 watermark_percent, GError **error)
{
	struct statvfs info;
	guint64 needed = G_MAXUINT64;
	guint64 reserved = 0;
	guint64 usable = 0;
	g_autofree char *needed_text = NULL;
	g_autofree char *usable_text = NULL;

	if (pull->lacking->len == 0)
		return TRUE;
	if (fstatvfs(pull->store->dir_fd, &info) != 0)
		return store_fail(pull->store, errno, error);
	reserved = (guint64)info.f_blocks / 100 * (100 - watermark_percent) * info.f_frsize;
	usable = (guint64)info.f_bfree * info.f_frsize;
	usable -= MIN(usable, reserved);
	if (add_up(pull->lacking, info.f_frsize, &needed) && needed <= usable)
		return TRUE;
	needed_text = satchel_progress_format_bytes(needed);
	usable_text = satchel_progress_format_bytes(usable);
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_NO_SPACE,
		    "app store %s: the apps need %s, and %s may be used (storage_watermark "
		    "%" G_GUINT64_FORMAT ")",
		    pull->store->path, needed_text, usable_text, watermark_percent);
	return FALSE;
}

/* ---- copying */

static gboolean
blob_fail(const char *member, const char *what, GError **error)
{
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED, "%s: %s", member, what);
	return FALSE;
}

/* What could not be written is no metadata. */
static gboolean
take_write_error(const SatchelBlobStore *self, GError *from, GError **error)
{
	if (g_error_matches(from, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_FAILURE))
		from->code = SATCHEL_ERROR_FAILED;
	g_propagate_prefixed_error(error, from, "app store %s: ", self->path);
	return FALSE;
}

static gboolean
copy_content(StorePull *pull, GInputStream *stream, const char *member, SatchelAtomicWrite *file,
	     const SatchelAppBlob *blob, GError **error)
{
	g_autoptr(SatchelDigest) digest = satchel_digest_new(SATCHEL_DIGEST_SHA256);
	g_autofree char *found = NULL;
	g_autoptr(GError) local_error = NULL;
	guint64 left = blob->size_bytes;

	while (left > 0) {
		gssize n = g_input_stream_read(stream, pull->buffer, (gsize)MIN(left, BUFFER_BYTES),
					       NULL, &local_error);

		if (n <= 0)
			return blob_fail(member, n < 0 ? local_error->message : "it ends early",
					 error);
		if (!satchel_cancel_check(pull->cancellable, error))
			return FALSE;
		satchel_digest_update(digest, pull->buffer, (gsize)n);
		if (!satchel_atomic_write_append(file, pull->buffer, (gsize)n, &local_error))
			return take_write_error(pull->store, g_steal_pointer(&local_error), error);
		satchel_progress_advance(pull->progress, (guint64)n);
		left -= (guint64)n;
	}
	found = satchel_digest_finish(digest);
	return g_str_equal(found, blob->sha256) ||
	       blob_fail(member,
			 "it is damaged or was altered; where nobody altered it, the stick is "
			 "failing",
			 error);
}

static gboolean
copy_blob(StorePull *pull, const SatchelAppBlob *blob, GError **error)
{
	g_auto(SatchelAtomicWrite) file = SATCHEL_ATOMIC_WRITE_INIT;
	g_autofree char *path = satchel_app_store_blob(blob->sha256);
	g_autofree char *member = g_strconcat(SATCHEL_BUNDLE_APPS "/", path, NULL);
	g_autoptr(GInputStream) stream = NULL;
	g_autoptr(GError) local_error = NULL;
	guint64 size_bytes = 0;

	stream = satchel_bundle_reader_open_member(pull->bundle, member, &size_bytes, &local_error);
	if (stream == NULL) {
		if (g_error_matches(local_error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND))
			local_error->code = SATCHEL_ERROR_NO_TARGET_CONTENT;
		g_propagate_error(error, g_steal_pointer(&local_error));
		return FALSE;
	}
	if (size_bytes != blob->size_bytes)
		return blob_fail(member, "its size is not that of the manifest", error);
	if (!satchel_atomic_write_begin(&file, pull->store->blobs_fd, blob->sha256, &local_error))
		return take_write_error(pull->store, g_steal_pointer(&local_error), error);
	if (!copy_content(pull, stream, member, &file, blob, error))
		return FALSE;
	if (!satchel_atomic_write_finish(&file, BLOB_MODE, &local_error))
		return take_write_error(pull->store, g_steal_pointer(&local_error), error);
	return TRUE;
}

static gboolean
copy_lacking(StorePull *pull, const SatchelProgressSink *sink, GError **error)
{
	guint64 total = 0;

	(void)add_up(pull->lacking, 0, &total);
	pull->progress = satchel_progress_begin(sink, "pulling apps", total);
	for (guint i = 0; i < pull->lacking->len; i++) {
		if (!copy_blob(pull, &g_array_index(pull->lacking, SatchelAppBlob, i), error))
			return FALSE;
	}
	return TRUE;
}

/* Last: it says that the app is whole. */
static gboolean
write_uri(SatchelBlobStore *self, const SatchelAppClosure *closure, GError **error)
{
	g_autofree char *folder = satchel_app_store_file(closure->reference, "");
	g_autoptr(GBytes) content = g_bytes_new(closure->uri, strlen(closure->uri));
	g_autoptr(GError) local_error = NULL;
	int fd = -1;
	gboolean good;

	folder[strlen(folder) - 1] = '\0';
	fd = satchel_file_tree_open_folder(self->dir_fd, folder);
	if (fd < 0)
		return store_fail(self, errno, error);
	good = satchel_atomic_write(fd, "uri", content, BLOB_MODE, &local_error);
	close(fd);
	return good || take_write_error(self, g_steal_pointer(&local_error), error);
}

gboolean
satchel_blob_store_pull(SatchelBlobStore *self, SatchelBundleReader *bundle,
			const GPtrArray *closures, guint64 watermark_percent,
			const SatchelProgressSink *sink, GCancellable *cancellable, GError **error)
{
	g_auto(StorePull) pull = {
		.store = self,
		.bundle = bundle,
		.seen = g_hash_table_new(g_str_hash, g_str_equal),
		.lacking = g_array_new(FALSE, FALSE, sizeof(SatchelAppBlob)),
		.cancellable = cancellable,
		.buffer = g_malloc(BUFFER_BYTES),
	};

	satchel_atomic_write_sweep(self->blobs_fd);
	if (!find_lacking(&pull, closures, error) ||
	    !check_space(&pull, watermark_percent, error) || !copy_lacking(&pull, sink, error))
		return FALSE;
	for (guint i = 0; i < closures->len; i++) {
		if (!write_uri(self, g_ptr_array_index(closures, i), error))
			return FALSE;
	}
	return TRUE;
}

/* ---- pruning */

static void
keep_blobs(GHashTable *kept, const SatchelAppClosure *closure)
{
	for (guint i = 0; i < closure->blobs->len; i++)
		g_hash_table_add(kept,
				 g_strdup(g_array_index(closure->blobs, SatchelAppBlob, i).sha256));
}

/* The folders of versions that nobody wants: apps/APP/SHA256. */
static void
prune_versions(int apps_fd, const char *app, GHashTable *kept)
{
	int fd = openat(apps_fd, app, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	g_auto(GStrv) versions = NULL;

	if (fd < 0)
		return;
	versions = satchel_file_tree_list(fd);
	for (char **version = versions; *version != NULL; version++) {
		if (!g_hash_table_contains(kept, *version))
			satchel_file_tree_remove(fd, *version);
	}
	close(fd);
	(void)unlinkat(apps_fd, app, AT_REMOVEDIR);
}

static void
prune_apps(const SatchelBlobStore *self, GHashTable *kept)
{
	int fd = openat(self->dir_fd, SATCHEL_APP_STORE_APPS,
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	g_auto(GStrv) apps = NULL;

	if (fd < 0)
		return;
	apps = satchel_file_tree_list(fd);
	for (char **app = apps; *app != NULL; app++)
		prune_versions(fd, *app, kept);
	close(fd);
}

void
satchel_blob_store_prune(SatchelBlobStore *self, const char *const *uris,
			 const SatchelOciPlatform *platform)
{
	g_autoptr(GHashTable) kept = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_auto(GStrv) names = NULL;

	for (; *uris != NULL; uris++) {
		g_autoptr(SatchelAppClosure) closure =
			satchel_app_closure_new_partial(&self->source, *uris, platform, NULL);

		if (closure != NULL)
			keep_blobs(kept, closure);
	}
	prune_apps(self, kept);
	names = satchel_file_tree_list(self->blobs_fd);
	for (char **name = names; *name != NULL; name++) {
		if (!g_hash_table_contains(kept, *name))
			(void)unlinkat(self->blobs_fd, *name, 0);
	}
}

void
satchel_blob_store_free(SatchelBlobStore *self)
{
	if (self->dir_fd >= 0)
		close(self->dir_fd);
	if (self->blobs_fd >= 0)
		close(self->blobs_fd);
	g_free(self->path);
	g_free(self);
}
