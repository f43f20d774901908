#include "command_line.h"
#include "commands.h"
#include "report.h"
#include <stdio.h>

gboolean
satchel_cmd_status(int argc, char **argv, SatchelOutcome *outcome, GError **error)
{
	SatchelCommandLine line = {0};
	g_autoptr(SatchelDevice) device = NULL;
	g_autofree char *text = NULL;

	if (!satchel_command_line_parse(argc, argv, FALSE, &line, error))
		return FALSE;
	device = satchel_command_line_open(&line, SATCHEL_DEVICE_READ_ONLY, error);
	if (device == NULL)
		return FALSE;
	text = line.json ? satchel_report_status_json(device) : satchel_report_status_text(device);
	fputs(text, stdout);
	*outcome = SATCHEL_OUTCOME_DONE;
	return TRUE;
}
