#include "interrupt.h"
#include <signal.h>
#include <string.h>

static volatile sig_atomic_t caught;

static void
on_signal(int number)
{
	caught = number;
}

void
satchel_interrupt_watch(void)
{
	/* A second signal of the kind ends the process at once. */
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};

	(void)sigemptyset(&action.sa_mask);
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	(void)sigaction(SIGHUP, &action, NULL);
}

gboolean
satchel_interrupt_check(GError **error)
{
	if (caught == 0)
		return TRUE;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED, "stopped by a signal (%s)",
		    strsignal(caught));
	return FALSE;
}
