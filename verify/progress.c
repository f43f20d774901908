#include "progress.h"

/* The first moments say nothing about the rest. */
#define ESTIMATE_AFTER_S 1.0

struct SatchelProgress {
	SatchelProgressSink sink;
	SatchelProgressReport report;
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

static void
tell(SatchelProgress *self, SatchelProgressPhase phase)
{
	self->report.phase = phase;
	if (self->sink.report != NULL)
		self->sink.report(&self->report, self->sink.user_data);
}

SatchelProgress *
satchel_progress_begin(const SatchelProgressSink *sink, const char *what, guint64 total_bytes)
{
	SatchelProgress *self = g_new0(SatchelProgress, 1);

	if (sink != NULL)
		self->sink = *sink;
	self->report.what = what;
	self->report.total_bytes = total_bytes;
	tell(self, SATCHEL_PROGRESS_BEGUN);
	return self;
}

void
satchel_progress_set_total(SatchelProgress *self, guint64 total_bytes)
{
	self->report.total_bytes = total_bytes;
}

void
satchel_progress_advance(SatchelProgress *self, guint64 n_bytes)
{
	self->report.done_bytes += n_bytes;
	tell(self, SATCHEL_PROGRESS_RUNNING);
}

void
satchel_progress_end(SatchelProgress *self)
{
	if (self == NULL)
		return;
	tell(self, SATCHEL_PROGRESS_ENDED);
	g_free(self);
}
