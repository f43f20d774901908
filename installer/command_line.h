#pragma once
#include "device.h"

/* The command line that all commands share, as aktualizr-lite has it. */
typedef struct {
	char **config_paths; /* NULL: the default search path */
	char *src_dir;	     /* NULL: none */
	char *target;	     /* name or version; NULL: the newest */
	gboolean json;
} SatchelCommandLine;

/* For SatchelProgram; the values land in static variables that the next function reads. */
extern const GOptionEntry satchel_command_line_options[];

/**
 * satchel_command_line_parse:
 * @takes_target: whether a bundle and a target may be given; where not, they are refused
 * @line: (out caller-allocates): strings are borrowed and live as long as the process
 *
 * Errors: SATCHEL_ERROR_USAGE.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_command_line_parse(int argc, char **argv, gboolean takes_target,
				    SatchelCommandLine *line, GError **error);

/* Opens the device and says what was worth a remark. (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
SatchelDevice *satchel_command_line_open(const SatchelCommandLine *line, SatchelDeviceMode mode,
					 GError **error);

/* Errors: SATCHEL_ERROR_USAGE where no --src-dir was given. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_command_line_need_bundle(const SatchelCommandLine *line, GError **error);
