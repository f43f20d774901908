#include "../verify/cli.h"
#include "command_line.h"
#include "commands.h"
#include "update_run.h"

gboolean
satchel_cmd_run(int argc, char **argv, SatchelOutcome *outcome, GError **error)
{
	SatchelCommandLine line = {0};
	g_autoptr(SatchelDevice) device = NULL;

	if (!satchel_command_line_parse(argc, argv, FALSE, &line, error))
		return FALSE;
	device = satchel_command_line_open(&line, SATCHEL_DEVICE_UPDATE, error);
	if (device == NULL || !satchel_update_finalize(device, outcome, error))
		return FALSE;
	if (*outcome == SATCHEL_OUTCOME_NEEDS_REBOOT)
		satchel_cli_note("%s is installed and not booted yet; reboot, then 'run'",
				 device->state->pending->name);
	else
		satchel_cli_note("%s runs", device->state->current->name);
	return TRUE;
}
