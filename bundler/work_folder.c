#include "work_folder.h"
#include "file_error.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define WORK_SUFFIX ".satchel-work"
#define OLD_SUFFIX ".satchel-old"

struct SatchelWorkFolder {
	int parent_fd;
	int fd;		  /* locked */
	char *final_path; /* as the user wrote it, for messages */
	char *final_name;
	char *work_name;
	char *old_name;
	char *work_path;
	gboolean committed;
	gboolean had_leftover;
};

/* Also of half-written trees; symbolic links are removed, never followed. */
static gboolean
remove_tree(int parent_fd, const char *name, guint depth)
{
	int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir;
	struct dirent *entry;

	if (fd < 0)
		return unlinkat(parent_fd, name, 0) == 0 || errno == ENOENT;
	dir = depth > 0 ? fdopendir(fd) : NULL;
	if (dir == NULL) {
		close(fd);
		return FALSE;
	}
	while ((entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(dirfd(dir), entry->d_name, 0) != 0)
			(void)remove_tree(dirfd(dir), entry->d_name, depth - 1);
	}
	closedir(dir);
	return unlinkat(parent_fd, name, AT_REMOVEDIR) == 0;
}

static gboolean
remove_leftover(int parent_fd, const char *name)
{
	return remove_tree(parent_fd, name, 64);
}

/* Opens and locks the work folder, which must still be the one under its name afterwards: another
 * process may have renamed or removed it while we waited for the lock. */
static gboolean
lock_folder(SatchelWorkFolder *self, GError **error)
{
	struct stat opened;
	struct stat named;

	self->fd = openat(self->parent_fd, self->work_name,
			  O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (self->fd < 0)
		return satchel_file_error_set(error, errno, self->work_path, "open");
	if (flock(self->fd, LOCK_EX | LOCK_NB) != 0 || fstat(self->fd, &opened) != 0 ||
	    fstatat(self->parent_fd, self->work_name, &named, AT_SYMLINK_NOFOLLOW) != 0 ||
	    opened.st_ino != named.st_ino || opened.st_dev != named.st_dev) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_BUSY,
			    "%s: another satchel-bundler is writing it", self->final_path);
		close(self->fd);
		self->fd = -1;
		return FALSE;
	}
	return TRUE;
}

static gboolean
make_folder(SatchelWorkFolder *self, GError **error)
{
	if (mkdirat(self->parent_fd, self->work_name, 0755) == 0)
		return lock_folder(self, error);
	if (errno != EEXIST)
		return satchel_file_error_set(error, errno, self->work_path, "make this folder");

	/* Nobody holds its lock: its maker was killed. */
	if (!lock_folder(self, error))
		return FALSE;
	self->had_leftover = TRUE;
	if (!remove_leftover(self->parent_fd, self->work_name))
		return satchel_file_error_set(error, errno, self->work_path,
					      "remove this leftover");
	close(self->fd);
	self->fd = -1;
	if (mkdirat(self->parent_fd, self->work_name, 0755) != 0)
		return satchel_file_error_set(error, errno, self->work_path, "make this folder");
	return lock_folder(self, error);
}

/* A process that was killed while it replaced a folder in two steps leaves the old one under a name
 * of its own: it goes back where nothing has taken its place. */
static void
put_back_old(SatchelWorkFolder *self)
{
	struct stat found;

	if (fstatat(self->parent_fd, self->final_name, &found, AT_SYMLINK_NOFOLLOW) != 0 &&
	    errno == ENOENT &&
	    renameat(self->parent_fd, self->old_name, self->parent_fd, self->final_name) == 0)
		return;
	(void)remove_leftover(self->parent_fd, self->old_name);
}

SatchelWorkFolder *
satchel_work_folder_begin(const char *final_path, GError **error)
{
	g_autoptr(SatchelWorkFolder) self = g_new0(SatchelWorkFolder, 1);
	g_autofree char *absolute = g_canonicalize_filename(final_path, NULL);
	g_autofree char *parent = g_path_get_dirname(absolute);

	self->fd = -1;
	self->parent_fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	self->committed = TRUE; /* nothing to delete yet */
	if (self->parent_fd < 0) {
		satchel_file_error_set(error, errno, parent, "open this folder");
		return NULL;
	}
	self->final_path = g_strdup(final_path);
	self->final_name = g_path_get_basename(absolute);
	if (strcmp(self->final_name, "/") == 0) {
		g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE,
				    "the root of the file system cannot be written to");
		return NULL;
	}
	self->work_name = g_strdup_printf(".%s" WORK_SUFFIX, self->final_name);
	self->old_name = g_strdup_printf(".%s" OLD_SUFFIX, self->final_name);
	self->work_path = g_build_filename(parent, self->work_name, NULL);
	if (!make_folder(self, error))
		return NULL;
	self->committed = FALSE;
	put_back_old(self);
	return g_steal_pointer(&self);
}

int
satchel_work_folder_get_fd(const SatchelWorkFolder *self)
{
	return self->fd;
}

gboolean
satchel_work_folder_had_leftover(const SatchelWorkFolder *self)
{
	return self->had_leftover;
}

const char *
satchel_work_folder_get_path(const SatchelWorkFolder *self)
{
	return self->work_path;
}

gboolean
satchel_work_folder_is_free(const char *path, GError **error)
{
	g_autoptr(GDir) dir = NULL;
	struct stat found;

	if (lstat(path, &found) != 0) {
		if (errno == ENOENT)
			return TRUE;
		return satchel_file_error_set(error, errno, path, "look at it");
	}
	if (!S_ISDIR(found.st_mode)) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED, "%s: not a folder", path);
		return FALSE;
	}
	dir = g_dir_open(path, 0, NULL);
	if (dir == NULL)
		return satchel_file_error_set(error, errno, path, "read this folder");
	return g_dir_read_name(dir) == NULL;
}

/* Puts the old folder away and the new one in its place: in one step where the file system can swap
 * names, in two where it can't. */
static gboolean
rename_over(SatchelWorkFolder *self, GError **error)
{
	if (renameat2(self->parent_fd, self->work_name, self->parent_fd, self->final_name,
		      RENAME_EXCHANGE) == 0) {
		(void)renameat(self->parent_fd, self->work_name, self->parent_fd, self->old_name);
		return TRUE;
	}
	if (errno != EINVAL && errno != ENOSYS)
		return satchel_file_error_set(error, errno, self->final_path, "replace it");
	if (renameat(self->parent_fd, self->final_name, self->parent_fd, self->old_name) != 0)
		return satchel_file_error_set(error, errno, self->final_path, "move it away");
	if (renameat(self->parent_fd, self->work_name, self->parent_fd, self->final_name) != 0) {
		int system_error = errno;

		(void)renameat(self->parent_fd, self->old_name, self->parent_fd, self->final_name);
		return satchel_file_error_set(error, system_error, self->final_path, "replace it");
	}
	return TRUE;
}

gboolean
satchel_work_folder_commit(SatchelWorkFolder *self, gboolean replace, GError **error)
{
	/* One call for thousands of files; the rename must not reach the disk before them. */
	if (syncfs(self->fd) != 0)
		return satchel_file_error_set(error, errno, self->work_path,
					      "bring it to the disk");

	/* A plain rename replaces an empty folder and refuses any other. */
	if (renameat(self->parent_fd, self->work_name, self->parent_fd, self->final_name) != 0) {
		if (!replace || (errno != ENOTEMPTY && errno != EEXIST))
			return satchel_file_error_set(error, errno, self->final_path,
						      "put the new folder there");
		if (!rename_over(self, error))
			return FALSE;
	}
	self->committed = TRUE;
	if (fsync(self->parent_fd) != 0)
		return satchel_file_error_set(error, errno, self->final_path,
					      "bring it to the disk");
	(void)remove_leftover(self->parent_fd, self->old_name);
	return TRUE;
}

void
satchel_work_folder_free(SatchelWorkFolder *self)
{
	if (!self->committed)
		(void)remove_leftover(self->parent_fd, self->work_name);
	if (self->fd >= 0)
		close(self->fd);
	if (self->parent_fd >= 0)
		close(self->parent_fd);
	g_free(self->final_path);
	g_free(self->final_name);
	g_free(self->work_name);
	g_free(self->old_name);
	g_free(self->work_path);
	g_free(self);
}
