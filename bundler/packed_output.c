#include "packed_output.h"
#include "../verify/digest.h"
#include "../verify/split_set.h"
#include "file_error.h"
#include "medium.h"
#include "read_back.h"
#include "work_folder.h"
#include <errno.h>
#include <fcntl.h>
#include <satchel/limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Written back early and step by step, so that the sync at the end has little left to do. */
#define WRITE_BACK_BYTES (16u * 1024u * 1024u)
/* Zeros of this length and alignment become a hole, as they were in a sparse source. */
#define HOLE_BYTES 4096u
/* Inside the work folder. */
#define FOLDER_NAME "folder"
/* What a ustar header has at its beginning and behind its name. */
#define FIRST_MEMBER "tuf/"
#define MAGIC_OFFSET 257
#define MAGIC "ustar"

struct SatchelPackedOutput {
	SatchelPackedOutputOptions options;
	SatchelWorkFolder *folder;
	char *path; /* as the user wrote it, for messages */
	char *name;
	int parent_fd;
	int fd; /* of the part that is being written; -1: none */
	guint n_parts;
	guint64 part_bytes;	    /* of that part */
	guint64 written_back_bytes; /* of these, asked to be on their way to the medium */
	guint64 size_bytes;	    /* of all parts */
	SatchelDigest *digest;	    /* (nullable): of that part */
	GPtrArray *sha256;	    /* of finished parts, where they are to be read back */
};

static int
folder_fd(const SatchelPackedOutput *self)
{
	return satchel_work_folder_get_fd(self->folder);
}

static char *
work_name_of(guint part)
{
	return g_strdup_printf("part.%03u", part);
}

/* One file needs no number. */
static char *
final_name_of(const SatchelPackedOutput *self, guint part)
{
	if (self->n_parts == 1)
		return g_strdup(self->name);
	return satchel_split_set_part(self->name, part);
}

static gboolean
exists(int dir_fd, const char *name)
{
	struct stat info;

	return fstatat(dir_fd, name, &info, AT_SYMLINK_NOFOLLOW) == 0;
}

/* ---- what may be replaced ---- */

static gboolean
is_packed_bundle(int dir_fd, const char *name)
{
	char head[512] = {0};
	int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	gboolean whole;

	if (fd < 0)
		return FALSE;
	whole = read(fd, head, sizeof head) == (ssize_t)sizeof head;
	close(fd);
	return whole && memcmp(head, FIRST_MEMBER, strlen(FIRST_MEMBER)) == 0 &&
	       memcmp(head + MAGIC_OFFSET, MAGIC, sizeof MAGIC) == 0;
}

/* --force deletes what is there, and a path is soon mistyped: only a bundle can be made again. */
static gboolean
check_replaceable(const SatchelPackedOutput *self, GError **error)
{
	if (!exists(self->parent_fd, self->name))
		return TRUE;
	if (!self->options.replace)
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
			    "%s: there already; --force replaces it", self->path);
	else if (is_packed_bundle(self->parent_fd, self->name))
		return TRUE;
	else
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
			    "%s: not a packed bundle, so --force does not replace it", self->path);
	return FALSE;
}

/* Several files cannot be exchanged in one step: a process killed in between would leave neither
 * the old bundle nor the new one. */
static gboolean
check_no_set(const SatchelPackedOutput *self, GError **error)
{
	g_autofree char *first = satchel_split_set_part(self->name, 0);

	if (!exists(self->parent_fd, first))
		return TRUE;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
		    "%s.000: a bundle in parts is there already; those are not replaced: remove "
		    "them, or choose another name",
		    self->path);
	return FALSE;
}

static gboolean
check_place(const SatchelPackedOutput *self, GError **error)
{
	return check_replaceable(self, error) && check_no_set(self, error);
}

/* Parts 1 and up without a part 0: what a killed process left of them goes, and with --force any;
 * else they are somebody's. */
static gboolean
may_replace_parts(const SatchelPackedOutput *self)
{
	return self->options.replace || satchel_work_folder_had_leftover(self->folder);
}

/* @n_parts: how many there will be; one that follows them would be taken for one of them */
static gboolean
check_no_stray(const SatchelPackedOutput *self, guint n_parts, GError **error)
{
	for (guint i = 1; i <= n_parts && i < SATCHEL_LIMIT_PACKED_PARTS; i++) {
		g_autofree char *name = satchel_split_set_part(self->name, i);

		if (may_replace_parts(self) || !exists(self->parent_fd, name))
			continue;
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
			    "%s.%03u: there already, and not of this bundle; --force replaces it",
			    self->path, i);
		return FALSE;
	}
	return TRUE;
}

/* ---- beginning ---- */

static gboolean
open_parent(SatchelPackedOutput *self, GError **error)
{
	g_autofree char *absolute = g_canonicalize_filename(self->path, NULL);
	g_autofree char *parent = g_path_get_dirname(absolute);

	self->name = g_path_get_basename(absolute);
	self->parent_fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return self->parent_fd >= 0 ||
	       satchel_file_error_set(error, errno, parent, "open this folder");
}

static gboolean
choose_split(SatchelPackedOutput *self, GError **error)
{
	guint64 limit_bytes = 0;

	if (!satchel_medium_file_limit(self->parent_fd, &limit_bytes))
		return satchel_file_error_set(error, errno, self->path, "look at its file system");
	if (self->options.split_bytes == 0)
		self->options.split_bytes = limit_bytes;
	if (self->options.split_bytes <= limit_bytes)
		return TRUE;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE,
		    "--split: this file system (FAT) holds no file larger than %" G_GUINT64_FORMAT
		    " bytes",
		    limit_bytes);
	return FALSE;
}

SatchelPackedOutput *
satchel_packed_output_begin(const char *path, const SatchelPackedOutputOptions *options,
			    GError **error)
{
	g_autoptr(SatchelPackedOutput) self = g_new0(SatchelPackedOutput, 1);

	self->options = *options;
	self->path = g_strdup(path);
	self->fd = -1;
	self->parent_fd = -1;
	self->sha256 = g_ptr_array_new_with_free_func(g_free);
	if (!open_parent(self, error) || !check_place(self, error) || !choose_split(self, error))
		return NULL;
	self->folder = satchel_work_folder_begin(path, error);
	if (self->folder == NULL || !check_no_stray(self, 1, error))
		return NULL;
	return g_steal_pointer(&self);
}

int
satchel_packed_output_make_folder(SatchelPackedOutput *self, GError **error)
{
	int fd = -1;

	if (mkdirat(folder_fd(self), FOLDER_NAME, 0755) == 0)
		fd = openat(folder_fd(self), FOLDER_NAME,
			    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		(void)satchel_file_error_set(error, errno, self->path, "make a folder beside it");
	return fd;
}

char *
satchel_packed_output_get_folder(const SatchelPackedOutput *self)
{
	return g_build_filename(satchel_work_folder_get_path(self->folder), FOLDER_NAME, NULL);
}

gboolean
satchel_packed_output_check_space(const SatchelPackedOutput *self, guint64 size_bytes,
				  GError **error)
{
	return satchel_medium_check_space(self->parent_fd, self->path, 1, size_bytes, error);
}

/* ---- writing ---- */

static gboolean
open_part(SatchelPackedOutput *self, GError **error)
{
	g_autofree char *name = work_name_of(self->n_parts);

	if (self->n_parts == SATCHEL_LIMIT_PACKED_PARTS) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
			    "%s: more than %u parts; give a larger --split", self->path,
			    SATCHEL_LIMIT_PACKED_PARTS);
		return FALSE;
	}
	self->fd = openat(folder_fd(self), name,
			  O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (self->fd < 0)
		return satchel_file_error_set(error, errno, self->path, "create it");
	self->n_parts++;
	self->part_bytes = 0;
	self->written_back_bytes = 0;
	if (self->options.read_back)
		self->digest = satchel_digest_new(SATCHEL_DIGEST_SHA256);
	return TRUE;
}

static gboolean
close_part(SatchelPackedOutput *self, GError **error)
{
	int fd = self->fd;
	gboolean good;

	self->fd = -1;
	/* A hole at the end has no length of its own. */
	good = ftruncate(fd, (off_t)self->part_bytes) == 0 && fsync(fd) == 0;
	if (!good)
		(void)satchel_file_error_set(error, errno, self->path, "bring it to the disk");
	if (close(fd) != 0 && good)
		good = satchel_file_error_set(error, errno, self->path, "write it");
	if (self->digest != NULL)
		g_ptr_array_add(self->sha256, satchel_digest_finish(self->digest));
	g_clear_pointer(&self->digest, satchel_digest_free);
	return good;
}

static gboolean
is_zero(const guint8 *data, gsize n_bytes)
{
	return data[0] == 0 && memcmp(data, data + 1, n_bytes - 1) == 0;
}

static gboolean
write_bytes(SatchelPackedOutput *self, const guint8 *data, gsize n_bytes, GError **error)
{
	while (n_bytes > 0) {
		ssize_t n_written = pwrite(self->fd, data, n_bytes, (off_t)self->part_bytes);

		if (n_written < 0 && errno == EINTR)
			continue;
		if (n_written < 0)
			return satchel_file_error_set(error, errno, self->path, "write it");
		data += n_written;
		n_bytes -= (gsize)n_written;
		self->part_bytes += (guint64)n_written;
	}
	return TRUE;
}

/* Starts what has come since and waits for what was started before, so that what is dirty stays
 * bounded, and the time left is a stick's and not that of memory. Advice: its failure is none. */
static void
write_back(SatchelPackedOutput *self)
{
	guint64 begin = self->written_back_bytes;

	if (self->part_bytes - begin < WRITE_BACK_BYTES)
		return;
	(void)sync_file_range(self->fd, (off_t)begin, (off_t)(self->part_bytes - begin),
			      SYNC_FILE_RANGE_WRITE);
	if (begin > 0)
		(void)sync_file_range(self->fd, 0, (off_t)begin, SYNC_FILE_RANGE_WAIT_BEFORE);
	self->written_back_bytes = self->part_bytes;
}

static gboolean
append_to_part(SatchelPackedOutput *self, const guint8 *data, gsize n_bytes, GError **error)
{
	if (self->digest != NULL)
		satchel_digest_update(self->digest, data, n_bytes);
	if (n_bytes >= HOLE_BYTES && is_zero(data, n_bytes))
		self->part_bytes += n_bytes;
	else if (!write_bytes(self, data, n_bytes, error))
		return FALSE;
	write_back(self);
	return TRUE;
}

gboolean
satchel_packed_output_append(SatchelPackedOutput *self, gconstpointer data, gsize n_bytes,
			     GError **error)
{
	const guint8 *bytes = data;

	while (n_bytes > 0) {
		gsize n_now;

		if (self->fd >= 0 && self->part_bytes == self->options.split_bytes &&
		    !close_part(self, error))
			return FALSE;
		if (self->fd < 0 && !open_part(self, error))
			return FALSE;
		n_now = (gsize)MIN(n_bytes, self->options.split_bytes - self->part_bytes);
		if (!append_to_part(self, bytes, n_now, error))
			return FALSE;
		bytes += n_now;
		n_bytes -= n_now;
		self->size_bytes += n_now;
	}
	return TRUE;
}

/* ---- finishing ---- */

gboolean
satchel_packed_output_finish(SatchelPackedOutput *self, SatchelProgress *progress, GError **error)
{
	if (self->fd >= 0 && !close_part(self, error))
		return FALSE;
	for (guint i = 0; i < self->sha256->len; i++) {
		g_autofree char *name = work_name_of(i);
		g_autofree char *shown = final_name_of(self, i);

		if (!satchel_read_back(folder_fd(self), name, shown, self->sha256->pdata[i],
				       progress, error))
			return FALSE;
	}
	return TRUE;
}

/* ---- names ---- */

/* Not over what has come meanwhile. A file system that cannot promise that is asked before. */
static gboolean
rename_part(SatchelPackedOutput *self, guint part, gboolean replace, GError **error)
{
	g_autofree char *from = work_name_of(part);
	g_autofree char *to = final_name_of(self, part);

	if (!replace) {
		if (renameat2(folder_fd(self), from, self->parent_fd, to, RENAME_NOREPLACE) == 0)
			return TRUE;
		if (errno != EINVAL && errno != ENOSYS)
			return satchel_file_error_set(error, errno, self->path,
						      "put it in its place");
		if (!check_place(self, error) ||
		    !check_no_stray(self, MIN(part, self->n_parts - 1), error))
			return FALSE;
	}
	return renameat(folder_fd(self), from, self->parent_fd, to) == 0 ||
	       satchel_file_error_set(error, errno, self->path, "put it in its place");
}

static gboolean
remove_name(SatchelPackedOutput *self, const char *name, GError **error)
{
	return unlinkat(self->parent_fd, name, 0) == 0 || errno == ENOENT ||
	       satchel_file_error_set(error, errno, self->path, "remove what it replaces");
}

/* Parts that somebody who removed only the first of a larger set left behind. */
static gboolean
remove_parts_from(SatchelPackedOutput *self, guint first, GError **error)
{
	for (guint i = first; i < SATCHEL_LIMIT_PACKED_PARTS; i++) {
		g_autofree char *name = satchel_split_set_part(self->name, i);

		if (!exists(self->parent_fd, name))
			return TRUE;
		if (!remove_name(self, name, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean
sync_parent(const SatchelPackedOutput *self, GError **error)
{
	return fsync(self->parent_fd) == 0 ||
	       satchel_file_error_set(error, errno, self->path, "bring it to the disk");
}

/* Parts 1 and up are nothing as long as part 0 is not there. @n_placed: of them, the last ones */
static gboolean
place_later_parts(SatchelPackedOutput *self, guint *n_placed, GError **error)
{
	for (guint i = self->n_parts - 1; i > 0; i--) {
		if (!rename_part(self, i, may_replace_parts(self), error))
			return FALSE;
		(*n_placed)++;
	}
	/* A power cut must not keep the first and lose another, nor keep none of old and new. */
	return remove_parts_from(self, self->n_parts, error) && sync_parent(self, error) &&
	       rename_part(self, 0, FALSE, error);
}

static void
take_back_parts(const SatchelPackedOutput *self, guint n_placed)
{
	for (guint i = self->n_parts - n_placed; i < self->n_parts; i++) {
		g_autofree char *name = satchel_split_set_part(self->name, i);

		(void)unlinkat(self->parent_fd, name, 0);
	}
}

/* One file in the place of which they come goes when they are whole. */
static gboolean
place_several(SatchelPackedOutput *self, GError **error)
{
	guint n_placed = 0;

	if (!check_no_stray(self, self->n_parts, error))
		return FALSE;
	if (!place_later_parts(self, &n_placed, error)) {
		take_back_parts(self, n_placed);
		return FALSE;
	}
	return !self->options.replace ||
	       (sync_parent(self, error) && remove_name(self, self->name, error));
}

gboolean
satchel_packed_output_commit(SatchelPackedOutput *self, GError **error)
{
	g_return_val_if_fail(self->n_parts > 0, FALSE);

	if (!(self->n_parts == 1 ? rename_part(self, 0, self->options.replace, error)
				 : place_several(self, error)))
		return FALSE;
	return sync_parent(self, error);
}

guint
satchel_packed_output_get_n_parts(const SatchelPackedOutput *self)
{
	return self->n_parts;
}

guint64
satchel_packed_output_get_size_bytes(const SatchelPackedOutput *self)
{
	return self->size_bytes;
}

void
satchel_packed_output_free(SatchelPackedOutput *self)
{
	if (self->fd >= 0)
		close(self->fd);
	g_clear_pointer(&self->digest, satchel_digest_free);
	g_clear_pointer(&self->folder, satchel_work_folder_free);
	if (self->parent_fd >= 0)
		close(self->parent_fd);
	g_ptr_array_unref(self->sha256);
	g_free(self->path);
	g_free(self->name);
	g_free(self);
}
