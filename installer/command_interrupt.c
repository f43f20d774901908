#include "command_interrupt.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static GCancellable *interrupted;
/* A handler may write to a pipe, and not much else. */
static int pipe_fds[2] = {-1, -1};

static void
on_signal(int number)
{
	int saved = errno;

	(void)number;
	/* Full or not, there is something in it then. */
	if (write(pipe_fds[1], "", 1) < 0)
		errno = saved;
	errno = saved;
}

static gpointer
cancel_on_signal(gpointer user_data)
{
	char byte = 0;
	ssize_t n = 0;

	(void)user_data;
	do {
		n = read(pipe_fds[0], &byte, 1);
	} while (n < 0 && errno == EINTR);
	if (n == 1)
		g_cancellable_cancel(interrupted);
	return NULL;
}

GCancellable *
satchel_command_interrupt_watch(void)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
	GThread *thread = NULL;

	if (interrupted != NULL)
		return interrupted;
	interrupted = g_cancellable_new();
	/* Without a pipe or a thread a signal ends the process, which is safe, too. */
	if (pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) != 0)
		return interrupted;
	(void)fcntl(pipe_fds[0], F_SETFL, 0);
	thread = g_thread_try_new("signals", cancel_on_signal, NULL, NULL);
	if (thread == NULL)
		return interrupted;
	g_thread_unref(thread);
	(void)sigemptyset(&action.sa_mask);
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	(void)sigaction(SIGHUP, &action, NULL);
	return interrupted;
}
