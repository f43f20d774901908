#include "lock.h"
#include "../verify/path_safety.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_NAME "lock"
/* How often the file may go away under our hands. */
#define FOREIGN_TRIES 10u

struct SatchelLock {
	int fd;
};

/* Who holds it, by what it wrote; 0 where it has not written yet. */
static guint64
read_holder(int fd)
{
	char text[24] = {0};
	ssize_t n = pread(fd, text, sizeof text - 1, 0);

	return n > 0 ? g_ascii_strtoull(text, NULL, 10) : 0;
}

static void
set_busy(int fd, GError **error)
{
	guint64 pid = read_holder(fd);

	if (pid == 0)
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_BUSY,
			    "another updater is running; try again when it is done");
	else
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_BUSY,
			    "another updater is running (pid %" G_GUINT64_FORMAT
			    "); try again when it is done",
			    pid);
}

/* For the message of the one who comes second; the lock itself does not depend on it. */
static void
write_holder(int fd)
{
	char text[24];
	int n = g_snprintf(text, sizeof text, "%ld\n", (long)getpid());

	if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)n, 0) != n)
		return;
}

SatchelLock *
satchel_lock_take(int dir_fd, GError **error)
{
	SatchelLock *self = NULL;
	int fd = openat(dir_fd, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED, "lock file: %s",
			    g_strerror(errno));
		return NULL;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EWOULDBLOCK)
			set_busy(fd, error);
		else
			g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED, "lock file: %s",
				    g_strerror(errno));
		close(fd);
		return NULL;
	}
	write_holder(fd);
	self = g_new0(SatchelLock, 1);
	self->fd = fd;
	return self;
}

static gboolean
foreign_fail(GError **error, SatchelError code, const char *path, const char *reason)
{
	g_autofree char *quoted = satchel_path_quote(path);

	if (code == SATCHEL_ERROR_BUSY)
		g_set_error(error, SATCHEL_ERROR, code,
			    "another updater is running (it holds %s); try again when it is done",
			    quoted);
	else
		g_set_error(error, SATCHEL_ERROR, code, "lock file %s: %s", quoted, reason);
	return FALSE;
}

/* Not with O_CREAT alone: in a folder that everybody may write to, the kernel refuses that for a
 * file of another user. */
static int
open_foreign(const char *path)
{
	const int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	int fd = open(path, flags);

	if (fd < 0 && errno == ENOENT)
		fd = open(path, flags | O_CREAT | O_EXCL, 0600);
	return fd;
}

/* FALSE where @path is another file by now, or none. */
static gboolean
still_has_name(int fd, const char *path)
{
	struct stat held;
	struct stat named;

	return fstat(fd, &held) == 0 && lstat(path, &named) == 0 && held.st_dev == named.st_dev &&
	       held.st_ino == named.st_ino;
}

gboolean
satchel_lock_take_foreign(const char *path, SatchelLock **lock, GError **error)
{
	*lock = NULL;
	for (guint i = 0; i < FOREIGN_TRIES; i++) {
		int fd = open_foreign(path);
		int problem = errno;

		if (fd < 0 && problem == ENOENT)
			return TRUE;
		/* Two that make the file at once. */
		if (fd < 0 && problem == EEXIST)
			continue;
		if (fd < 0)
			return foreign_fail(error, SATCHEL_ERROR_FAILED, path, g_strerror(problem));
		if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
			problem = errno;
			close(fd);
			return foreign_fail(error,
					    problem == EWOULDBLOCK ? SATCHEL_ERROR_BUSY
								   : SATCHEL_ERROR_FAILED,
					    path, g_strerror(problem));
		}
		if (still_has_name(fd, path)) {
			*lock = g_new0(SatchelLock, 1);
			(*lock)->fd = fd;
			return TRUE;
		}
		close(fd);
	}
	return foreign_fail(error, SATCHEL_ERROR_BUSY, path, NULL);
}

void
satchel_lock_release(SatchelLock *self)
{
	/* Closing unlocks. */
	close(self->fd);
	g_free(self);
}
