#include "app_archive_writer.h"
#include "../verify/app_archive.h"
#include "../verify/compose_file.h"
#include "../verify/digest.h"
#include "../verify/path_safety.h"
#include "file_error.h"
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <satchel/limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE_BYTES (256u * 1024u)
#define MAX_DEPTH 64u

typedef struct {
	const char *top;
	struct archive *writer;
	GByteArray *bytes;
	GPtrArray *names; /* of char *: relative to the top */
	json_t *index;
	GBytes *compose;
} Maker;

static void
maker_clear(Maker *self)
{
	if (self->writer != NULL)
		(void)archive_write_free(self->writer);
	g_clear_pointer(&self->bytes, g_byte_array_unref);
	g_clear_pointer(&self->names, g_ptr_array_unref);
	g_clear_pointer(&self->index, json_decref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Maker, maker_clear)

static gboolean
fail(GError **error, const char *path, const char *reason)
{
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED, "%s: %s", path, reason);
	return FALSE;
}

static gboolean
fail_writer(const Maker *self, GError **error)
{
	const char *reason = archive_error_string(self->writer);

	return fail(error, "the app's archive", reason != NULL ? reason : "cannot be written");
}

/* ---- which files */

static gboolean
list_path(Maker *self, const char *name, guint depth, GError **error)
{
	g_autofree char *path = g_build_filename(self->top, name, NULL);
	g_autoptr(GDir) folder = NULL;
	g_autoptr(GError) local_error = NULL;
	const char *child;
	struct stat info;

	if (lstat(path, &info) != 0)
		return satchel_file_error_set(error, errno, path, "read it");
	if (depth > MAX_DEPTH || self->names->len > SATCHEL_LIMIT_APP_FILES)
		return fail(error, path, "more files or deeper folders than an app may have");
	g_ptr_array_add(self->names, g_strdup(name));
	if (!S_ISDIR(info.st_mode))
		return TRUE;
	folder = g_dir_open(path, 0, &local_error);
	if (folder == NULL)
		return fail(error, path, local_error->message);
	while ((child = g_dir_read_name(folder)) != NULL) {
		g_autofree char *below = g_strconcat(name, "/", child, NULL);

		if (!list_path(self, below, depth + 1, error))
			return FALSE;
	}
	return TRUE;
}

/* The path as seen from the top. (transfer full) */
static char *
relative_path(const Maker *self, const char *path, GError **error)
{
	g_autofree char *top = g_canonicalize_filename(self->top, NULL);
	g_autofree char *whole = g_canonicalize_filename(path, NULL);
	g_autofree char *prefix =
		g_str_has_suffix(top, "/") ? g_strdup(top) : g_strconcat(top, "/", NULL);

	if (g_str_has_prefix(whole, prefix) && whole[strlen(prefix)] != '\0')
		return g_strdup(whole + strlen(prefix));
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE,
		    "--file: %s is not below %s, the folder of the Compose file", path, top);
	return NULL;
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static gboolean
list_all(Maker *self, const char *const *paths, GError **error)
{
	for (; paths != NULL && *paths != NULL; paths++) {
		g_autofree char *name = relative_path(self, *paths, error);

		if (name == NULL || !list_path(self, name, 0, error))
			return FALSE;
	}
	g_ptr_array_sort(self->names, compare_names);
	return TRUE;
}

/* ---- what is written */

static la_ssize_t
on_write(struct archive *writer, void *user_data, const void *data, size_t n_bytes)
{
	Maker *self = user_data;

	if (n_bytes > SATCHEL_LIMIT_APP_ARCHIVE_BYTES - self->bytes->len) {
		archive_set_error(writer, EFBIG, "larger than %u bytes",
				  SATCHEL_LIMIT_APP_ARCHIVE_BYTES);
		return -1;
	}
	g_byte_array_append(self->bytes, data, (guint)n_bytes);
	return (la_ssize_t)n_bytes;
}

static void
index_file(Maker *self, const char *name, SatchelDigest *digest)
{
	g_autofree char *sha256 = satchel_digest_finish(digest);
	g_autofree char *text = g_strconcat("sha256:", sha256, NULL);

	json_object_set_new(self->index, name, json_string(text));
}

static gboolean
write_header(Maker *self, const char *name, mode_t mode, guint64 size_bytes, const char *link,
	     GError **error)
{
	struct archive_entry *entry = archive_entry_new();
	int status;

	archive_entry_set_pathname(entry, name);
	archive_entry_set_mode(entry, mode);
	archive_entry_set_size(entry, (la_int64_t)size_bytes);
	archive_entry_set_mtime(entry, 0, 0);
	if (link != NULL)
		archive_entry_set_symlink(entry, link);
	status = archive_write_header(self->writer, entry);
	archive_entry_free(entry);
	return status == ARCHIVE_OK || fail_writer(self, error);
}

static gboolean
write_content(Maker *self, int fd, const char *name, guint64 size_bytes, GError **error)
{
	g_autoptr(SatchelDigest) digest = satchel_digest_new(SATCHEL_DIGEST_SHA256);
	g_autofree guint8 *piece = g_malloc(PIECE_BYTES);
	guint64 done_bytes = 0;

	while (done_bytes < size_bytes) {
		ssize_t n_read = read(fd, piece, MIN(PIECE_BYTES, size_bytes - done_bytes));

		if (n_read < 0 && errno == EINTR)
			continue;
		if (n_read < 0)
			return satchel_file_error_set(error, errno, name, "read it");
		if (n_read == 0)
			return fail(error, name, "it became shorter while it was read");
		if (archive_write_data(self->writer, piece, (size_t)n_read) != n_read)
			return fail_writer(self, error);
		satchel_digest_update(digest, piece, (gsize)n_read);
		done_bytes += (guint64)n_read;
	}
	index_file(self, name, digest);
	return TRUE;
}

static gboolean
write_link(Maker *self, const char *path, const char *name, GError **error)
{
	g_autofree char *target = g_file_read_link(path, NULL);

	return (target != NULL || fail(error, path, "the link cannot be read")) &&
	       write_header(self, name, S_IFLNK | 0777, 0, target, error);
}

static gboolean
write_file(Maker *self, const char *path, const char *name, GError **error)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct stat info;
	gboolean done;

	if (fd < 0)
		return satchel_file_error_set(error, errno, path, "read it");
	if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
		close(fd);
		return fail(error, path, "it is no file, folder or symbolic link");
	}
	done = write_header(self, name, S_IFREG | ((info.st_mode & 0100) != 0 ? 0755 : 0644),
			    (guint64)info.st_size, NULL, error) &&
	       write_content(self, fd, name, (guint64)info.st_size, error);
	close(fd);
	return done;
}

static gboolean
write_name(Maker *self, const char *name, GError **error)
{
	g_autofree char *path = g_build_filename(self->top, name, NULL);
	struct stat info;

	if (strcmp(name, SATCHEL_COMPOSE_FILE) == 0)
		return TRUE; /* the pinned one stands in its place */
	if (lstat(path, &info) != 0)
		return satchel_file_error_set(error, errno, path, "read it");
	if (S_ISDIR(info.st_mode)) {
		g_autofree char *folder = g_strconcat(name, "/", NULL);

		return write_header(self, folder, S_IFDIR | 0755, 0, NULL, error);
	}
	if (S_ISLNK(info.st_mode))
		return write_link(self, path, name, error);
	return write_file(self, path, name, error);
}

static gboolean
write_compose(Maker *self, GError **error)
{
	g_autoptr(SatchelDigest) digest = satchel_digest_new(SATCHEL_DIGEST_SHA256);
	gsize n_bytes = 0;
	const void *data = g_bytes_get_data(self->compose, &n_bytes);

	satchel_digest_update(digest, data, n_bytes);
	index_file(self, SATCHEL_COMPOSE_FILE, digest);
	return write_header(self, SATCHEL_COMPOSE_FILE, S_IFREG | 0644, n_bytes, NULL, error) &&
	       (archive_write_data(self->writer, data, n_bytes) == (la_ssize_t)n_bytes ||
		fail_writer(self, error));
}

static gboolean
write_all(Maker *self, GError **error)
{
	self->writer = archive_write_new();
	g_assert(self->writer != NULL);
	if (archive_write_set_format_pax_restricted(self->writer) != ARCHIVE_OK ||
	    archive_write_add_filter_gzip(self->writer) != ARCHIVE_OK ||
	    archive_write_set_options(self->writer, "gzip:!timestamp,gzip:compression-level=9") !=
		    ARCHIVE_OK ||
	    archive_write_open(self->writer, self, NULL, on_write, NULL) != ARCHIVE_OK)
		return fail_writer(self, error);
	/* First: whoever looks for it need not unpack the rest. */
	if (!write_compose(self, error))
		return FALSE;
	for (guint i = 0; i < self->names->len; i++) {
		if (i > 0 && strcmp(self->names->pdata[i], self->names->pdata[i - 1]) == 0)
			continue;
		if (!write_name(self, self->names->pdata[i], error))
			return FALSE;
	}
	return archive_write_close(self->writer) == ARCHIVE_OK || fail_writer(self, error);
}

gboolean
satchel_app_archive_make(GBytes *compose, const char *top, const char *const *paths,
			 SatchelAppArchiveFiles *files, GError **error)
{
	g_auto(Maker) self = {.top = top, .compose = compose};
	g_autoptr(GBytes) seen = NULL;
	char *text;

	self.bytes = g_byte_array_new();
	self.names = g_ptr_array_new_with_free_func(g_free);
	self.index = json_object();
	if (!list_all(&self, paths, error) || !write_all(&self, error))
		return FALSE;
	files->archive = g_byte_array_free_to_bytes(g_steal_pointer(&self.bytes));
	text = json_dumps(self.index, JSON_COMPACT | JSON_SORT_KEYS);
	files->index = g_bytes_new_with_free_func(text, strlen(text), free, text);
	/* As a device will look at it. */
	seen = satchel_app_archive_read_compose(files->archive, error);
	return seen != NULL;
}

void
satchel_app_archive_files_clear(SatchelAppArchiveFiles *self)
{
	g_clear_pointer(&self->archive, g_bytes_unref);
	g_clear_pointer(&self->index, g_bytes_unref);
}
