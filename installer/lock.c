#include "lock.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define LOCK_NAME "lock"

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

void
satchel_lock_release(SatchelLock *self)
{
	/* Closing unlocks. */
	close(self->fd);
	g_free(self);
}
