#include "command_run.h"
#include "commands.h"
#include <satchel/media.h>
#include <stdio.h>

gboolean
satchel_cmd_history(int argc, char **argv, SatchelOutcome *outcome, GError **error)
{
	g_auto(SatchelCommandRun) run = {0};
	g_autofree char *text = NULL;

	if (!satchel_command_line_parse(argc, argv, SATCHEL_COMMAND_TAKES_NOTHING, &run.line,
					error) ||
	    !satchel_command_run_open(&run, SATCHEL_DEVICE_READ_ONLY, error))
		return FALSE;
	text = satchel_media_history(run.device, run.line.json);
	fputs(text, stdout);
	*outcome = SATCHEL_OUTCOME_DONE;
	return TRUE;
}
