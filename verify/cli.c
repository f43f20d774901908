#include "cli.h"
#include "cli_help.h"
#include <errno.h>
#include <locale.h>
#include <malloc.h>
#include <satchel/error.h>
#include <stdio.h>
#include <string.h>

/* More than an object that is held while it is verified, so that those come from one place. */
#define LARGE_BLOCK_BYTES (4300 * 1000)

/* One program runs once in a process, so its command line may be known process-wide. */
static struct {
	const SatchelProgram *program;
	const SatchelCommand *command;
	gboolean quiet;
	gboolean status_shown;
} cli;

static gboolean help_wanted;
static gboolean quiet_wanted;
static const GOptionEntry builtin_options[] = {
	{"help", 'h', 0, G_OPTION_ARG_NONE, &help_wanted, "Show this help", NULL},
	{"quiet", 'q', 0, G_OPTION_ARG_NONE, &quiet_wanted, "Show results and errors only", NULL},
	{NULL, 0, 0, 0, NULL, NULL, NULL},
};

/* What satchel_cli_parse() fails with once it has printed the help. */
static GQuark
help_quark(void)
{
	return g_quark_from_static_string("satchel-cli-help");
}

/* A message may hold what somebody put into a file name; a terminal must not obey it, and one
 * message stays one line. */
static char *
to_one_line(const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	GString *line = g_string_new(NULL);

	for (char *c = valid; *c != '\0'; c = g_utf8_next_char(c)) {
		gunichar letter = g_utf8_get_char(c);

		if (g_unichar_iscntrl(letter))
			g_string_append_printf(line, "\\x%02x", letter);
		else
			g_string_append_unichar(line, letter);
	}
	return g_string_free(line, FALSE);
}

static void
print_line(const char *prefix, const char *text)
{
	g_autofree char *line = to_one_line(text);

	satchel_cli_show_status(NULL);
	fprintf(stderr, "%s%s%s\n", prefix, *prefix != '\0' ? ": " : "", line);
	fflush(stderr);
}

static gboolean
has_help_option(int argc, char **argv)
{
	for (int i = 1; i < argc && !g_str_equal(argv[i], "--"); i++) {
		if (g_str_equal(argv[i], "--help") || g_str_equal(argv[i], "-h"))
			return TRUE;
	}
	return FALSE;
}

static gboolean
fail_for_help(GError **error)
{
	g_set_error_literal(error, help_quark(), 0, "help was shown");
	return FALSE;
}

gboolean
satchel_cli_parse(const GOptionEntry *options, int *argc, char ***argv, GError **error)
{
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	g_autoptr(GError) local_error = NULL;

	g_return_val_if_fail(cli.program != NULL && cli.command != NULL, FALSE);

	/* GLib's own --help ends the process and knows nothing of 80 columns. */
	g_option_context_set_help_enabled(context, FALSE);
	help_wanted = FALSE;
	if (options != NULL)
		g_option_context_add_main_entries(context, options, NULL);
	if (cli.program->options != NULL)
		g_option_context_add_main_entries(context, cli.program->options, NULL);
	g_option_context_add_main_entries(context, builtin_options, NULL);
	/* GLib takes back what it has parsed when a later option is wrong. */
	if (!g_option_context_parse(context, argc, argv, &local_error) &&
	    !has_help_option(*argc, *argv))
		return satchel_cli_usage_error(error, "%s", local_error->message);
	if (help_wanted || local_error != NULL) {
		satchel_cli_help_print_command(cli.program, cli.command, options, builtin_options);
		return fail_for_help(error);
	}
	/* What was behind `--` stays, the marker goes. */
	if (*argc > 1 && g_str_equal((*argv)[1], "--")) {
		memmove(&(*argv)[1], &(*argv)[2], (gsize)(*argc - 1) * sizeof(char *));
		*argc -= 1;
	}
	if (quiet_wanted)
		cli.quiet = TRUE;
	return TRUE;
}

gboolean
satchel_cli_usage_error(GError **error, const char *format, ...)
{
	g_autofree char *message = NULL;
	gboolean named = cli.command != NULL && *cli.command->name != '\0';
	va_list args;

	va_start(args, format);
	message = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE, "%s; see '%s%s%s --help'", message,
		    cli.program != NULL ? cli.program->program : "PROGRAM", named ? " " : "",
		    named ? cli.command->name : "");
	return FALSE;
}

static const GOptionEntry *
find_option(const GOptionEntry *options, const char *long_name, gsize n, char short_name)
{
	for (const GOptionEntry *o = options; o != NULL && o->long_name != NULL; o++) {
		if (long_name != NULL && strlen(o->long_name) == n &&
		    strncmp(o->long_name, long_name, n) == 0)
			return o;
		if (long_name == NULL && o->short_name == short_name)
			return o;
	}
	return NULL;
}

static gboolean
takes_value(const GOptionEntry *option)
{
	if (option->arg == G_OPTION_ARG_NONE)
		return FALSE;
	return option->arg != G_OPTION_ARG_CALLBACK ||
	       (option->flags & (G_OPTION_FLAG_NO_ARG | G_OPTION_FLAG_OPTIONAL_ARG)) == 0;
}

/* How many arguments an option of every command takes up at @arg: 1, or 2 with a value behind it;
 * 0 where it is none of @options. */
static int
global_option_width(const GOptionEntry *options, const char *arg)
{
	const GOptionEntry *option = NULL;

	if (g_str_has_prefix(arg, "--")) {
		gsize n = strcspn(arg + 2, "=");

		option = find_option(options, arg + 2, n, '\0');
		if (option == NULL)
			option = find_option(builtin_options, arg + 2, n, '\0');
		if (option == NULL)
			return 0;
		return takes_value(option) && arg[2 + n] != '=' ? 2 : 1;
	}
	for (const char *letter = arg + 1; *letter != '\0'; letter++) {
		option = find_option(options, NULL, 0, *letter);
		if (option == NULL)
			option = find_option(builtin_options, NULL, 0, *letter);
		if (option == NULL)
			return 0;
		if (takes_value(option))
			return letter[1] == '\0' ? 2 : 1;
	}
	return 1;
}

/* The next word from @i on that is no option of every command; @argc where there is none. */
static int
skip_global_options(const SatchelProgram *program, int argc, char **argv, int i)
{
	while (i < argc && argv[i][0] == '-' && argv[i][1] != '\0') {
		int width = global_option_width(program->options, argv[i]);

		if (width == 0)
			return i;
		i += width;
	}
	return MIN(i, argc);
}

static const SatchelCommand *
find_command(const SatchelProgram *program, const char *name)
{
	for (const SatchelCommand *c = program->commands; c->name != NULL; c++) {
		if (g_str_equal(c->name, name))
			return c;
	}
	return NULL;
}

/* "init, add, publish" for the prefix "repo "; NULL where no command begins so. */
static char *
list_second_words(const SatchelProgram *program, const char *prefix)
{
	GString *list = NULL;

	for (const SatchelCommand *c = program->commands; c->name != NULL; c++) {
		if (!g_str_has_prefix(c->name, prefix))
			continue;
		if (list == NULL)
			list = g_string_new(NULL);
		g_string_append_printf(list, "%s%s", list->len > 0 ? ", " : "",
				       c->name + strlen(prefix));
	}
	return list != NULL ? g_string_free(list, FALSE) : NULL;
}

/* Says what is wrong with a command line that names no command. Always FALSE. */
static gboolean
explain_no_command(const SatchelProgram *program, int argc, char **argv, int first, GError **error)
{
	g_autofree char *prefix = first < argc ? g_strconcat(argv[first], " ", NULL) : NULL;
	g_autofree char *second = prefix != NULL ? list_second_words(program, prefix) : NULL;

	if (has_help_option(argc, argv)) {
		satchel_cli_help_print_program(program, second != NULL ? prefix : "",
					       builtin_options);
		return fail_for_help(error);
	}
	if (second != NULL)
		return satchel_cli_usage_error(error, "'%s' needs one of: %s", argv[first], second);
	if (first >= argc)
		return satchel_cli_usage_error(error, "no command given");
	if (argv[first][0] == '-')
		return satchel_cli_usage_error(error, "unknown option '%s' before the command",
					       argv[first]);
	return satchel_cli_usage_error(error, "unknown command '%s'", argv[first]);
}

/* --command NAME becomes NAME in the command's place. */
static void
move_command_option(const SatchelProgram *program, GPtrArray *args)
{
	g_autofree char *option = g_strconcat("--", program->command_option, NULL);
	int argc = (int)args->len;
	int width = 1;

	if (program->command_option == NULL)
		return;
	for (int i = 1; i < argc && !g_str_equal(args->pdata[i], "--"); i += MAX(width, 1)) {
		char *arg = args->pdata[i];
		char *name = NULL;

		width = *arg == '-' ? global_option_width(program->options, arg) : 1;
		if (g_str_equal(arg, option) && i + 1 < argc)
			name = args->pdata[i + 1];
		else if (g_str_has_prefix(arg, option) && arg[strlen(option)] == '=')
			name = arg + strlen(option) + 1;
		if (name == NULL)
			continue;
		g_ptr_array_remove_range(args, (guint)i, (guint)width);
		g_ptr_array_insert(args, 1, name);
		return;
	}
}

/* Finds the command and takes its one or two words out of @args. NULL with @error set. */
static const SatchelCommand *
take_command(const SatchelProgram *program, GPtrArray *args, GError **error)
{
	int argc = (int)args->len;
	char **argv = (char **)args->pdata;
	int first = skip_global_options(program, argc, argv, 1);
	int second = first < argc ? skip_global_options(program, argc, argv, first + 1) : argc;
	const SatchelCommand *command = NULL;

	if (second < argc && *argv[first] != '\0') {
		g_autofree char *pair = g_strconcat(argv[first], " ", argv[second], NULL);

		command = find_command(program, pair);
		if (command != NULL)
			g_ptr_array_remove_index(args, (guint)second);
	}
	if (command == NULL && first < argc && *argv[first] != '\0')
		command = find_command(program, argv[first]);
	if (command != NULL) {
		g_ptr_array_remove_index(args, (guint)first);
		return command;
	}
	command = find_command(program, "");
	if (command == NULL)
		explain_no_command(program, argc, argv, first, error);
	return command;
}

static gboolean
run_command(const SatchelProgram *program, int argc, char **argv, SatchelOutcome *outcome,
	    GError **error)
{
	g_autoptr(GPtrArray) args = g_ptr_array_new();
	g_autofree char **command_argv = NULL;
	g_autofree char *name = NULL;
	int command_argc = 0;

	for (int i = 0; i < argc; i++)
		g_ptr_array_add(args, argv[i]);
	move_command_option(program, args);
	cli.command = take_command(program, args, error);
	if (cli.command == NULL)
		return FALSE;

	command_argc = (int)args->len;
	command_argv = g_new0(char *, args->len + 1);
	memcpy(command_argv, args->pdata, args->len * sizeof(char *));
	name = g_strdup(*cli.command->name != '\0' ? cli.command->name : program->program);
	command_argv[0] = name;
	return cli.command->run(command_argc, command_argv, outcome, error);
}

/* A result that did not reach its file must not look like success. */
static gboolean
flush_results(GError **error)
{
	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		return TRUE;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED, "standard output: %s",
		    g_strerror(errno));
	return FALSE;
}

/* Lists that grow large are blocks of their own, which go back to the system and grow without a
 * copy. By itself glibc would put them among the small blocks as soon as a large one was freed. */
static void
keep_memory_small(void)
{
#ifdef __GLIBC__
	(void)mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES);
	(void)mallopt(M_TRIM_THRESHOLD, LARGE_BLOCK_BYTES / 2);
#endif
}

int
satchel_cli_main(const SatchelProgram *program, int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	SatchelOutcome outcome = SATCHEL_OUTCOME_DONE;

	keep_memory_small();
	setlocale(LC_CTYPE, "");
	g_set_prgname(program->program);
	cli.program = program;
	cli.command = NULL;
	if (argc == 2 && (g_str_equal(argv[1], "-v") || g_str_equal(argv[1], "--version")))
		printf("%s %s\n", program->program, SATCHEL_VERSION);
	else if (!run_command(program, argc, argv, &outcome, &error) &&
		 error->domain == help_quark())
		g_clear_error(&error);
	satchel_cli_show_status(NULL);
	if (error == NULL)
		(void)flush_results(&error);
	else
		fflush(stdout);
	if (error != NULL)
		print_line(program->program, error->message);
	return (int)satchel_status_from_result(outcome, error);
}

void
satchel_cli_note(const char *format, ...)
{
	g_autofree char *message = NULL;
	va_list args;

	if (cli.quiet)
		return;
	va_start(args, format);
	message = g_strdup_vprintf(format, args);
	va_end(args);
	print_line("", message);
}

void
satchel_cli_show_status(const char *line)
{
	if (line == NULL && !cli.status_shown)
		return;
	/* To the line's beginning, then clear to its end. */
	fprintf(stderr, "\r\033[K%s", line != NULL ? line : "");
	fflush(stderr);
	cli.status_shown = line != NULL;
}

void
satchel_cli_set_quiet(gboolean quiet)
{
	cli.quiet = quiet;
}

gboolean
satchel_cli_is_quiet(void)
{
	return cli.quiet;
}
