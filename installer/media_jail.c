#include "media_jail.h"
#include "../verify/write_all.h"
#include "media_filter.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Who has no rights anywhere, also where no user of that name is known. */
#define NOBODY 65534u

/* The first byte that comes out: TRUE is "shut in, and begins". */
#define SHUT_IN '+'

enum { NULL_FD = 2, PIPE_FD = 3, ROOT_FD = 4, N_FDS = 5 };

static void
look_up_user(const char *name, uid_t *uid, gid_t *gid)
{
	const struct passwd *entry = getpwnam(name);

	*uid = entry != NULL && entry->pw_uid != 0 ? entry->pw_uid : NOBODY;
	*gid = entry != NULL && entry->pw_gid != 0 ? entry->pw_gid : NOBODY;
}

/* Only the three that the work needs, at numbers that collide with none of them. */
static gboolean
keep_descriptors(int root_fd, int pipe_fd)
{
	int root = fcntl(root_fd, F_DUPFD, N_FDS);
	int output = fcntl(pipe_fd, F_DUPFD, N_FDS);
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	gboolean good = root >= 0 && output >= 0 && nothing >= 0;

	for (int fd = 0; fd <= NULL_FD && good; fd++)
		good = dup2(nothing, fd) >= 0;
	good = good && dup2(output, PIPE_FD) >= 0 && dup2(root, ROOT_FD) >= 0;
	return good && close_range(N_FDS, ~0U, 0) == 0;
}

static gboolean
set_limit(int resource, rlim_t value)
{
	struct rlimit limit = {value, value};

	return setrlimit((__rlimit_resource_t)resource, &limit) == 0;
}

/* Another root folder for root only; another user, too: nobody else may ask for these. */
static gboolean
leave_privileges(uid_t uid, gid_t gid)
{
	if (fchdir(ROOT_FD) != 0)
		return FALSE;
	if (geteuid() == 0 && (chroot(".") != 0 || chdir("/") != 0 || setgroups(0, NULL) != 0 ||
			       setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0))
		return FALSE;
	/* A file of no bytes can be grown by nobody; a dump would hold what was read. */
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_DUMPABLE, 0) == 0 &&
	       set_limit(RLIMIT_CORE, 0) && set_limit(RLIMIT_FSIZE, 0) &&
	       satchel_media_filter_apply(PIPE_FD);
}

/* Signals as at the start of a program: the caller's handlers mean the caller. */
static void
reset_signals(void)
{
	struct sigaction by_default = {.sa_handler = SIG_DFL};

	for (int number = 1; number < NSIG; number++)
		(void)sigaction(number, &by_default, NULL);
}

static void G_GNUC_NORETURN
be_child(const SatchelMediaJail *jail, uid_t uid, gid_t gid, int pipe_fd, SatchelMediaWork work,
	 gpointer user_data)
{
	const char shut_in = SHUT_IN;
	char *result = NULL;

	/* Should the caller die, nobody waits for an answer. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	reset_signals();
	if (!keep_descriptors(jail->root_fd, pipe_fd) || !leave_privileges(uid, gid) ||
	    !satchel_write_all(PIPE_FD, &shut_in, 1))
		_exit(0);
	result = work(user_data);
	if (result != NULL)
		(void)!satchel_write_all(PIPE_FD, result,
					 MIN(strlen(result), SATCHEL_MEDIA_JAIL_BYTES));
	/* Nothing of the caller's is to be cleaned up from here. */
	_exit(0);
}

/* Until the child closes its end, by @end_us at the latest: FALSE then. */
static gboolean
read_all(int fd, gint64 end_us, GString *text)
{
	char bytes[4096];

	for (;;) {
		struct pollfd watched = {.fd = fd, .events = POLLIN};
		gint64 left_ms = (end_us - g_get_monotonic_time() + 999) / 1000;
		ssize_t n;

		if (left_ms <= 0)
			return FALSE;
		if (poll(&watched, 1, (int)MIN(left_ms, G_MAXINT)) <= 0)
			continue;
		n = read(fd, bytes, sizeof bytes);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0;
		/* The child bounds itself; one that was taken over does not. */
		if (text->len + (gsize)n > SATCHEL_MEDIA_JAIL_BYTES + 1)
			return FALSE;
		g_string_append_len(text, bytes, n);
	}
}

static int
wait_for(pid_t child)
{
	int status = 0;

	while (waitpid(child, &status, 0) < 0) {
		/* Whose SIGCHLD is ignored learns nothing of the end; what was said counts. */
		if (errno != EINTR)
			return 0;
	}
	return status;
}

static char *
fail_unreadable(const char *why, int number, GError **error)
{
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
		    "the stick is unreadable: its reader %s%.0d", why, number);
	return NULL;
}

/* @text: all that came. */
static char *
judge_end(const SatchelMediaJail *jail, const GString *text, gboolean in_time, int status,
	  GError **error)
{
	if (!in_time) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
			    "the stick is unreadable: its reader said too much, or nothing for "
			    "%u s",
			    jail->limit_s);
		return NULL;
	}
	if (WIFSIGNALED(status))
		return fail_unreadable("crashed by signal ", WTERMSIG(status), error);
	if (text->len == 0) {
		g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
				    "the reader of sticks cannot be shut in on this system, so no "
				    "stick is read");
		return NULL;
	}
	if (text->len < 2 || strlen(text->str) != text->len)
		return fail_unreadable("gave no answer", 0, error);
	return g_strdup(text->str + 1);
}

char *
satchel_media_jail_run(const SatchelMediaJail *jail, SatchelMediaWork work, gpointer user_data,
		       GError **error)
{
	g_autoptr(GString) text = g_string_new(NULL);
	gint64 end_us = g_get_monotonic_time() + (gint64)jail->limit_s * G_USEC_PER_SEC;
	int fds[2];
	uid_t uid;
	gid_t gid;
	pid_t child;
	gboolean in_time;

	look_up_user(jail->user, &uid, &gid);
	if (pipe2(fds, O_CLOEXEC) != 0) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED, "reader of sticks: %s",
			    g_strerror(errno));
		return NULL;
	}
	child = fork();
	if (child == 0)
		be_child(jail, uid, gid, fds[1], work, user_data);
	close(fds[1]);
	if (child < 0) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED, "reader of sticks: %s",
			    g_strerror(errno));
		close(fds[0]);
		return NULL;
	}
	in_time = read_all(fds[0], end_us, text);
	close(fds[0]);
	if (!in_time)
		(void)kill(child, SIGKILL);
	return judge_end(jail, text, in_time, wait_for(child), error);
}
