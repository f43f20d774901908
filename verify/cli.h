#pragma once
#include <satchel/status.h>

/*
 * What the three programs share on the command line: one table of commands makes dispatch and
 * --help.
 */
typedef struct {
	const char *name;    /* "build", or "repo init" for a command of two words */
	const char *usage;   /* what stands behind the name, for --help */
	const char *summary; /* one line */
	/* @argv[0] is the command's name. Prints results to stdout; never prints the error. */
	gboolean (*run)(int argc, char **argv, SatchelOutcome *outcome, GError **error);
} SatchelCommand;

typedef struct {
	const char *program;		/* "satchel-bundler" */
	const char *purpose;		/* one sentence */
	const SatchelCommand *commands; /* ends with a row of NULL name */
	const char *epilog;		/* examples, where the manual is */
} SatchelProgram;

/* Parses the global part (-h, --help, -v, --version), finds the command, runs it, prints its error
 * as one line on stderr, `PROGRAM: MESSAGE`. main() returns what this gives. */
int satchel_cli_main(const SatchelProgram *program, int argc, char **argv);

/* One line to stderr; the one way in which people are told something. */
void satchel_cli_note(const char *format, ...) G_GNUC_PRINTF(1, 2);
/* --quiet: notes and progress are not shown. */
void satchel_cli_set_quiet(gboolean quiet);
