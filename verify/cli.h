#pragma once
#include <satchel/status.h>

/*
 * What the three programs share on the command line: one table of commands makes dispatch and
 * --help. Results go to stdout, all that is for people to stderr.
 *
 * Every command knows -h, --help, -q and --quiet without asking; the program itself -v, --version.
 */
typedef struct {
	/* "build"; "repo init" for a command of two words; "" for what runs where no command is
	 * named (a file of a command's name is then to be given as ./NAME). */
	const char *name;
	const char *usage;   /* what stands behind the name, for --help; wrapped there */
	const char *summary; /* one sentence */
	/* @argv[0] is the command's name, all else what stood on the command line besides it.
	 * Begins with satchel_cli_parse(). Prints results to stdout; never prints the error. */
	gboolean (*run)(int argc, char **argv, SatchelOutcome *outcome, GError **error);
} SatchelCommand;

typedef struct {
	const char *program;		/* "satchel-bundler" */
	const char *purpose;		/* one sentence */
	const SatchelCommand *commands; /* ends with a row of NULL name */
	const char *epilog;		/* (nullable): examples, where the manual is */
	/* (nullable): options that every command knows, if only to refuse them, to stand before or
	 * after its name; ends with a row of NULL long_name. They write into static variables of
	 * the program, when the command calls satchel_cli_parse(). */
	const GOptionEntry *options;
	/* (nullable): one of @options, with a value, that names the command instead of the word in
	 * its place: "command" */
	const char *command_option;
} SatchelProgram;

/* Parses the global part, finds the command, runs it, prints its error as one line on stderr,
 * `PROGRAM: MESSAGE`. main() returns what this gives. Not thread-safe. */
int satchel_cli_main(const SatchelProgram *program, int argc, char **argv);

/**
 * satchel_cli_parse:
 * @options: the command's own, writing into its local variables; ends with a row of NULL long_name
 * @argc: (inout): as run() got it
 * @argv: (inout): as run() got it; afterwards @argv[0] and what is no option
 *
 * Parses options of the command and of the program. For paths use G_OPTION_ARG_FILENAME: any bytes
 * are good. To be called once, by run() or a function that it calls.
 *
 * Errors: SATCHEL_ERROR_USAGE. Where --help was asked for it prints it and fails with an error of
 * its own that satchel_cli_main() takes for success: run() returns FALSE in both cases.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_cli_parse(const GOptionEntry *options, int *argc, char ***argv, GError **error);

/* Sets SATCHEL_ERROR_USAGE with the message and where the help is. Always FALSE. */
gboolean satchel_cli_usage_error(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* One line to stderr; the one way in which people are told something. */
void satchel_cli_note(const char *format, ...) G_GNUC_PRINTF(1, 2);
/* A line on the terminal that the next one, or the next note, replaces; NULL takes it away. Only
 * for a stderr that is a terminal. */
void satchel_cli_show_status(const char *line);

/* --quiet: notes and progress are not shown. */
void satchel_cli_set_quiet(gboolean quiet);
gboolean satchel_cli_is_quiet(void);
