#include "../../verify/cli.h"
#include <fcntl.h>
#include <satchel/error.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static char **config_paths;
static const GOptionEntry global_options[] = {
	{"config", 'c', 0, G_OPTION_ARG_FILENAME_ARRAY, &config_paths, "Configuration", "FILE"},
	{NULL, 0, 0, 0, NULL, NULL, NULL},
};

/* Prints what it was called with: `name|tag|config,config|word word|`. */
static gboolean
run_echo(int argc, char **argv, SatchelOutcome *outcome, GError **error)
{
	g_autofree char *tag = NULL;
	const GOptionEntry options[] = {
		{"tag", 't', 0, G_OPTION_ARG_STRING, &tag,
		 "A tag with a description that is long enough to need a second line of help",
		 "TAG"},
		{NULL, 0, 0, 0, NULL, NULL, NULL},
	};
	g_autofree char *configs = NULL;
	g_autofree char *words = NULL;

	g_clear_pointer(&config_paths, g_strfreev);
	if (!satchel_cli_parse(options, &argc, &argv, error))
		return FALSE;
	configs = config_paths != NULL ? g_strjoinv(",", config_paths) : g_strdup("");
	words = g_strjoinv(" ", argv + 1);
	printf("%s|%s|%s|%s|\n", argv[0], tag != NULL ? tag : "", configs, words);
	satchel_cli_note("noted");
	return TRUE;
}

static gboolean
run_failing(int argc, char **argv, SatchelOutcome *outcome, GError **error)
{
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_BUNDLE_INVALID, "two\nlines \033[31m");
	return FALSE;
}

static gboolean
run_reboot(int argc, char **argv, SatchelOutcome *outcome, GError **error)
{
	*outcome = SATCHEL_OUTCOME_NEEDS_REBOOT;
	return TRUE;
}

static const SatchelCommand commands[] = {
	{"echo", "[--tag TAG] WORD...",
	 "Repeat what is said, at some length so that it wraps over.", run_echo},
	{"repo init", "REPO", "Two words.", run_echo},
	{"repo add", "REPO", "Two words again.", run_echo},
	{"fail", "", "Fail.", run_failing},
	{"reboot", "", "Need a reboot.", run_reboot},
	{NULL, NULL, NULL, NULL},
};
static const SatchelProgram with_verbs = {"satchel-test", "Tests the command line.", commands,
					  "Manual: satchel-test(1)", global_options};

static const SatchelCommand default_commands[] = {
	{"", "[--tag TAG] WORD...", "Repeat what is said.", run_echo},
	{"tuf", "VERB", "Something else.", run_echo},
	{NULL, NULL, NULL, NULL},
};
static const SatchelProgram with_default = {"satchel-test", "Tests the command line.",
					    default_commands, NULL, global_options};

/* What is written to a stream while it is captured. */
typedef struct {
	FILE *stream;
	int saved_fd;
	int file_fd;
} Capture;

static void
capture_begin(Capture *self, FILE *stream)
{
	self->stream = stream;
	fflush(stream);
	self->saved_fd = dup(fileno(stream));
	self->file_fd = memfd_create("capture", MFD_CLOEXEC);
	g_assert_cmpint(self->saved_fd, >=, 0);
	g_assert_cmpint(self->file_fd, >=, 0);
	g_assert_cmpint(dup2(self->file_fd, fileno(stream)), >=, 0);
}

static char *
capture_end(Capture *self)
{
	g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", self->file_fd);
	char *text = NULL;

	fflush(self->stream);
	g_assert_cmpint(dup2(self->saved_fd, fileno(self->stream)), >=, 0);
	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	close(self->saved_fd);
	close(self->file_fd);
	return text;
}

static int
run_line(const SatchelProgram *program, const char *line, char **out, char **err)
{
	g_auto(GStrv) argv = NULL;
	g_autofree char **moved = NULL;
	g_autofree char *whole = g_strconcat("satchel-test ", line, NULL);
	g_autoptr(GError) error = NULL;
	Capture out_capture;
	Capture err_capture;
	int status = -1;

	g_assert_true(g_shell_parse_argv(whole, NULL, &argv, &error));
	moved = g_memdup2(argv, (g_strv_length(argv) + 1) * sizeof(char *));
	satchel_cli_set_quiet(FALSE);
	capture_begin(&out_capture, stdout);
	capture_begin(&err_capture, stderr);
	status = satchel_cli_main(program, (int)g_strv_length(argv), moved);
	*err = capture_end(&err_capture);
	*out = capture_end(&out_capture);
	return status;
}

typedef struct {
	const char *path;
	const SatchelProgram *program;
	const char *line;
	int status;
	const char *out;
	const char *err;
} Case;

static const Case cases[] = {
	{"/cli/command gets its words and options", &with_verbs, "echo --tag x a b", 0,
	 "echo|x||a b|\n", "noted\n"},
	{"/cli/command of two words is found", &with_verbs, "repo init R", 0, "repo init|||R|\n",
	 "noted\n"},
	{"/cli/global option before the command", &with_verbs, "-c F echo a", 0, "echo||F|a|\n",
	 "*"},
	{"/cli/global option behind the command", &with_verbs, "echo a -c F", 0, "echo||F|a|\n",
	 "*"},
	{"/cli/global options before and behind add up", &with_verbs,
	 "--config=F echo a --config G", 0, "echo||F,G|a|\n", "*"},
	{"/cli/global option between two words", &with_verbs, "repo -c F add R", 0,
	 "repo add||F|R|\n", "*"},
	{"/cli/value of a global option is no command", &with_verbs, "-c fail echo a", 0,
	 "echo||fail|a|\n", "*"},
	{"/cli/clustered short options before the command", &with_verbs, "-qc F echo a", 0,
	 "echo||F|a|\n", ""},
	{"/cli/words behind two dashes are no options", &with_verbs, "echo -- --tag", 0,
	 "echo|||--tag|\n", "*"},
	{"/cli/quiet hides notes", &with_verbs, "echo --quiet a", 0, "echo|||a|\n", ""},
	{"/cli/version", &with_verbs, "--version", 0, "satchel-test ?*.*\n", ""},
	{"/cli/short version", &with_verbs, "-v", 0, "satchel-test ?*.*\n", ""},
	{"/cli/no command is refused", &with_verbs, "", 1, "",
	 "satchel-test: no command given; see 'satchel-test --help'\n"},
	{"/cli/unknown command is refused", &with_verbs, "ecco", 1, "",
	 "satchel-test: unknown command 'ecco'; see 'satchel-test --help'\n"},
	{"/cli/empty command is refused", &with_verbs, "''", 1, "",
	 "satchel-test: unknown command ''; see 'satchel-test --help'\n"},
	{"/cli/unknown option before the command is refused", &with_verbs, "--bad echo", 1, "",
	 "satchel-test: unknown option '--bad' before the command; see 'satchel-test --help'\n"},
	{"/cli/unknown option of a command is refused", &with_verbs, "echo --bad", 1, "",
	 "satchel-test: Unknown option --bad; see 'satchel-test echo --help'\n"},
	{"/cli/first of two words alone is explained", &with_verbs, "repo", 1, "",
	 "satchel-test: 'repo' needs one of: init, add; see 'satchel-test --help'\n"},
	{"/cli/wrong second word is explained", &with_verbs, "repo nit", 1, "",
	 "satchel-test: 'repo' needs one of: init, add; see 'satchel-test --help'\n"},
	{"/cli/error is one line without control characters", &with_verbs, "fail", 15, "",
	 "satchel-test: two\\x0alines \\x1b[31m\n"},
	{"/cli/outcome becomes the exit status", &with_verbs, "reboot", 100, "", ""},
	{"/cli/help lists the commands", &with_verbs, "--help", 0,
	 "Usage: satchel-test COMMAND *Tests the command line.*repo init*-c, --config FILE*"
	 "Manual: satchel-test(1)\n",
	 ""},
	{"/cli/help of a first word lists its second words", &with_verbs, "repo -h", 0,
	 "Usage: satchel-test repo COMMAND *  repo init*  repo add*", ""},
	{"/cli/help of a command names its options", &with_verbs, "echo --help", 0,
	 "Usage: satchel-test echo [--tag TAG] WORD...\nRepeat *-t, --tag TAG *--config FILE*", ""},
	{"/cli/help wins over a wrong option before it", &with_verbs, "echo --help --bad", 0,
	 "Usage: satchel-test echo *", ""},
	{"/cli/default command gets all words", &with_default, "--tag x bundle", 0,
	 "satchel-test|x||bundle|\n", "*"},
	{"/cli/default command gives way to a named one", &with_default, "-c F tuf x", 0,
	 "tuf||F|x|\n", "*"},
	{"/cli/default command is the help's first line", &with_default, "--help", 0,
	 "Usage: satchel-test [--tag TAG] WORD...\n       satchel-test COMMAND *tuf *", ""},
};

static void
assert_matches(const char *pattern, const char *text)
{
	if (!g_pattern_match_simple(pattern, text))
		g_error("expected %s\ngot %s", pattern, text);
}

static void
test_case(gconstpointer data)
{
	const Case *c = data;
	g_autofree char *out = NULL;
	g_autofree char *err = NULL;

	g_assert_cmpint(run_line(c->program, c->line, &out, &err), ==, c->status);
	assert_matches(c->out, out);
	assert_matches(c->err, err);
}

static void
test_help_fits_80_columns(void)
{
	static const char *const lines[] = {"--help", "echo --help", "repo --help"};

	for (guint i = 0; i < G_N_ELEMENTS(lines); i++) {
		g_autofree char *out = NULL;
		g_autofree char *err = NULL;
		g_auto(GStrv) rows = NULL;

		g_assert_cmpint(run_line(&with_verbs, lines[i], &out, &err), ==, 0);
		rows = g_strsplit(out, "\n", -1);
		for (char **row = rows; *row != NULL; row++)
			g_assert_cmpuint(strlen(*row), <=, 80);
	}
}

/* A result that never reached the disk is no success. */
static void
test_unwritable_stdout_is_a_failure(void)
{
	g_autofree char *err = NULL;
	int full_fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	g_auto(GStrv) words = g_strsplit("satchel-test echo a", " ", -1);
	g_autofree char **argv = g_memdup2(words, 4 * sizeof(char *));
	Capture capture;
	int saved_fd = -1;
	int status = -1;

	g_assert_cmpint(full_fd, >=, 0);
	satchel_cli_set_quiet(TRUE);
	fflush(stdout);
	saved_fd = dup(STDOUT_FILENO);
	capture_begin(&capture, stderr);
	g_assert_cmpint(dup2(full_fd, STDOUT_FILENO), >=, 0);
	status = satchel_cli_main(&with_verbs, 3, argv);
	g_assert_cmpint(dup2(saved_fd, STDOUT_FILENO), >=, 0);
	err = capture_end(&capture);
	clearerr(stdout);
	close(saved_fd);
	close(full_fd);
	g_assert_cmpint(status, ==, SATCHEL_STATUS_ERROR);
	assert_matches("satchel-test: standard output: *\n", err);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
		g_test_add_data_func(cases[i].path, &cases[i], test_case);
	g_test_add_func("/cli/help fits 80 columns", test_help_fits_80_columns);
	g_test_add_func("/cli/unwritable stdout is a failure", test_unwritable_stdout_is_a_failure);
	return g_test_run();
}
