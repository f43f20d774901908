#include "path_safety.h"
#include "safe_read.h"
#include "tuf_source_stream.h"
#include <errno.h>
#include <fcntl.h>
#include <gio/gunixinputstream.h>
#include <unistd.h>

/* Artifacts are handed on in pieces of this size. */
#define PIECE_BYTES (64u * 1024u)

typedef struct {
	SatchelTufSource parent;
	int metadata_fd;
	int artifact_fd; /* -1: none are served */
} DirectorySource;

/* A file below @dir_fd, closed with the stream. (transfer full) */
static GInputStream *
open_file(int dir_fd, const char *path, guint64 *size_bytes, GError **error)
{
	int fd = satchel_safe_open(dir_fd, path, size_bytes, error);

	return fd >= 0 ? g_unix_input_stream_new(fd, TRUE) : NULL;
}

static GBytes *
directory_fetch_metadata(SatchelTufSource *source, const char *role, gint64 version,
			 gsize max_bytes, GError **error)
{
	DirectorySource *self = (DirectorySource *)source;
	g_autofree char *name = satchel_tuf_source_file_name(role, version);
	g_autoptr(GError) local_error = NULL;
	g_autoptr(GInputStream) stream = NULL;
	guint64 size_bytes = 0;

	stream = open_file(self->metadata_fd, name, &size_bytes, &local_error);
	if (stream == NULL)
		return satchel_tuf_source_fail_role(error, g_steal_pointer(&local_error));
	return satchel_tuf_source_read_role(stream, size_bytes, max_bytes, name, error);
}

static gboolean
fail_artifact(GError **error, const char *path, const char *reason)
{
	g_autofree char *quoted = satchel_path_quote(path);

	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED, "%s: %s", quoted, reason);
	return FALSE;
}

static gboolean
copy_artifact(GInputStream *stream, const char *path, guint64 max_bytes,
	      gboolean (*sink)(gconstpointer, gsize, gpointer, GError **), gpointer user_data,
	      GError **error)
{
	g_autofree guint8 *piece = g_malloc(PIECE_BYTES);
	guint64 left = max_bytes;

	for (;;) {
		g_autoptr(GError) local_error = NULL;
		gssize got = g_input_stream_read(stream, piece, PIECE_BYTES, NULL, &local_error);

		if (got < 0)
			return fail_artifact(error, path, local_error->message);
		if (got == 0)
			return TRUE;
		if ((guint64)got > left)
			return fail_artifact(error, path, "longer than its role says");
		left -= (guint64)got;
		if (!sink(piece, (gsize)got, user_data, error))
			return FALSE;
	}
}

static gboolean
directory_fetch_artifact(SatchelTufSource *source, const char *path, guint64 max_bytes,
			 gboolean (*sink)(gconstpointer, gsize, gpointer, GError **),
			 gpointer user_data, GError **error)
{
	DirectorySource *self = (DirectorySource *)source;
	g_autoptr(GError) local_error = NULL;
	g_autoptr(GInputStream) stream = NULL;
	guint64 size_bytes = 0;

	if (self->artifact_fd < 0)
		return fail_artifact(error, path, "this source has no artifacts");
	stream = open_file(self->artifact_fd, path, &size_bytes, &local_error);
	if (stream == NULL) {
		local_error->code = SATCHEL_ERROR_DOWNLOAD_FAILED;
		g_propagate_error(error, g_steal_pointer(&local_error));
		return FALSE;
	}
	return copy_artifact(stream, path, max_bytes, sink, user_data, error);
}

static void
directory_free(SatchelTufSource *source)
{
	DirectorySource *self = (DirectorySource *)source;

	if (self->metadata_fd >= 0)
		close(self->metadata_fd);
	if (self->artifact_fd >= 0)
		close(self->artifact_fd);
	g_free(self);
}

/* The user named it: a link to it is the user's choice. */
static int
open_folder(const char *path, SatchelError missing, GError **error)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0) {
		g_autofree char *quoted = satchel_path_quote(path);

		g_set_error(error, SATCHEL_ERROR, missing, "%s: %s", quoted, g_strerror(errno));
	}
	return fd;
}

SatchelTufSource *
satchel_tuf_source_directory_new(const char *metadata_dir, const char *artifact_dir, GError **error)
{
	static const SatchelTufSourceClass klass = {
		.fetch_metadata = directory_fetch_metadata,
		.fetch_artifact = directory_fetch_artifact,
		.free = directory_free,
	};
	DirectorySource *self = g_new0(DirectorySource, 1);
	g_autoptr(SatchelTufSource) source = &self->parent;

	self->parent.klass = &klass;
	self->metadata_fd = self->artifact_fd = -1;
	self->metadata_fd = open_folder(metadata_dir, SATCHEL_ERROR_METADATA_NOT_FOUND, error);
	if (self->metadata_fd < 0)
		return NULL;
	if (artifact_dir != NULL) {
		self->artifact_fd = open_folder(artifact_dir, SATCHEL_ERROR_DOWNLOAD_FAILED, error);
		if (self->artifact_fd < 0)
			return NULL;
	}
	return g_steal_pointer(&source);
}
