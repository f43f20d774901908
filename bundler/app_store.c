#include "app_store.h"
#include "../verify/app_source.h"
#include "../verify/atomic_write.h"
#include "../verify/digest.h"
#include "../verify/hex.h"
#include "../verify/path_safety.h"
#include "../verify/safe_read.h"
#include "../verify/write_all.h"
#include "app_files.h"
#include "file_error.h"
#include "write_directory.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <satchel/bundle_layout.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE_BYTES (256u * 1024u)

/* A blob that is not whole has no name that anybody takes for one. */
#define PART_PREFIX ".part-"

struct SatchelAppStore {
	char *path;
	int dir_fd;
	int blobs_fd; /* -1 where it is only read and has none */
};

struct SatchelBlobWriter {
	SatchelAppStore *store;
	const char *sha256;
	guint64 size_bytes;
	guint64 offset_bytes;
	int fd;
	char *part_name;
	SatchelDigest *digest;
};

static gboolean
store_prepare(SatchelAppStore *self, GError **error)
{
	if (mkdir(self->path, 0755) != 0 && errno != EEXIST)
		return satchel_file_error_set(error, errno, self->path, "make this folder");
	self->dir_fd = open(self->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (self->dir_fd < 0)
		return satchel_file_error_set(error, errno, self->path, "open it");
	if (flock(self->dir_fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK)
			return satchel_file_error_set(error, errno, self->path, "lock it");
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_BUSY,
			    "%s: another satchel-bundler is writing there", self->path);
		return FALSE;
	}
	return satchel_write_directory_make_folder(self->dir_fd, SATCHEL_APP_STORE_BLOBS, error) &&
	       satchel_write_directory_make_folder(self->dir_fd, SATCHEL_APP_STORE_APPS, error);
}

SatchelAppStore *
satchel_app_store_open(const char *path, gboolean writable, GError **error)
{
	g_autoptr(SatchelAppStore) self = g_new0(SatchelAppStore, 1);

	self->path = g_strdup(path);
	self->dir_fd = -1;
	self->blobs_fd = -1;
	if (writable && !store_prepare(self, error))
		return NULL;
	if (!writable)
		self->dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (self->dir_fd < 0) {
		satchel_file_error_set(error, errno, path, "open it");
		return NULL;
	}
	self->blobs_fd = openat(self->dir_fd, SATCHEL_APP_STORE_BLOBS,
				O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (self->blobs_fd >= 0)
		return g_steal_pointer(&self);
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
		    "%s is no app store: no folder " SATCHEL_APP_STORE_BLOBS " in it", path);
	return NULL;
}

void
satchel_app_store_close(SatchelAppStore *self)
{
	if (self->blobs_fd >= 0)
		close(self->blobs_fd);
	if (self->dir_fd >= 0)
		close(self->dir_fd);
	g_free(self->path);
	g_free(self);
}

const char *
satchel_app_store_get_path(const SatchelAppStore *self)
{
	return self->path;
}

int
satchel_app_store_get_fd(const SatchelAppStore *self)
{
	return self->dir_fd;
}

SatchelAppSource
satchel_app_store_source(const SatchelAppStore *self)
{
	return satchel_app_source_folder(&self->dir_fd);
}

gboolean
satchel_app_store_has(const SatchelAppStore *self, const char *sha256, guint64 size_bytes)
{
	struct stat info;

	return fstatat(self->blobs_fd, sha256, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(info.st_mode) && (guint64)info.st_size == size_bytes;
}

/* ---- one blob */

static gboolean
writer_fail(const SatchelBlobWriter *self, int system_error, const char *verb, GError **error)
{
	g_autofree char *path =
		g_build_filename(self->store->path, SATCHEL_APP_STORE_BLOBS, self->sha256, NULL);

	return satchel_file_error_set(error, system_error, path, verb);
}

gboolean
satchel_blob_writer_restart(SatchelBlobWriter *self, GError **error)
{
	satchel_digest_begin(self->digest);
	self->offset_bytes = 0;
	if (ftruncate(self->fd, 0) != 0 || lseek(self->fd, 0, SEEK_SET) != 0)
		return writer_fail(self, errno, "write it", error);
	return TRUE;
}

/* Hashes what an earlier run left. */
static gboolean
writer_take_up(SatchelBlobWriter *self, GError **error)
{
	g_autofree guint8 *piece = g_malloc(PIECE_BYTES);

	for (;;) {
		ssize_t n_read = read(self->fd, piece, PIECE_BYTES);

		if (n_read < 0 && errno == EINTR)
			continue;
		if (n_read < 0)
			return writer_fail(self, errno, "read it", error);
		if (n_read == 0)
			break;
		satchel_digest_update(self->digest, piece, (gsize)n_read);
		self->offset_bytes += (guint64)n_read;
	}
	/* As long as it should be and without its name: it was not what it should be. */
	return self->offset_bytes < self->size_bytes || satchel_blob_writer_restart(self, error);
}

SatchelBlobWriter *
satchel_app_store_begin(SatchelAppStore *self, const char *sha256, guint64 size_bytes,
			GError **error)
{
	g_autoptr(SatchelBlobWriter) writer = g_new0(SatchelBlobWriter, 1);

	writer->store = self;
	writer->sha256 = sha256;
	writer->size_bytes = size_bytes;
	writer->part_name = g_strconcat(PART_PREFIX, sha256, NULL);
	writer->digest = satchel_digest_new(SATCHEL_DIGEST_SHA256);
	writer->fd = openat(self->blobs_fd, writer->part_name,
			    O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (writer->fd < 0) {
		writer_fail(writer, errno, "create it", error);
		return NULL;
	}
	return writer_take_up(writer, error) ? g_steal_pointer(&writer) : NULL;
}

guint64
satchel_blob_writer_get_offset(const SatchelBlobWriter *self)
{
	return self->offset_bytes;
}

gboolean
satchel_blob_writer_append(SatchelBlobWriter *self, gconstpointer data, gsize n_bytes,
			   GError **error)
{
	if (n_bytes > self->size_bytes - self->offset_bytes) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
			    "blob sha256:%s is longer than the %" G_GUINT64_FORMAT
			    " bytes that it should have",
			    self->sha256, self->size_bytes);
		return FALSE;
	}
	satchel_digest_update(self->digest, data, n_bytes);
	self->offset_bytes += n_bytes;
	return satchel_write_all(self->fd, data, n_bytes) ||
	       writer_fail(self, errno, "write it", error);
}

static gboolean
writer_check(SatchelBlobWriter *self, GError **error)
{
	g_autofree char *found = satchel_digest_finish(self->digest);

	if (self->offset_bytes != self->size_bytes)
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
			    "blob sha256:%s has %" G_GUINT64_FORMAT
			    " bytes, not %" G_GUINT64_FORMAT,
			    self->sha256, self->offset_bytes, self->size_bytes);
	else if (strcmp(found, self->sha256) != 0)
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
			    "blob sha256:%s has the hash %s", self->sha256, found);
	else
		return TRUE;
	(void)unlinkat(self->store->blobs_fd, self->part_name, 0);
	return FALSE;
}

gboolean
satchel_blob_writer_finish(SatchelBlobWriter *self, GError **error)
{
	int blobs_fd = self->store->blobs_fd;

	if (!writer_check(self, error))
		return FALSE;
	if (fsync(self->fd) != 0)
		return writer_fail(self, errno, "write it", error);
	if (renameat(blobs_fd, self->part_name, blobs_fd, self->sha256) != 0)
		return writer_fail(self, errno, "give it its name", error);
	return TRUE;
}

void
satchel_blob_writer_free(SatchelBlobWriter *self)
{
	/* Nothing came: nothing to take up. */
	if (self->fd >= 0 && self->offset_bytes == 0)
		(void)unlinkat(self->store->blobs_fd, self->part_name, 0);
	if (self->fd >= 0)
		close(self->fd);
	g_free(self->part_name);
	satchel_digest_free(self->digest);
	g_free(self);
}

gboolean
satchel_app_store_put(SatchelAppStore *self, GBytes *content, char sha256[65], GError **error)
{
	gsize n_bytes = 0;
	const void *data = g_bytes_get_data(content, &n_bytes);
	g_autofree char *found = satchel_digest_sha256_hex(data, n_bytes);
	g_autoptr(SatchelBlobWriter) writer = NULL;

	(void)g_strlcpy(sha256, found, 65);
	if (satchel_app_store_has(self, sha256, n_bytes))
		return TRUE;
	writer = satchel_app_store_begin(self, sha256, n_bytes, error);
	return writer != NULL && satchel_blob_writer_restart(writer, error) &&
	       satchel_blob_writer_append(writer, data, n_bytes, error) &&
	       satchel_blob_writer_finish(writer, error);
}

/* ---- what stands below apps/ */

/* A second name for a blob; FALSE where the file system has none (FAT, other devices). */
static gboolean
try_link(const SatchelAppStore *self, const char *sha256, int folder_fd, const char *name)
{
	(void)unlinkat(folder_fd, name, 0);
	return linkat(self->blobs_fd, sha256, folder_fd, name, 0) == 0;
}

static gboolean
publish_file(const SatchelAppStore *self, const SatchelAppFile *file, GError **error)
{
	g_autofree char *folder = g_path_get_dirname(file->path);
	g_autofree char *name = g_path_get_basename(file->path);
	g_autoptr(GBytes) content = NULL;
	gboolean done = TRUE;
	int folder_fd;

	if (!satchel_write_directory_make_folder(self->dir_fd, folder, error))
		return FALSE;
	folder_fd = openat(self->dir_fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder_fd < 0)
		return satchel_file_error_set(error, errno, folder, "open it");
	if (file->content != NULL) {
		content = g_bytes_ref(file->content);
	} else if (!try_link(self, file->sha256, folder_fd, name)) {
		content = satchel_safe_read(self->blobs_fd, file->sha256,
					    SATCHEL_LIMIT_APP_ARCHIVE_BYTES, error);
		done = content != NULL;
	}
	if (content != NULL)
		done = satchel_atomic_write(folder_fd, name, content, 0644, error);
	close(folder_fd);
	return done;
}

gboolean
satchel_app_store_publish(SatchelAppStore *self, const SatchelAppClosure *app, GError **error)
{
	g_autoptr(GPtrArray) files = satchel_app_files_of(app);

	/* The blobs' names are on the disk before anything speaks of them. */
	if (fsync(self->blobs_fd) != 0)
		return satchel_file_error_set(error, errno, self->path, "write it");
	for (guint i = 0; i < files->len; i++) {
		if (!publish_file(self, files->pdata[i], error))
			return FALSE;
	}
	return TRUE;
}

/* ---- which apps there are */

static int
compare_texts(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names in a folder, in order; stray files and what other systems leave are passed over. */
static GPtrArray *
list_folder(int dir_fd, const char *path, GError **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *entries = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;

	if (entries == NULL && errno != ENOENT && errno != ENOTDIR) {
		satchel_file_error_set(error, errno, path, "read it");
		return NULL;
	}
	while (entries != NULL && (entry = readdir(entries)) != NULL) {
		if (entry->d_name[0] != '.')
			g_ptr_array_add(names, g_strdup(entry->d_name));
	}
	if (entries != NULL)
		(void)closedir(entries);
	g_ptr_array_sort(names, compare_texts);
	return g_steal_pointer(&names);
}

static gboolean
list_version(const SatchelAppStore *self, const char *folder, const char *version, GPtrArray *uris,
	     GError **error)
{
	g_autofree char *path = g_strconcat(folder, "/", version, "/uri", NULL);
	g_autoptr(GBytes) content = NULL;
	g_autoptr(SatchelImageReference) reference = NULL;
	g_autofree char *uri = NULL;

	if (!satchel_hex_is_sha256(version))
		return TRUE;
	content = satchel_safe_read(self->dir_fd, path, SATCHEL_LIMIT_PATH_BYTES, NULL);
	/* Not published yet. */
	if (content == NULL)
		return TRUE;
	uri = g_strndup(g_bytes_get_data(content, NULL), g_bytes_get_size(content));
	reference = satchel_app_uri_parse(uri, error);
	if (reference == NULL || strcmp(reference->sha256, version) != 0) {
		g_clear_error(error);
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
			    "%s/%s is not the URI of that app", self->path, path);
		return FALSE;
	}
	g_ptr_array_add(uris, g_steal_pointer(&uri));
	return TRUE;
}

GPtrArray *
satchel_app_store_list(const SatchelAppStore *self, GError **error)
{
	g_autoptr(GPtrArray) uris = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) apps = list_folder(self->dir_fd, SATCHEL_APP_STORE_APPS, error);

	for (guint i = 0; apps != NULL && i < apps->len; i++) {
		g_autofree char *folder =
			g_strconcat(SATCHEL_APP_STORE_APPS "/", apps->pdata[i], NULL);
		g_autoptr(GPtrArray) versions = list_folder(self->dir_fd, folder, error);

		for (guint j = 0; versions != NULL && j < versions->len; j++) {
			if (!list_version(self, folder, versions->pdata[j], uris, error))
				return NULL;
		}
		if (versions == NULL)
			return NULL;
	}
	return apps != NULL ? g_steal_pointer(&uris) : NULL;
}
