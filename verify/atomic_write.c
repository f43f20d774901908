#include "atomic_write.h"
#include "path_safety.h"
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

/* A temp file that is removed unless it has been renamed. */
typedef struct {
	int dir_fd;
	int fd;
	char name[64]; /* empty once there is nothing to remove */
} TempFile;

static void
temp_file_clear(TempFile *self)
{
	if (self->fd >= 0)
		close(self->fd);
	if (*self->name != '\0')
		unlinkat(self->dir_fd, self->name, 0);
	self->fd = -1;
	*self->name = '\0';
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(TempFile, temp_file_clear)

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

/* Makes the temp file, locked, so that satchel_atomic_write_sweep() of another process can tell it
 * from one that a power cut left. Gone again means that a sweep came before the lock. */
static gboolean
temp_file_try(TempFile *self)
{
	struct stat info;

	/* Hidden, unpredictable, and no role's: nobody who lists `*.json` sees it. */
	g_snprintf(self->name, sizeof(self->name), TEMP_PREFIX "%08x%08x" TEMP_SUFFIX,
		   g_random_int(), g_random_int());
	self->fd = openat(self->dir_fd, self->name,
			  O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (self->fd < 0) {
		*self->name = '\0'; /* another's file must not be removed */
		return FALSE;
	}
	/* A file system without locks has no sweeps either. */
	if (flock(self->fd, LOCK_EX) != 0)
		return TRUE;
	if (fstat(self->fd, &info) == 0 && info.st_nlink > 0)
		return TRUE;
	temp_file_clear(self);
	errno = EEXIST;
	return FALSE;
}

static gboolean
temp_file_create(TempFile *self, const char *name, GError **error)
{
	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		if (temp_file_try(self))
			return TRUE;
		if (errno != EEXIST)
			break;
	}
	return set_errno(error, name, "make a file beside it", errno);
}

static gboolean
write_all(int fd, GBytes *content)
{
	gsize left = 0;
	const guint8 *data = g_bytes_get_data(content, &left);

	while (left > 0) {
		ssize_t done = TEMP_FAILURE_RETRY(write(fd, data, left));

		if (done < 0)
			return FALSE;
		data += done;
		left -= (gsize)done;
	}
	return TRUE;
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
satchel_atomic_write(int dir_fd, const char *name, GBytes *content, mode_t mode, GError **error)
{
	g_auto(TempFile) temp = {.dir_fd = dir_fd, .fd = -1};

	g_return_val_if_fail(name != NULL && content != NULL, FALSE);
	g_return_val_if_fail(*name != '\0' && strchr(name, '/') == NULL, FALSE);

	if (!temp_file_create(&temp, name, error))
		return FALSE;
	if (fchmod(temp.fd, mode) != 0)
		return set_errno(error, name, "set its mode", errno);
	if (!write_all(temp.fd, content))
		return set_errno(error, name, "write it", errno);
	if (fsync(temp.fd) != 0)
		return set_errno(error, name, "bring it to the disk", errno);
	if (renameat(dir_fd, temp.name, dir_fd, name) != 0)
		return set_errno(error, name, "put it in its place", errno);
	*temp.name = '\0';
	/* The new name lasts only when the folder has reached the disk, too. */
	if (fsync(dir_fd) != 0)
		return set_errno(error, name, "bring its folder to the disk", errno);
	return TRUE;
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
