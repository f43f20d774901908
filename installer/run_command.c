#include "run_command.h"
#include "../verify/cancel.h"
#include "../verify/path_safety.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUT, ERR, PROCESS, CANCELLED, N_WATCHED };

/* Compose programs end with a line that says as much as that something failed. */
#define EXPLAIN_LINES 4u

/* A program that runs. */
typedef struct {
	const char *name;
	GPid pid; /* of the process and of its group; 0: there is none that was not waited for */
	struct pollfd watched[N_WATCHED];
	GString *texts[PROCESS];
	gboolean cut;
	GCancellable *cancellable; /* (nullable) */
} Running;

static gboolean
command_fail(const char *name, const char *what, GError **error)
{
	g_autofree char *quoted = satchel_path_quote(name);

	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED, "%s: %s", quoted, what);
	return FALSE;
}

/* With all that it started. It is not waited for yet, so its id is nobody else's. */
static void
kill_group(Running *run)
{
	if (run->pid == 0)
		return;
	(void)kill(-run->pid, SIGKILL);
	while (waitpid(run->pid, NULL, 0) < 0 && errno == EINTR)
		;
	run->pid = 0;
}

static void
running_clear(Running *run)
{
	kill_group(run);
	for (guint i = 0; i <= PROCESS; i++) {
		if (run->watched[i].fd >= 0)
			close(run->watched[i].fd);
	}
	if (run->watched[CANCELLED].fd >= 0)
		g_cancellable_release_fd(run->cancellable);
	for (guint i = 0; i < PROCESS; i++)
		g_string_free(run->texts[i], TRUE);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Running, running_clear)

/* In the child, before the program: only functions that are safe after a fork. */
static void
become_independent(gpointer data)
{
	struct sigaction by_default = {.sa_handler = SIG_DFL};
	sigset_t none;

	(void)setsid();
	for (int number = 1; number < NSIG; number++)
		(void)sigaction(number, &by_default, NULL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* GLib asks for strings that it might change. (transfer full) */
static GStrv
copy_strings(const char *const *strings)
{
	g_autoptr(GStrvBuilder) copy = g_strv_builder_new();

	if (strings == NULL)
		return NULL;
	for (gsize i = 0; strings[i] != NULL; i++)
		g_strv_builder_add(copy, strings[i]);
	return g_strv_builder_end(copy);
}

static gboolean
start(Running *run, const SatchelCommand *command, GError **error)
{
	const GSpawnFlags flags = G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_SEARCH_PATH;
	g_auto(GStrv) argv = copy_strings(command->argv);
	g_auto(GStrv) environment = copy_strings(command->environment);
	g_autoptr(GError) local_error = NULL;

	if (!g_spawn_async_with_pipes(NULL, argv, environment, flags, become_independent, NULL,
				      &run->pid, NULL, &run->watched[OUT].fd, &run->watched[ERR].fd,
				      &local_error))
		return command_fail(run->name, local_error->message, error);
	run->watched[PROCESS].fd = pidfd_open(run->pid, 0);
	for (guint i = 0; i < PROCESS; i++) {
		if (fcntl(run->watched[i].fd, F_SETFL, O_NONBLOCK) != 0)
			return command_fail(run->name, g_strerror(errno), error);
	}
	if (run->watched[PROCESS].fd < 0)
		return command_fail(run->name, g_strerror(errno), error);
	return TRUE;
}

static void
keep(Running *run, guint stream, const char *bytes, gsize n_bytes)
{
	gsize room = SATCHEL_COMMAND_OUTPUT_BYTES - run->texts[stream]->len;

	if (n_bytes > room)
		run->cut = TRUE;
	g_string_append_len(run->texts[stream], bytes, (gssize)MIN(n_bytes, room));
}

/* Reads what is there, at most @limit reads of it, so that a chatterer cannot hold up the clock. */
static void
drain(Running *run, guint stream, guint limit)
{
	char bytes[4096];

	for (guint i = 0; i < limit && run->watched[stream].fd >= 0; i++) {
		ssize_t n = read(run->watched[stream].fd, bytes, sizeof bytes);

		if (n > 0) {
			keep(run, stream, bytes, (gsize)n);
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		close(run->watched[stream].fd);
		run->watched[stream].fd = -1;
	}
}

/* Until the process ends: not until its streams do, which somebody whom it started may hold open.
 */
static gboolean
wait_for_end(Running *run, guint limit_s, GError **error)
{
	const gint64 end_us = g_get_monotonic_time() + (gint64)limit_s * G_USEC_PER_SEC;
	g_autofree char *late = NULL;

	for (;;) {
		gint64 left_ms = (end_us - g_get_monotonic_time() + 999) / 1000;

		if (left_ms <= 0)
			break;
		if (poll(run->watched, N_WATCHED, (int)MIN(left_ms, G_MAXINT)) < 0 &&
		    errno != EINTR)
			return command_fail(run->name, g_strerror(errno), error);
		if (!satchel_cancel_check(run->cancellable, error))
			return FALSE;
		drain(run, OUT, 16);
		drain(run, ERR, 16);
		if (run->watched[PROCESS].revents != 0)
			return TRUE;
	}
	late = g_strdup_printf("took more than %u s and was killed", limit_s);
	return command_fail(run->name, late, error);
}

static gboolean
collect(Running *run, SatchelCommandResult *result, GError **error)
{
	g_autofree char *killed = NULL;
	int status = 0;
	pid_t waited = -1;

	do {
		waited = waitpid(run->pid, &status, 0);
	} while (waited < 0 && errno == EINTR);
	run->pid = 0;
	/* Who started us with SIGCHLD ignored has its status thrown away: that is no success. */
	if (waited < 0)
		return command_fail(run->name, "how it ended cannot be known", error);
	if (!WIFEXITED(status)) {
		killed = g_strdup_printf("ended by signal %d", WTERMSIG(status));
		return command_fail(run->name, killed, error);
	}
	/* All that it wrote itself is in the pipes by now: no more than they hold. */
	for (guint i = 0; i < PROCESS; i++)
		drain(run, i, SATCHEL_COMMAND_OUTPUT_BYTES / 4096 + 1);
	result->exit_status = WEXITSTATUS(status);
	result->output = g_strdup(run->texts[OUT]->str);
	result->messages = g_strdup(run->texts[ERR]->str);
	result->cut = run->cut;
	return TRUE;
}

gboolean
satchel_run_command(const SatchelCommand *command, SatchelCommandResult *result, GError **error)
{
	g_auto(Running) run = {.name = command->argv[0], .cancellable = command->cancellable};

	g_return_val_if_fail(command->limit_s > 0, FALSE);

	for (guint i = 0; i < N_WATCHED; i++)
		run.watched[i] = (struct pollfd){.fd = -1, .events = POLLIN};
	run.watched[CANCELLED].fd = g_cancellable_get_fd(run.cancellable);
	for (guint i = 0; i < PROCESS; i++)
		run.texts[i] = g_string_new(NULL);
	return satchel_cancel_check(run.cancellable, error) && start(&run, command, error) &&
	       wait_for_end(&run, command->limit_s, error) && collect(&run, result, error);
}

/* The last lines of @text that are not blank, in one. (transfer full) */
static char *
get_last_lines(const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	char *last[EXPLAIN_LINES + 1] = {NULL};
	char *joined = NULL;
	guint first = EXPLAIN_LINES;

	for (guint i = g_strv_length(lines); i > 0 && first > 0; i--) {
		if (*g_strstrip(lines[i - 1]) != '\0')
			last[--first] = satchel_path_quote(lines[i - 1]);
	}
	joined = g_strjoinv("; ", last + first);
	for (guint i = first; i < EXPLAIN_LINES; i++)
		g_free(last[i]);
	return joined;
}

char *
satchel_command_result_explain(const SatchelCommandResult *result, const char *name)
{
	g_autofree char *quoted = satchel_path_quote(name);
	g_autofree char *said = get_last_lines(result->messages);

	return g_strdup_printf("%s: exit status %d%s%s", quoted, result->exit_status,
			       *said == '\0' ? "" : ": ", said);
}

void
satchel_command_result_clear(SatchelCommandResult *result)
{
	g_clear_pointer(&result->output, g_free);
	g_clear_pointer(&result->messages, g_free);
}
