#include "boot_settle.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOADER "loader"
#define LOADER_PIN ".loader.pin"

static gboolean
settle_fail(GError **error, const char *what)
{
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED, "/boot: %s: %s", what,
		    g_strerror(errno));
	return FALSE;
}

gboolean
satchel_boot_settle_pin(int boot_fd, GError **error)
{
	if (unlinkat(boot_fd, LOADER_PIN, 0) != 0 && errno != ENOENT)
		return settle_fail(error, LOADER_PIN);
	if (linkat(boot_fd, LOADER, boot_fd, LOADER_PIN, 0) == 0)
		return TRUE;
	/* No loader link yet, or vfat, where the loader is no link at all. */
	if (errno == ENOENT || errno == EPERM || errno == EOPNOTSUPP)
		return TRUE;
	return settle_fail(error, LOADER_PIN);
}

/* The child: waits until the pipe's other end says "thawed" or is gone. Only functions that are
 * safe after a fork. */
G_NORETURN static void
stand_by(const SatchelFreezeCalls *calls, int boot_fd, int pipe_fd)
{
	char byte = 0;
	ssize_t n = 0;

	(void)setsid();
	do {
		n = read(pipe_fd, &byte, 1);
	} while (n < 0 && errno == EINTR);
	if (n != 1)
		(void)calls->thaw(boot_fd);
	/* No way out through main(): nothing of the parent's may run here a second time. */
	for (;;)
		(void)kill(getpid(), SIGKILL);
}

/* Starts the child with all signals blocked; it keeps them so. Returns the pipe's end, or -1. */
static int
start_stand_by(const SatchelFreezeCalls *calls, int boot_fd, pid_t *child)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	*child = fork();
	if (*child < 0) {
		close(ends[0]);
		close(ends[1]);
		return -1;
	}
	if (*child == 0) {
		close(ends[1]);
		stand_by(calls, boot_fd, ends[0]);
	}
	close(ends[0]);
	return ends[1];
}

/* *@frozen: it still is. A file system that cannot freeze was synced, and that is all there is. */
static gboolean
freeze_and_thaw(const SatchelFreezeCalls *calls, int boot_fd, gboolean *frozen, GError **error)
{
	if (calls->freeze(boot_fd) != 0)
		return errno == EOPNOTSUPP || errno == ENOTTY || errno == ENOSYS ||
		       settle_fail(error, "cannot be frozen");
	*frozen = calls->thaw(boot_fd) != 0;
	return !*frozen || settle_fail(error, "cannot be thawed");
}

static gboolean
settle_guarded(const SatchelFreezeCalls *calls, int boot_fd, GError **error)
{
	pid_t child = 0;
	gboolean frozen = FALSE;
	gboolean good = FALSE;
	int pipe_fd = start_stand_by(calls, boot_fd, &child);

	if (pipe_fd < 0)
		return settle_fail(error, "no process to stand by");
	good = freeze_and_thaw(calls, boot_fd, &frozen, error);
	/* Without this byte the child thaws, as it must where thawing here has failed; where
	 * freezing has, it must not: somebody else's freeze may be the reason. */
	if (!frozen && write(pipe_fd, "", 1) != 1 && good)
		good = settle_fail(error, "the process that stands by is gone");
	close(pipe_fd);
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	return good;
}

gboolean
satchel_boot_settle_with(const SatchelFreezeCalls *calls, int boot_fd, gboolean freeze,
			 GError **error)
{
	sigset_t all;
	sigset_t before;
	gboolean good = FALSE;

	if (calls->sync(boot_fd) != 0)
		return settle_fail(error, "cannot be synced");
	if (!freeze)
		return TRUE;
	sigfillset(&all);
	if (pthread_sigmask(SIG_BLOCK, &all, &before) != 0)
		return settle_fail(error, "signals cannot be blocked");
	good = settle_guarded(calls, boot_fd, error);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return good;
}

static int
call_freeze(int fd)
{
	return ioctl(fd, FIFREEZE, 0);
}

static int
call_thaw(int fd)
{
	return ioctl(fd, FITHAW, 0);
}

gboolean
satchel_boot_settle(int boot_fd, gboolean freeze, GError **error)
{
	static const SatchelFreezeCalls calls = {syncfs, call_freeze, call_thaw};

	return satchel_boot_settle_with(&calls, boot_fd, freeze, error);
}
