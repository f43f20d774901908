#include "private_copy.h"
#include "../verify/path_safety.h"
#include "../verify/safe_read.h"
#include "../verify/write_all.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

#define BUFFER_BYTES 65536u

struct SatchelPrivateCopy {
	char *dir;
};

static gboolean
write_fail(GError **error, const char *path, int problem)
{
	g_autofree char *quoted = satchel_path_quote(path);

	g_set_error(error, SATCHEL_ERROR,
		    problem == ENOSPC || problem == EDQUOT ? SATCHEL_ERROR_NO_SPACE
							   : SATCHEL_ERROR_FAILED,
		    "%s: %s", quoted, g_strerror(problem));
	return FALSE;
}

static gboolean
read_fail(GError **error, const char *name, const char *reason)
{
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED, "%s: %s", name, reason);
	return FALSE;
}

static gboolean
copy_bytes(int from, const char *name, int to, const char *path, guint64 max_bytes, GError **error)
{
	g_autofree char *buffer = g_malloc(BUFFER_BYTES);
	guint64 total = 0;

	for (;;) {
		ssize_t n = read(from, buffer, BUFFER_BYTES);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return read_fail(error, name, g_strerror(errno));
		if (n == 0)
			return TRUE;
		total += (guint64)n;
		if (total > max_bytes)
			return read_fail(error, name, "too long to be read");
		if (!satchel_write_all(to, buffer, (gsize)n))
			return write_fail(error, path, errno);
	}
}

static gboolean
copy_file(const SatchelPrivateCopy *self, int dir_fd, const char *name, guint64 max_bytes,
	  GError **error)
{
	g_autofree char *path = g_build_filename(self->dir, name, NULL);
	g_autoptr(GError) local_error = NULL;
	guint64 size_bytes = 0;
	gboolean good = FALSE;
	int to = -1;
	int from = satchel_safe_open(dir_fd, name, &size_bytes, &local_error);

	if (g_error_matches(local_error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND))
		return TRUE;
	if (from < 0) {
		g_propagate_error(error, g_steal_pointer(&local_error));
		return FALSE;
	}
	to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (to < 0)
		good = write_fail(error, path, errno);
	else
		good = copy_bytes(from, name, to, path, max_bytes, error);
	if (to >= 0)
		close(to);
	close(from);
	return good;
}

SatchelPrivateCopy *
satchel_private_copy_new(int dir_fd, const char *const *names, guint64 max_bytes, GError **error)
{
	g_autoptr(SatchelPrivateCopy) self = g_new0(SatchelPrivateCopy, 1);
	char *dir = g_build_filename(g_get_tmp_dir(), "satchel-XXXXXX", NULL);

	if (g_mkdtemp(dir) == NULL) {
		(void)write_fail(error, dir, errno);
		g_free(dir);
		return NULL;
	}
	self->dir = dir;
	for (guint i = 0; names[i] != NULL; i++) {
		if (!copy_file(self, dir_fd, names[i], max_bytes, error))
			return NULL;
	}
	return g_steal_pointer(&self);
}

const char *
satchel_private_copy_get_dir(const SatchelPrivateCopy *self)
{
	return self->dir;
}

/* With what its reader made in it. */
static void
remove_dir(const char *path)
{
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const char *name = NULL;

	while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
		g_autofree char *file = g_build_filename(path, name, NULL);

		(void)g_unlink(file);
	}
	(void)g_rmdir(path);
}

void
satchel_private_copy_free(SatchelPrivateCopy *self)
{
	if (self->dir != NULL)
		remove_dir(self->dir);
	g_free(self->dir);
	g_free(self);
}
