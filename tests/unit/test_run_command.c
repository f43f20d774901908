#include "../../installer/run_command.h"
#include "../support/temp_dir.h"
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

/* Runs @script, which is the test's own program. */
static gboolean
run_script(const char *script, guint limit_s, SatchelCommandResult *result, GError **error)
{
	const char *const argv[] = {"/bin/sh", "-c", script, NULL};
	const char *const environment[] = {"PATH=/usr/bin:/bin", "COLOUR=a b $(c)", NULL};
	SatchelCommand command = {argv, environment, limit_s};

	return satchel_run_command(&command, result, error);
}

static void
assert_output(const char *script, const char *expected)
{
	g_auto(SatchelCommandResult) result = {0};
	g_autoptr(GError) error = NULL;

	g_assert_true(run_script(script, 60, &result, &error));
	g_assert_no_error(error);
	g_assert_cmpint(result.exit_status, ==, 0);
	g_assert_cmpstr(result.output, ==, expected);
	g_assert_false(result.cut);
}

static void
test_both_streams_and_the_exit_status_are_kept(void)
{
	g_auto(SatchelCommandResult) result = {0};
	g_autoptr(GError) error = NULL;
	g_autofree char *why = NULL;

	g_assert_true(
		run_script("echo good; echo first >&2; echo bad >&2; exit 7", 60, &result, &error));
	g_assert_no_error(error);
	g_assert_cmpint(result.exit_status, ==, 7);
	g_assert_cmpstr(result.output, ==, "good\n");
	g_assert_cmpstr(result.messages, ==, "first\nbad\n");
	why = satchel_command_result_explain(&result, "tool\n");
	g_assert_cmpstr(why, ==, "tool\\x0a: exit status 7: first; bad");
}

static void
test_the_last_four_lines_explain_a_failure_in_one(void)
{
	static const struct {
		const char *messages;
		const char *why;
	} rows[] = {
		{"", "tool: exit status 7"},
		{"\n \n", "tool: exit status 7"},
		{"a\n", "tool: exit status 7: a"},
		{"1\n2\n\n 3\r\n4\n5\x1b\n\n", "tool: exit status 7: 2; 3; 4; 5\\x1b"},
	};

	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		SatchelCommandResult result = {.exit_status = 7,
					       .messages = (char *)(guintptr)rows[i].messages};
		g_autofree char *why = satchel_command_result_explain(&result, "tool");

		g_assert_cmpstr(why, ==, rows[i].why);
	}
}

static void
test_arguments_and_environment_reach_it_as_they_are(void)
{
	const char *const argv[] = {"printf", "%s|", "a b", "$(id)", "`id`", "", NULL};
	SatchelCommand command = {argv, NULL, 60};
	g_auto(SatchelCommandResult) result = {0};
	g_autoptr(GError) error = NULL;

	assert_output("printf %s \"$COLOUR|$HOME\"", "a b $(c)|");
	g_assert_true(satchel_run_command(&command, &result, &error));
	g_assert_no_error(error);
	g_assert_cmpstr(result.output, ==, "a b|$(id)|`id`||");
}

static void
test_it_inherits_no_descriptor_and_reads_nothing(void)
{
	int fd = open("/dev/null", O_RDONLY); /* without O_CLOEXEC */

	g_assert_cmpint(fd, >, 2);
	/* 3 is the listing's own. */
	assert_output("ls /proc/self/fd | tr '\\n' ' '; readlink /proc/self/fd/0; cat",
		      "0 1 2 3 /dev/null\n");
	close(fd);
}

static void
test_no_signal_is_blocked_or_ignored_in_it(void)
{
	sigset_t blocked;
	sigset_t before;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	g_assert_cmpint(sigprocmask(SIG_BLOCK, &blocked, &before), ==, 0);
	g_assert_true(signal(SIGUSR1, SIG_IGN) != SIG_ERR);
	/* 32 and 33 are the C library's own: whoever inherits them ignored cannot change that. */
	assert_output("for set in Blk Ign; do "
		      "signals=$(sed -n s/^Sig$set:.//p /proc/self/status); "
		      "echo $set $((0x$signals & ~0x180000000)); done",
		      "Blk 0\nIgn 0\n");
	g_assert_true(signal(SIGUSR1, SIG_DFL) != SIG_ERR);
	g_assert_cmpint(sigprocmask(SIG_SETMASK, &before, NULL), ==, 0);
}

static void
assert_killed_after(const char *script, guint limit_s)
{
	g_autofree char *expected =
		g_strdup_printf("/bin/sh: took more than %u s and was killed", limit_s);
	g_auto(SatchelCommandResult) result = {0};
	g_autoptr(GError) error = NULL;

	g_assert_false(run_script(script, limit_s, &result, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED);
	g_assert_cmpstr(error->message, ==, expected);
	g_assert_null(result.output);
}

static void
test_who_takes_too_long_is_killed_with_its_children(void)
{
	g_autofree char *folder = temp_dir_new();
	g_autofree char *script =
		g_strdup_printf("sleep 600 & echo $! >%s/new; mv %s/new %s/child; sleep 600",
				folder, folder, folder);
	g_autofree char *path = g_build_filename(folder, "child", NULL);
	g_autofree char *child = NULL;
	g_autofree char *task = NULL;

	/* Until the time was long enough for the script to come that far. */
	for (guint limit_s = 1; child == NULL; limit_s *= 2) {
		assert_killed_after(script, limit_s);
		(void)g_file_get_contents(path, &child, NULL, NULL);
	}
	/* It has become init's, or what stands for it: a zombie at the most. */
	task = g_strdup_printf("/proc/%s/stat", g_strchomp(child));
	for (;;) {
		g_autofree char *stat = NULL;

		if (!g_file_get_contents(task, &stat, NULL, NULL) || strstr(stat, ") Z ") != NULL)
			break;
		g_thread_yield();
	}
	temp_dir_free(g_steal_pointer(&folder));
}

static gpointer
cancel_soon(gpointer cancellable)
{
	g_usleep(100000);
	g_cancellable_cancel(cancellable);
	return NULL;
}

static void
test_who_is_not_wanted_any_more_is_killed(void)
{
	const char *const argv[] = {"/bin/sh", "-c", "sleep 100", NULL};
	g_autoptr(GCancellable) cancellable = g_cancellable_new();
	SatchelCommand command = {.argv = argv, .limit_s = 60, .cancellable = cancellable};
	GThread *thread = g_thread_new("cancel", cancel_soon, cancellable);
	g_auto(SatchelCommandResult) result = {0};

	for (guint i = 0; i < 2; i++) {
		g_autoptr(GError) error = NULL;

		g_assert_false(satchel_run_command(&command, &result, &error));
		g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_CANCELLED);
	}
	g_thread_join(thread);
}

static void
test_what_it_leaves_behind_is_not_waited_for(void)
{
	g_auto(SatchelCommandResult) result = {0};
	g_autoptr(GError) error = NULL;

	/* The one behind holds both streams open. */
	g_assert_true(run_script("sleep 30 & echo $!", 20, &result, &error));
	g_assert_no_error(error);
	g_assert_cmpint(kill((pid_t)g_ascii_strtoll(result.output, NULL, 10), SIGKILL), ==, 0);
}

static void
test_output_is_bounded_and_nobody_is_held_up(void)
{
	g_auto(SatchelCommandResult) result = {0};
	g_autoptr(GError) error = NULL;

	g_assert_true(run_script("head -c 3000000 /dev/zero | tr '\\0' x", 60, &result, &error));
	g_assert_no_error(error);
	g_assert_cmpint(result.exit_status, ==, 0);
	g_assert_cmpuint(strlen(result.output), ==, SATCHEL_COMMAND_OUTPUT_BYTES);
	g_assert_true(result.cut);
}

static void
test_what_cannot_be_started_or_was_killed_is_named(void)
{
	const char *const argv[] = {"satchel-no-such-program", NULL};
	SatchelCommand command = {argv, NULL, 60};
	g_auto(SatchelCommandResult) result = {0};
	g_autoptr(GError) error = NULL;

	g_assert_false(satchel_run_command(&command, &result, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED);
	g_assert_true(g_str_has_prefix(error->message, "satchel-no-such-program: "));
	g_clear_error(&error);
	g_assert_false(run_script("kill -9 $$", 60, &result, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED);
	g_assert_cmpstr(error->message, ==, "/bin/sh: ended by signal 9");
}

static void
test_an_end_that_cannot_be_known_is_no_success(void)
{
	g_auto(SatchelCommandResult) result = {0};
	g_autoptr(GError) error = NULL;

	g_assert_true(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
	g_assert_false(run_script("exit 3", 60, &result, &error));
	g_assert_true(signal(SIGCHLD, SIG_DFL) != SIG_ERR);
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/run-command/streams-and-status",
			test_both_streams_and_the_exit_status_are_kept);
	g_test_add_func("/run_command/explain", test_the_last_four_lines_explain_a_failure_in_one);
	g_test_add_func("/run-command/arguments",
			test_arguments_and_environment_reach_it_as_they_are);
	g_test_add_func("/run-command/descriptors",
			test_it_inherits_no_descriptor_and_reads_nothing);
	g_test_add_func("/run-command/signals", test_no_signal_is_blocked_or_ignored_in_it);
	g_test_add_func("/run-command/limit", test_who_takes_too_long_is_killed_with_its_children);
	g_test_add_func("/run-command/cancel", test_who_is_not_wanted_any_more_is_killed);
	g_test_add_func("/run-command/left-behind", test_what_it_leaves_behind_is_not_waited_for);
	g_test_add_func("/run-command/bounded", test_output_is_bounded_and_nobody_is_held_up);
	g_test_add_func("/run-command/not-started",
			test_what_cannot_be_started_or_was_killed_is_named);
	g_test_add_func("/run-command/unknown-end", test_an_end_that_cannot_be_known_is_no_success);
	return g_test_run();
}
