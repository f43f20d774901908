#include "write_directory.h"
#include "../verify/digest.h"
#include "../verify/write_all.h"
#include "file_error.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_BYTES (128u * 1024u)

struct SatchelFileWriter {
	int dir_fd;
	int fd;
	const char *member;
	SatchelDigest *digest;
	guint64 size_bytes;
	gsize n_buffered;
	guint8 buffer[BUFFER_BYTES];
};

gboolean
satchel_write_directory_make_folder(int dir_fd, const char *member, GError **error)
{
	g_autofree char *path = g_strdup(member);

	for (char *slash = path; slash != NULL;) {
		slash = strchr(slash + 1, '/');
		if (slash != NULL)
			*slash = '\0';
		if (mkdirat(dir_fd, path, 0755) != 0 && errno != EEXIST)
			return satchel_file_error_set(error, errno, path, "make this folder");
		if (slash != NULL)
			*slash = '/';
	}
	return TRUE;
}

static int
create_file(int dir_fd, const char *member)
{
	return openat(dir_fd, member, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
}

SatchelFileWriter *
satchel_write_directory_begin(int dir_fd, const char *member, GError **error)
{
	g_autoptr(SatchelFileWriter) self = g_new0(SatchelFileWriter, 1);

	self->dir_fd = dir_fd;
	self->member = member;
	self->digest = satchel_digest_new(SATCHEL_DIGEST_SHA256);
	self->fd = create_file(dir_fd, member);
	if (self->fd < 0 && errno == ENOENT) {
		g_autofree char *folder = g_path_get_dirname(member);

		if (!satchel_write_directory_make_folder(dir_fd, folder, error))
			return NULL;
		self->fd = create_file(dir_fd, member);
	}
	if (self->fd < 0) {
		satchel_file_error_set(error, errno, member, "create it");
		return NULL;
	}
	return g_steal_pointer(&self);
}

static gboolean
flush(SatchelFileWriter *self, GError **error)
{
	satchel_digest_update(self->digest, self->buffer, self->n_buffered);
	self->size_bytes += self->n_buffered;
	if (!satchel_write_all(self->fd, self->buffer, self->n_buffered))
		return satchel_file_error_set(error, errno, self->member, "write it");
	self->n_buffered = 0;
	return TRUE;
}

gboolean
satchel_write_directory_append(SatchelFileWriter *self, gconstpointer data, gsize n_bytes,
			       GError **error)
{
	const guint8 *bytes = data;

	while (n_bytes > 0) {
		gsize n_now = MIN(n_bytes, BUFFER_BYTES - self->n_buffered);

		memcpy(self->buffer + self->n_buffered, bytes, n_now);
		self->n_buffered += n_now;
		bytes += n_now;
		n_bytes -= n_now;
		if (self->n_buffered == BUFFER_BYTES && !flush(self, error))
			return FALSE;
	}
	return TRUE;
}

gboolean
satchel_write_directory_finish(SatchelFileWriter *self, SatchelWrittenFile *written, GError **error)
{
	g_autofree char *sha256 = NULL;
	int fd = self->fd;

	if (!flush(self, error))
		return FALSE;
	self->fd = -1;
	if (close(fd) != 0) {
		int system_error = errno;

		(void)unlinkat(self->dir_fd, self->member, 0);
		return satchel_file_error_set(error, system_error, self->member, "write it");
	}
	sha256 = satchel_digest_finish(self->digest);
	written->size_bytes = self->size_bytes;
	(void)g_strlcpy(written->sha256, sha256, sizeof written->sha256);
	return TRUE;
}

void
satchel_file_writer_free(SatchelFileWriter *self)
{
	if (self->fd >= 0) {
		close(self->fd);
		(void)unlinkat(self->dir_fd, self->member, 0);
	}
	satchel_digest_free(self->digest);
	g_free(self);
}

gboolean
satchel_write_directory_put(int dir_fd, const char *member, GBytes *content,
			    SatchelManifest *manifest, GError **error)
{
	g_autoptr(SatchelFileWriter) writer = satchel_write_directory_begin(dir_fd, member, error);
	SatchelWrittenFile written;

	if (writer == NULL ||
	    !satchel_write_directory_append(writer, g_bytes_get_data(content, NULL),
					    g_bytes_get_size(content), error) ||
	    !satchel_write_directory_finish(writer, &written, error))
		return FALSE;
	return manifest == NULL ||
	       satchel_manifest_add(manifest, member, written.size_bytes, written.sha256, error);
}

gboolean
satchel_write_directory_remove(int dir_fd, const char *member, GError **error)
{
	g_autofree char *folder = g_path_get_dirname(member);

	if (unlinkat(dir_fd, member, 0) != 0)
		return satchel_file_error_set(error, errno, member, "remove it");
	/* Never "." itself: that is no name for it. */
	(void)unlinkat(dir_fd, folder, AT_REMOVEDIR);
	return TRUE;
}
