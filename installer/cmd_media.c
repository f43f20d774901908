#include "../verify/cli.h"
#include "../verify/cli_progress.h"
#include "command_interrupt.h"
#include "command_line.h"
#include "commands.h"
#include <satchel/media.h>

static void
say(const char *line, gpointer user_data)
{
	(void)user_data;
	satchel_cli_note("%s", line);
}

gboolean
satchel_cmd_media(int argc, char **argv, SatchelOutcome *outcome, GError **error)
{
	SatchelCommandLine line = {0};
	SatchelMediaListener listener = {.say = say};

	if (!satchel_command_line_parse(argc, argv, SATCHEL_COMMAND_TAKES_PLACE, &line, error))
		return FALSE;
	if (line.watch == (line.place != NULL))
		return satchel_cli_usage_error(error, "give either a DEVICE or MOUNTPOINT, or "
						      "--watch");
	*outcome = SATCHEL_OUTCOME_DONE;
	if (line.watch)
		return satchel_media_watch((const char *const *)line.config_paths, &listener,
					   satchel_command_interrupt_watch(), error);
	listener.progress = satchel_cli_progress();
	return satchel_media_serve((const char *const *)line.config_paths, line.place, &listener,
				   satchel_command_interrupt_watch(), outcome, error);
}
