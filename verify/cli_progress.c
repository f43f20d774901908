#include "cli_progress.h"
#include "cli.h"
#include "progress.h"
#include <unistd.h>

#define TERMINAL_INTERVAL_US (G_USEC_PER_SEC / 8)
#define PLAIN_INTERVAL_US (5 * G_USEC_PER_SEC)

/* The one piece of work that is shown. */
static struct {
	gint64 began_us;
	gint64 shown_us;
	gboolean on_terminal;
} shown;

static void
show_begun(void)
{
	shown.began_us = g_get_monotonic_time();
	shown.shown_us = shown.began_us;
	shown.on_terminal = isatty(STDERR_FILENO) == 1;
}

static void
show_running(const SatchelProgressReport *report)
{
	gint64 now_us = g_get_monotonic_time();
	g_autofree char *line = NULL;

	if (now_us - shown.shown_us <
	    (shown.on_terminal ? TERMINAL_INTERVAL_US : PLAIN_INTERVAL_US))
		return;
	shown.shown_us = now_us;
	line = satchel_progress_describe(report->what, report->done_bytes, report->total_bytes,
					 (double)(now_us - shown.began_us) / G_USEC_PER_SEC);
	if (shown.on_terminal)
		satchel_cli_show_status(line);
	else
		satchel_cli_note("%s", line);
}

static void
show_ended(const SatchelProgressReport *report)
{
	g_autofree char *done = satchel_progress_format_bytes(report->done_bytes);
	gint64 elapsed_us = g_get_monotonic_time() - shown.began_us;

	if (report->done_bytes > 0)
		satchel_cli_note("%s: %s in %.1f s", report->what, done,
				 (double)elapsed_us / G_USEC_PER_SEC);
	else
		satchel_cli_show_status(NULL);
}

static void
show(const SatchelProgressReport *report, gpointer user_data)
{
	(void)user_data;
	if (satchel_cli_is_quiet())
		return;
	switch (report->phase) {
	case SATCHEL_PROGRESS_BEGUN:
		show_begun();
		break;
	case SATCHEL_PROGRESS_RUNNING:
		show_running(report);
		break;
	case SATCHEL_PROGRESS_ENDED:
		show_ended(report);
		break;
	}
}

const SatchelProgressSink *
satchel_cli_progress(void)
{
	static const SatchelProgressSink sink = {.report = show};

	return &sink;
}
