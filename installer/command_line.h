#pragma once
#include <satchel/device.h>

/* The command line that all commands share, as aktualizr-lite has it. */
typedef struct {
	char **config_paths; /* NULL: the default search path */
	char *src_dir;	     /* NULL: none */
	char *target;	     /* name or version; NULL: the newest */
	gboolean json;
	gboolean delay_apps;
	int interval_s; /* 0: not given */
	gboolean watch;
	gboolean reboot;
	char *place; /* the word behind the command, where it is no target; NULL: none */
} SatchelCommandLine;

/* What a command takes besides the configuration, --json and --loglevel. */
typedef enum {
	SATCHEL_COMMAND_TAKES_NOTHING = 0,
	SATCHEL_COMMAND_TAKES_BUNDLE = 1 << 0,	     /* --src-dir */
	SATCHEL_COMMAND_TAKES_TARGET = 1 << 1,	     /* --update-name, or the word behind it */
	SATCHEL_COMMAND_TAKES_INSTALL_MODE = 1 << 2, /* --install-mode */
	SATCHEL_COMMAND_TAKES_INTERVAL = 1 << 3,     /* --interval */
	SATCHEL_COMMAND_TAKES_PLACE = 1 << 4,	     /* a word of another meaning, or --watch */
	SATCHEL_COMMAND_TAKES_REBOOT = 1 << 5,	     /* --reboot */
} SatchelCommandTakes;

/* For SatchelProgram; the values land in static variables that the next function reads. */
extern const GOptionEntry satchel_command_line_options[];

/**
 * satchel_command_line_parse:
 * @takes: what the command can be given; all else is refused, because nobody shall believe that it
 *   had an effect
 * @line: (out caller-allocates): strings are borrowed and live as long as the process
 *
 * Errors: SATCHEL_ERROR_USAGE.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_command_line_parse(int argc, char **argv, SatchelCommandTakes takes,
				    SatchelCommandLine *line, GError **error);
