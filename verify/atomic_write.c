#include "atomic_write.h"
#include "path_safety.h"
#include "write_all.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* How often another random name is tried. */
#define ATTEMPTS 16

#define TEMP_PREFIX ".satchel-"
#define TEMP_SUFFIX ".tmp"

static gboolean
set_errno(GError **error, const char *name, const char *step, int errsv)
{
	g_autofree char *quoted = satchel_path_quote(name);

	g_set_error(error, SATCHEL_ERROR,
		    errsv == ENOSPC || errsv == EDQUOT ? SATCHEL_ERROR_NO_SPACE
						       : SATCHEL_ERROR_METADATA_FAILURE,
		    "%s: cannot %s: %s", quoted, step, g_strerror(errsv));
	return FALSE;
}

static void
temp_file_remove(SatchelAtomicWrite *self)
{
	if (self->fd >= 0)
		close(self->fd);
	if (*self->temp_name != '\0')
		unlinkat(self->dir_fd, self->temp_name, 0);
	self->fd = -1;
	*self->temp_name = '\0';
}

/* Makes the temp file, locked, so that satchel_atomic_write_sweep() of another process can tell it
 * from one that a power cut left. Gone again means that a sweep came before the lock. */
static gboolean
temp_file_try(SatchelAtomicWrite *self)
{
	struct stat info;

	/* Hidden, unpredictable, and no role's: nobody who lists `*.json` sees it. */
	g_snprintf(self->temp_name, sizeof(self->temp_name), TEMP_PREFIX "%08x%08x" TEMP_SUFFIX,
		   g_random_int(), g_random_int());
	self->fd = openat(self->dir_fd, self->temp_name,
			  O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (self->fd < 0) {
		*self->temp_name = '\0'; /* another's file must not be removed */
		return FALSE;
	}
	/* A file system without locks has no sweeps either. */
	if (flock(self->fd, LOCK_EX) != 0)
		return TRUE;
	if (fstat(self->fd, &info) == 0 && info.st_nlink > 0)
		return TRUE;
	temp_file_remove(self);
	errno = EEXIST;
	return FALSE;
}

/* TRUE for the temp file of a process that is no more. */
static gboolean
is_abandoned(int dir_fd, const char *name)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	gboolean abandoned = FALSE;

	if (fd < 0)
		return FALSE;
	abandoned = flock(fd, LOCK_EX | LOCK_NB) == 0;
	close(fd);
	return abandoned;
}

gboolean
satchel_atomic_write_begin(SatchelAtomicWrite *self, int dir_fd, const char *name, GError **error)
{
	g_return_val_if_fail(*name != '\0' && strchr(name, '/') == NULL, FALSE);

	self->dir_fd = dir_fd;
	self->target = g_strdup(name);
	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		if (temp_file_try(self))
			return TRUE;
		if (errno != EEXIST)
			break;
	}
	return set_errno(error, name, "make a file beside it", errno);
}

gboolean
satchel_atomic_write_append(SatchelAtomicWrite *self, gconstpointer data, gsize n_bytes,
			    GError **error)
{
	return satchel_write_all(self->fd, data, n_bytes) ||
	       set_errno(error, self->target, "write it", errno);
}

gboolean
satchel_atomic_write_finish(SatchelAtomicWrite *self, mode_t mode, GError **error)
{
	if (fchmod(self->fd, mode) != 0)
		return set_errno(error, self->target, "set its mode", errno);
	if (fsync(self->fd) != 0)
		return set_errno(error, self->target, "bring it to the disk", errno);
	if (renameat(self->dir_fd, self->temp_name, self->dir_fd, self->target) != 0)
		return set_errno(error, self->target, "put it in its place", errno);
	*self->temp_name = '\0';
	/* The new name lasts only when the folder has reached the disk, too. */
	if (fsync(self->dir_fd) != 0)
		return set_errno(error, self->target, "bring its folder to the disk", errno);
	return TRUE;
}

void
satchel_atomic_write_clear(SatchelAtomicWrite *self)
{
	temp_file_remove(self);
	g_clear_pointer(&self->target, g_free);
}

gboolean
satchel_atomic_write(int dir_fd, const char *name, GBytes *content, mode_t mode, GError **error)
{
	g_auto(SatchelAtomicWrite) file = SATCHEL_ATOMIC_WRITE_INIT;
	gsize n_bytes = 0;
	gconstpointer data = g_bytes_get_data(content, &n_bytes);

	return satchel_atomic_write_begin(&file, dir_fd, name, error) &&
	       satchel_atomic_write_append(&file, data, n_bytes, error) &&
	       satchel_atomic_write_finish(&file, mode, error);
}

void
satchel_atomic_write_sweep(int dir_fd)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;

	if (folder == NULL) {
		if (fd >= 0)
			close(fd);
		return;
	}
	for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
		if (g_str_has_prefix(entry->d_name, TEMP_PREFIX) &&
		    g_str_has_suffix(entry->d_name, TEMP_SUFFIX) &&
		    is_abandoned(dir_fd, entry->d_name))
			unlinkat(dir_fd, entry->d_name, 0);
	}
	closedir(folder);
}
