#include "media_jail.h"
#include "media_jail_fds.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What is still open of both ends, and what runs. */
typedef struct {
	int input;
	int output;
	int root;
	GPollFD cancel; /* fd -1: nobody cancels */
} Ends;

static void
close_if_open(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void
ends_clear(Ends *self)
{
	close_if_open(&self->input);
	close_if_open(&self->output);
	close_if_open(&self->root);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Ends, ends_clear)

/* At numbers that collide with none that the reader gets. */
static gboolean
open_ends(Ends *self, int root_fd)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) != 0)
		return FALSE;
	self->input = fds[0];
	self->output = fcntl(fds[1], F_DUPFD_CLOEXEC, SATCHEL_JAIL_N_FDS);
	close(fds[1]);
	self->root = fcntl(root_fd, F_DUPFD_CLOEXEC, SATCHEL_JAIL_N_FDS);
	return self->output >= 0 && self->root >= 0;
}

static int
set_up_files(posix_spawn_file_actions_t *files, const Ends *ends)
{
	int problem = posix_spawn_file_actions_addopen(files, 0, "/dev/null", O_RDWR, 0);

	for (int fd = 1; fd <= SATCHEL_JAIL_NULL_FD && problem == 0; fd++)
		problem = posix_spawn_file_actions_adddup2(files, 0, fd);
	if (problem == 0)
		problem =
			posix_spawn_file_actions_adddup2(files, ends->output, SATCHEL_JAIL_PIPE_FD);
	return problem != 0
		       ? problem
		       : posix_spawn_file_actions_adddup2(files, ends->root, SATCHEL_JAIL_ROOT_FD);
}

/* Signals as at the start of a program: the caller's handlers mean the caller. */
static int
set_up_signals(posix_spawnattr_t *attributes)
{
	sigset_t all;
	sigset_t none;

	(void)sigfillset(&all);
	(void)sigemptyset(&none);
	(void)posix_spawnattr_setsigdefault(attributes, &all);
	(void)posix_spawnattr_setsigmask(attributes, &none);
	return posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
}

/* Nothing of the caller's runs between the two programs. 0 or an errno. */
static int
start(const char *program, const char *const *arguments, const Ends *ends, pid_t *reader)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	int problem;

	g_ptr_array_add(argv, (gpointer)(guintptr) "satchel-installer");
	g_ptr_array_add(argv, (gpointer)(guintptr)SATCHEL_MEDIA_READER_WORD);
	for (guint i = 0; arguments[i] != NULL; i++)
		g_ptr_array_add(argv, (gpointer)(guintptr)arguments[i]);
	g_ptr_array_add(argv, NULL);
	(void)posix_spawn_file_actions_init(&files);
	(void)posix_spawnattr_init(&attributes);
	problem = set_up_files(&files, ends);
	if (problem == 0)
		problem = set_up_signals(&attributes);
	if (problem == 0)
		problem = posix_spawnp(reader, program, &files, &attributes, (char **)argv->pdata,
				       environ);
	(void)posix_spawnattr_destroy(&attributes);
	(void)posix_spawn_file_actions_destroy(&files);
	return problem;
}

typedef enum { READ_ALL, READ_TOO_LATE, READ_TOO_MUCH, READ_CANCELLED } ReadEnd;

/* Until the reader closes its end. */
static ReadEnd
read_all(const Ends *ends, const SatchelMediaJail *jail, GString *text)
{
	char bytes[4096];

	for (;;) {
		struct pollfd watched[] = {{.fd = ends->input, .events = POLLIN},
					   {.fd = ends->cancel.fd, .events = POLLIN}};
		gint64 left_ms = (jail->end_us - g_get_monotonic_time() + 999) / 1000;
		ssize_t n;

		if (g_cancellable_is_cancelled(jail->cancellable))
			return READ_CANCELLED;
		if (left_ms <= 0)
			return READ_TOO_LATE;
		if (poll(watched, 2, (int)MIN(left_ms, G_MAXINT)) <= 0 || watched[0].revents == 0)
			continue;
		n = read(ends->input, bytes, sizeof bytes);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 ? READ_ALL : READ_TOO_MUCH;
		/* The reader bounds itself; one that was taken over does not. */
		if (text->len + (gsize)n > SATCHEL_MEDIA_JAIL_BYTES + 1)
			return READ_TOO_MUCH;
		g_string_append_len(text, bytes, n);
	}
}

static int
wait_for(pid_t reader)
{
	int status = 0;

	while (waitpid(reader, &status, 0) < 0) {
		/* Whose SIGCHLD is ignored learns nothing of the end; what was said counts. */
		if (errno != EINTR)
			return 0;
	}
	return status;
}

static char *
fail_unreadable(const char *why, GError **error)
{
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
		    "the stick is unreadable: its reader %s", why);
	return NULL;
}

/* @text: all that came. */
static char *
judge_end(ReadEnd end, const GString *text, int status, GError **error)
{
	if (end == READ_CANCELLED) {
		g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_CANCELLED, "interrupted");
		return NULL;
	}
	if (end == READ_TOO_LATE)
		return fail_unreadable("took too long", error);
	if (end == READ_TOO_MUCH)
		return fail_unreadable("said too much", error);
	if (WIFSIGNALED(status)) {
		g_autofree char *why = g_strdup_printf("crashed by signal %d", WTERMSIG(status));

		return fail_unreadable(why, error);
	}
	if (text->len == 0) {
		g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
				    "the reader of sticks cannot be shut in on this system, so no "
				    "stick is read");
		return NULL;
	}
	if (text->len < 2 || strlen(text->str) != text->len)
		return fail_unreadable("gave no answer", error);
	return g_strdup(text->str + 1);
}

static char *
fail_start(const char *program, int problem, GError **error)
{
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
		    "the reader of sticks cannot be started: %s: %s", program, g_strerror(problem));
	return NULL;
}

char *
satchel_media_jail_run(const SatchelMediaJail *jail, const char *const *arguments, GError **error)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_auto(Ends) ends = {-1, -1, -1, {.fd = -1}};
	pid_t reader = 0;
	int problem;
	ReadEnd end;

	if (!open_ends(&ends, jail->root_fd))
		return fail_start(jail->program, errno, error);
	problem = start(jail->program, arguments, &ends, &reader);
	if (problem != 0)
		return fail_start(jail->program, problem, error);
	close_if_open(&ends.output);
	if (!g_cancellable_make_pollfd(jail->cancellable, &ends.cancel))
		ends.cancel.fd = -1;
	end = read_all(&ends, jail, text);
	if (ends.cancel.fd >= 0)
		g_cancellable_release_fd(jail->cancellable);
	/* One that was taken over may have closed its end to sleep; one that has ended is past
	 * this. */
	(void)kill(reader, SIGKILL);
	return judge_end(end, text, wait_for(reader), error);
}
