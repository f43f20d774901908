#include "part_files.h"
#include "medium_error.h"
#include "page_cache.h"
#include "path_safety.h"
#include "split_set.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
	int fd;
	guint64 begin_bytes, size_bytes;
} PartFile;

struct SatchelPartFiles {
	char *name; /* of the file, or of the first part */
	char *base; /* (nullable): the set's, without .000 */
	GArray *parts;
	guint64 total_bytes;
};

static gboolean
part_error(GError **error, const char *path, const char *reason)
{
	g_autofree char *quoted = satchel_path_quote(path);

	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND, "no bundle at '%s': %s",
		    quoted, reason);
	return FALSE;
}

/* Its kind is looked at before it is opened, because opening a device can do something, and again
 * afterwards, because it may have been exchanged. */
static int
part_open(int dir_fd, const char *name, struct stat *info)
{
	int fd;

	if (fstatat(dir_fd, name, info, AT_SYMLINK_NOFOLLOW) != 0)
		return -1;
	errno = EINVAL;
	if (!S_ISREG(info->st_mode))
		return -1;
	fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (fstat(fd, info) == 0 && S_ISREG(info->st_mode))
		return fd;
	close(fd);
	errno = EINVAL;
	return -1;
}

/* FALSE where there is none, with errno; ENOENT ends a set. */
static gboolean
files_add(SatchelPartFiles *self, int dir_fd, const char *name)
{
	PartFile part = {.begin_bytes = self->total_bytes};
	struct stat info;

	part.fd = part_open(dir_fd, name, &info);
	if (part.fd < 0)
		return FALSE;
	part.size_bytes = info.st_size < 0 ? 0 : (guint64)info.st_size;
	g_array_append_val(self->parts, part);
	/* Files of G_MAXINT64 bytes exist on paper only; what adds up to more ends there. */
	if (part.size_bytes > G_MAXINT64 - self->total_bytes)
		part.size_bytes = G_MAXINT64 - self->total_bytes;
	self->total_bytes += part.size_bytes;
	return TRUE;
}

static gboolean
files_add_later_parts(SatchelPartFiles *self, int dir_fd, GError **error)
{
	for (guint i = 1; i < SATCHEL_LIMIT_PACKED_PARTS; i++) {
		g_autofree char *name = satchel_split_set_part(self->base, i);

		if (files_add(self, dir_fd, name))
			continue;
		return errno == ENOENT ||
		       part_error(error, name,
				  errno == EINVAL ? "it is no regular file" : g_strerror(errno));
	}
	return TRUE;
}

/* A part that is cut short shifts all that follow: its size tells, before anything is read. */
static gboolean
files_check_sizes(const SatchelPartFiles *self, GError **error)
{
	g_autofree guint64 *sizes_bytes = g_new(guint64, self->parts->len);
	g_autofree char *name = NULL;
	g_autofree char *quoted = NULL;
	guint wrong = 0;

	for (guint i = 0; i < self->parts->len; i++)
		sizes_bytes[i] = g_array_index(self->parts, PartFile, i).size_bytes;
	if (satchel_split_set_check_sizes(sizes_bytes, self->parts->len, &wrong))
		return TRUE;
	name = satchel_part_files_dup_name(self, wrong);
	/* The last part is the short one, where they stand in order. */
	if (sizes_bytes[wrong] < sizes_bytes[0] &&
	    sizes_bytes[self->parts->len - 1] < sizes_bytes[0])
		return satchel_medium_error_set(error, SATCHEL_MEDIUM_TOO_SHORT, name,
						sizes_bytes[wrong], NULL);
	quoted = satchel_path_quote(name);
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
		    "%s is %s than the first part: parts were exchanged, one is of another bundle, "
		    "or the copy is incomplete: copy it again",
		    quoted, sizes_bytes[wrong] < sizes_bytes[0] ? "shorter" : "longer");
	return FALSE;
}

static gboolean
files_open(SatchelPartFiles *self, const char *path, int dir_fd, GError **error)
{
	if (!files_add(self, dir_fd, self->name))
		return part_error(error, path,
				  errno == EINVAL ? "it is no regular file" : g_strerror(errno));
	return self->base == NULL ||
	       (files_add_later_parts(self, dir_fd, error) && files_check_sizes(self, error));
}

SatchelPartFiles *
satchel_part_files_open(const char *path, GError **error)
{
	g_autoptr(SatchelPartFiles) self = g_new0(SatchelPartFiles, 1);
	/* Once, for the user's own links; the parts then lie beside what they lead to. */
	char *real = realpath(path, NULL);
	g_autofree char *folder = NULL;
	int dir_fd;
	gboolean good;

	self->parts = g_array_new(FALSE, FALSE, sizeof(PartFile));
	if (real == NULL) {
		part_error(error, path, g_strerror(errno));
		return NULL;
	}
	folder = g_path_get_dirname(real);
	self->name = g_path_get_basename(real);
	self->base = satchel_split_set_base(self->name);
	free(real);
	dir_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0) {
		part_error(error, path, g_strerror(errno));
		return NULL;
	}
	good = files_open(self, path, dir_fd, error);
	close(dir_fd);
	return good ? g_steal_pointer(&self) : NULL;
}

guint64
satchel_part_files_get_total_bytes(const SatchelPartFiles *self)
{
	return self->total_bytes;
}

guint
satchel_part_files_get_n_parts(const SatchelPartFiles *self)
{
	return self->parts->len;
}

guint64
satchel_part_files_get_begin_bytes(const SatchelPartFiles *self, guint part)
{
	return g_array_index(self->parts, PartFile, part).begin_bytes;
}

char *
satchel_part_files_dup_name(const SatchelPartFiles *self, guint part)
{
	return self->base == NULL ? g_strdup(self->name) : satchel_split_set_part(self->base, part);
}

gboolean
satchel_part_files_may_lack_one(const SatchelPartFiles *self)
{
	guint n_parts = self->parts->len;

	return self->base != NULL && n_parts < SATCHEL_LIMIT_PACKED_PARTS &&
	       g_array_index(self->parts, PartFile, n_parts - 1).size_bytes ==
		       g_array_index(self->parts, PartFile, 0).size_bytes;
}

/* There are few. */
guint
satchel_part_files_find(const SatchelPartFiles *self, guint64 offset_bytes)
{
	guint i = self->parts->len - 1;

	while (i > 0 && g_array_index(self->parts, PartFile, i).begin_bytes > offset_bytes)
		i--;
	return i;
}

gssize
satchel_part_files_read_some(const SatchelPartFiles *self, guint64 offset_bytes, gpointer buffer,
			     gsize n_bytes)
{
	const PartFile *part =
		&g_array_index(self->parts, PartFile, satchel_part_files_find(self, offset_bytes));
	gssize n_read;

	if (offset_bytes >= self->total_bytes)
		return 0;
	n_bytes = (gsize)MIN(n_bytes, part->begin_bytes + part->size_bytes - offset_bytes);
	n_read = TEMP_FAILURE_RETRY(
		pread(part->fd, buffer, n_bytes, (off_t)(offset_bytes - part->begin_bytes)));
	return n_read < 0 ? -errno : n_read;
}

/* @n_done: (out). Returns 0 at the end, or an errno. */
static int
files_try(const SatchelPartFiles *self, guint64 offset_bytes, guint8 *buffer, gsize n_bytes,
	  gsize *n_done)
{
	gssize n_read = 1;

	*n_done = 0;
	while (*n_done < n_bytes && n_read > 0) {
		n_read = satchel_part_files_read_some(self, offset_bytes + *n_done,
						      buffer + *n_done, n_bytes - *n_done);
		if (n_read > 0)
			*n_done += (gsize)n_read;
	}
	return (int)-MIN(n_read, 0);
}

gboolean
satchel_part_files_read(const SatchelPartFiles *self, guint64 offset_bytes, gpointer buffer,
			gsize n_bytes, GError **error)
{
	g_autofree char *name = NULL;
	gsize n_done = 0;
	int failure = files_try(self, offset_bytes, buffer, n_bytes, &n_done);
	guint part;

	if (n_done == n_bytes)
		return TRUE;
	satchel_part_files_advise(self, offset_bytes, n_bytes, SATCHEL_BUNDLE_DROP_CACHE);
	failure = files_try(self, offset_bytes, buffer, n_bytes, &n_done);
	if (n_done == n_bytes)
		return TRUE;
	if (failure == 0 && satchel_part_files_may_lack_one(self)) {
		name = satchel_part_files_dup_name(self, self->parts->len);
		return satchel_medium_error_set(error, SATCHEL_MEDIUM_MISSING, name, 0, NULL);
	}
	part = satchel_part_files_find(self, offset_bytes + n_done);
	name = satchel_part_files_dup_name(self, part);
	return satchel_medium_error_set(
		error, failure == 0 ? SATCHEL_MEDIUM_TOO_SHORT : SATCHEL_MEDIUM_UNREADABLE, name,
		offset_bytes + n_done - satchel_part_files_get_begin_bytes(self, part),
		g_strerror(failure));
}

void
satchel_part_files_advise(const SatchelPartFiles *self, guint64 offset_bytes, guint64 n_bytes,
			  SatchelBundleAdvice advice)
{
	guint64 end_bytes = MIN(offset_bytes + n_bytes, self->total_bytes);

	if (offset_bytes > self->total_bytes || n_bytes > G_MAXINT64)
		return;
	for (guint i = satchel_part_files_find(self, offset_bytes); i < self->parts->len; i++) {
		const PartFile *part = &g_array_index(self->parts, PartFile, i);
		guint64 from = MAX(offset_bytes, part->begin_bytes);
		guint64 to = MIN(end_bytes, part->begin_bytes + part->size_bytes);

		if (from >= to)
			return;
		satchel_page_cache_advise(part->fd, from - part->begin_bytes, to - from, advice);
	}
}

void
satchel_part_files_free(SatchelPartFiles *self)
{
	if (self == NULL)
		return;
	for (guint i = 0; i < self->parts->len; i++)
		close(g_array_index(self->parts, PartFile, i).fd);
	g_array_unref(self->parts);
	g_free(self->name);
	g_free(self->base);
	g_free(self);
}
