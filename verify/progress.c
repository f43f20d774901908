#include "progress.h"
#include "cli.h"
#include <unistd.h>

#define TERMINAL_INTERVAL_US (G_USEC_PER_SEC / 8)
#define PLAIN_INTERVAL_US (5 * G_USEC_PER_SEC)

/* The first moments say nothing about the rest. */
#define ESTIMATE_AFTER_S 1.0

struct SatchelProgress {
	const char *what;
	guint64 done_bytes;
	guint64 total_bytes;
	gint64 began_us;
	gint64 shown_us;
	gboolean on_terminal;
};

char *
satchel_progress_format_bytes(guint64 n_bytes)
{
	static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
	double value = (double)n_bytes / 1000;
	guint unit = 0;

	if (n_bytes < 1000)
		return g_strdup_printf("%" G_GUINT64_FORMAT " bytes", n_bytes);
	while (value >= 999.95 && unit + 1 < G_N_ELEMENTS(units)) {
		value /= 1000;
		unit++;
	}
	return g_strdup_printf("%.1f %s", value, units[unit]);
}

static char *
format_time_left(double seconds)
{
	guint64 s = (guint64)(seconds + 0.5);

	if (s >= 3600)
		return g_strdup_printf("%" G_GUINT64_FORMAT ":%02u:%02u", s / 3600,
				       (guint)(s / 60 % 60), (guint)(s % 60));
	return g_strdup_printf("%u:%02u", (guint)(s / 60), (guint)(s % 60));
}

char *
satchel_progress_describe(const char *what, guint64 done_bytes, guint64 total_bytes,
			  double elapsed_s)
{
	g_autofree char *done = satchel_progress_format_bytes(done_bytes);
	g_autofree char *total = satchel_progress_format_bytes(total_bytes);
	g_autofree char *left = NULL;
	double share = 0;

	if (total_bytes == 0)
		return g_strdup_printf("%s: %s", what, done);
	share = MIN((double)done_bytes / (double)total_bytes, 1.0);
	if (done_bytes == 0 || elapsed_s < ESTIMATE_AFTER_S)
		return g_strdup_printf("%s: %s of %s, %u%%", what, done, total,
				       (guint)(share * 100));
	left = format_time_left(elapsed_s / share - elapsed_s);
	return g_strdup_printf("%s: %s of %s, %u%%, %s left", what, done, total,
			       (guint)(share * 100), left);
}

SatchelProgress *
satchel_progress_begin(const char *what, guint64 total_bytes)
{
	SatchelProgress *self = g_new0(SatchelProgress, 1);

	self->what = what;
	self->total_bytes = total_bytes;
	self->began_us = g_get_monotonic_time();
	self->shown_us = self->began_us;
	self->on_terminal = isatty(STDERR_FILENO) == 1;
	return self;
}

void
satchel_progress_set_total(SatchelProgress *self, guint64 total_bytes)
{
	self->total_bytes = total_bytes;
}

void
satchel_progress_advance(SatchelProgress *self, guint64 n_bytes)
{
	gint64 now_us = 0;
	g_autofree char *line = NULL;

	self->done_bytes += n_bytes;
	if (satchel_cli_is_quiet())
		return;
	now_us = g_get_monotonic_time();
	if (now_us - self->shown_us <
	    (self->on_terminal ? TERMINAL_INTERVAL_US : PLAIN_INTERVAL_US))
		return;
	self->shown_us = now_us;
	line = satchel_progress_describe(self->what, self->done_bytes, self->total_bytes,
					 (double)(now_us - self->began_us) / G_USEC_PER_SEC);
	if (self->on_terminal)
		satchel_cli_show_status(line);
	else
		satchel_cli_note("%s", line);
}

void
satchel_progress_end(SatchelProgress *self)
{
	if (self == NULL)
		return;
	if (self->done_bytes > 0 && !satchel_cli_is_quiet()) {
		g_autofree char *done = satchel_progress_format_bytes(self->done_bytes);
		gint64 elapsed_us = g_get_monotonic_time() - self->began_us;

		satchel_cli_note("%s: %s in %.1f s", self->what, done,
				 (double)elapsed_us / G_USEC_PER_SEC);
	} else {
		satchel_cli_show_status(NULL);
	}
	g_free(self);
}
