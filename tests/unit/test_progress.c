#include "../../verify/cli.h"
#include "../../verify/cli_progress.h"
#include "../../verify/progress.h"
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static void
test_sizes_have_decimal_units(void)
{
	static const struct {
		guint64 n_bytes;
		const char *text;
	} cases[] = {
		{0, "0 bytes"},		  {999, "999 bytes"},
		{1000, "1.0 kB"},	  {999949, "999.9 kB"},
		{999950, "1.0 MB"},	  {G_GUINT64_CONSTANT(4294967296), "4.3 GB"},
		{G_MAXUINT64, "18.4 EB"},
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text = satchel_progress_format_bytes(cases[i].n_bytes);

		g_assert_cmpstr(text, ==, cases[i].text);
	}
}

static void
test_line_tells_share_and_time_left(void)
{
	g_autofree char *line = satchel_progress_describe("pulling", 10000000, 40000000, 10);

	g_assert_cmpstr(line, ==, "pulling: 10.0 MB of 40.0 MB, 25%, 0:30 left");
}

static void
test_long_work_has_hours(void)
{
	g_autofree char *line = satchel_progress_describe("pulling", 1000, 4000, 3600);

	g_assert_cmpstr(line, ==, "pulling: 1.0 kB of 4.0 kB, 25%, 3:00:00 left");
}

static void
test_first_moment_estimates_nothing(void)
{
	g_autofree char *line = satchel_progress_describe("pulling", 1000, 4000, 0.5);

	g_assert_cmpstr(line, ==, "pulling: 1.0 kB of 4.0 kB, 25%");
}

static void
test_unknown_total_has_no_share(void)
{
	g_autofree char *line = satchel_progress_describe("pulling", 1000, 0, 10);

	g_assert_cmpstr(line, ==, "pulling: 1.0 kB");
}

static void
test_more_than_total_is_all_of_it(void)
{
	g_autofree char *line = satchel_progress_describe("pulling", 5000, 4000, 10);

	g_assert_cmpstr(line, ==, "pulling: 5.0 kB of 4.0 kB, 100%, 0:00 left");
}

/* What a whole run of work writes to a stderr that is no terminal. */
static char *
work_on_plain_stderr(guint64 n_bytes)
{
	int saved_fd = dup(STDERR_FILENO);
	int file_fd = memfd_create("stderr", MFD_CLOEXEC);
	g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", file_fd);
	SatchelProgress *progress = NULL;
	char *text = NULL;

	fflush(stderr);
	g_assert_cmpint(dup2(file_fd, STDERR_FILENO), >=, 0);
	progress = satchel_progress_begin(satchel_cli_progress(), "building", 0);
	satchel_progress_set_total(progress, n_bytes);
	for (guint64 i = 0; i < n_bytes; i++)
		satchel_progress_advance(progress, 1);
	satchel_progress_end(progress);
	g_assert_cmpint(dup2(saved_fd, STDERR_FILENO), >=, 0);
	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	close(saved_fd);
	close(file_fd);
	return text;
}

static void
test_short_work_is_one_plain_line(void)
{
	g_autofree char *text = NULL;

	satchel_cli_set_quiet(FALSE);
	text = work_on_plain_stderr(2000);
	g_assert_true(g_pattern_match_simple("building: 2.0 kB in ?*.? s\n", text));
}

static void
test_quiet_shows_nothing(void)
{
	g_autofree char *text = NULL;

	satchel_cli_set_quiet(TRUE);
	text = work_on_plain_stderr(2000);
	g_assert_cmpstr(text, ==, "");
}

static void
test_no_work_shows_nothing(void)
{
	g_autofree char *text = NULL;

	satchel_cli_set_quiet(FALSE);
	text = work_on_plain_stderr(0);
	g_assert_cmpstr(text, ==, "");
}

typedef struct {
	guint n_reports;
	SatchelProgressPhase phase;
	guint64 done_bytes;
	guint64 total_bytes;
} Heard;

static void
hear(const SatchelProgressReport *report, gpointer user_data)
{
	Heard *heard = user_data;

	g_assert_cmpstr(report->what, ==, "pulling");
	heard->n_reports++;
	heard->phase = report->phase;
	heard->done_bytes = report->done_bytes;
	heard->total_bytes = report->total_bytes;
}

static void
test_sink_hears_each_step(void)
{
	Heard heard = {0};
	SatchelProgressSink sink = {.report = hear, .user_data = &heard};
	SatchelProgress *progress = satchel_progress_begin(&sink, "pulling", 10);

	g_assert_cmpuint(heard.n_reports, ==, 1);
	g_assert_cmpint(heard.phase, ==, SATCHEL_PROGRESS_BEGUN);
	satchel_progress_set_total(progress, 20);
	satchel_progress_advance(progress, 3);
	satchel_progress_advance(progress, 4);
	g_assert_cmpuint(heard.n_reports, ==, 3);
	g_assert_cmpint(heard.phase, ==, SATCHEL_PROGRESS_RUNNING);
	g_assert_cmpuint(heard.done_bytes, ==, 7);
	g_assert_cmpuint(heard.total_bytes, ==, 20);
	satchel_progress_end(progress);
	g_assert_cmpuint(heard.n_reports, ==, 4);
	g_assert_cmpint(heard.phase, ==, SATCHEL_PROGRESS_ENDED);
	g_assert_cmpuint(heard.done_bytes, ==, 7);
}

static void
test_work_needs_no_sink(void)
{
	SatchelProgressSink deaf = {0};
	SatchelProgress *one = satchel_progress_begin(NULL, "pulling", 10);
	SatchelProgress *two = satchel_progress_begin(&deaf, "pulling", 10);

	satchel_progress_advance(one, 1);
	satchel_progress_advance(two, 1);
	satchel_progress_end(one);
	satchel_progress_end(two);
	satchel_progress_end(NULL);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/progress/sizes have decimal units", test_sizes_have_decimal_units);
	g_test_add_func("/progress/line tells share and time left",
			test_line_tells_share_and_time_left);
	g_test_add_func("/progress/long work has hours", test_long_work_has_hours);
	g_test_add_func("/progress/first moment estimates nothing",
			test_first_moment_estimates_nothing);
	g_test_add_func("/progress/unknown total has no share", test_unknown_total_has_no_share);
	g_test_add_func("/progress/more than total is all of it",
			test_more_than_total_is_all_of_it);
	g_test_add_func("/progress/short work is one plain line",
			test_short_work_is_one_plain_line);
	g_test_add_func("/progress/quiet shows nothing", test_quiet_shows_nothing);
	g_test_add_func("/progress/no work shows nothing", test_no_work_shows_nothing);
	g_test_add_func("/progress/sink hears each step", test_sink_hears_each_step);
	g_test_add_func("/progress/work needs no sink", test_work_needs_no_sink);
	return g_test_run();
}
