#include "../verify/cli.h"
#include "command_run.h"
#include "commands.h"

gboolean
satchel_cmd_rollback(int argc, char **argv, SatchelOutcome *outcome, GError **error)
{
	g_auto(SatchelCommandRun) run = {0};
	SatchelCommandTakes takes = (SatchelCommandTakes)(SATCHEL_COMMAND_TAKES_BUNDLE |
							  SATCHEL_COMMAND_TAKES_INSTALL_MODE);

	if (!satchel_command_line_parse(argc, argv, takes, &run.line, error) ||
	    !satchel_command_run_open(&run, SATCHEL_DEVICE_UPDATE, error) ||
	    !satchel_update_rollback(run.device, run.line.src_dir, run.cancellable, outcome, error))
		return FALSE;
	if (*outcome == SATCHEL_OUTCOME_NEEDS_REBOOT)
		satchel_cli_note(
			"%s is installed again; reboot, then 'run'",
			satchel_device_target_get_name(satchel_device_get_pending(run.device)));
	else
		satchel_cli_note("the installation is called off; what runs stays");
	return TRUE;
}
