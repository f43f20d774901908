#include "../verify/cli.h"
#include "command_run.h"
#include "commands.h"
#include <satchel/media.h>

gboolean
satchel_cmd_run(int argc, char **argv, SatchelOutcome *outcome, GError **error)
{
	g_auto(SatchelCommandRun) run = {0};
	g_autoptr(GError) failure = NULL;
	gboolean good;

	if (!satchel_command_line_parse(argc, argv, SATCHEL_COMMAND_TAKES_REBOOT, &run.line,
					error) ||
	    !satchel_command_run_open(&run, SATCHEL_DEVICE_UPDATE, error))
		return FALSE;
	good = satchel_media_finalize(run.device, run.cancellable, outcome, &failure);
	if (run.line.reboot)
		satchel_media_reboot_again(run.device, *outcome, failure);
	if (!good) {
		g_propagate_error(error, g_steal_pointer(&failure));
		return FALSE;
	}
	if (*outcome == SATCHEL_OUTCOME_NEEDS_REBOOT)
		satchel_cli_note(
			"%s is installed and not booted yet; reboot, then 'run'",
			satchel_device_target_get_name(satchel_device_get_pending(run.device)));
	else
		satchel_cli_note(
			*outcome == SATCHEL_OUTCOME_REBOOT_FOR_BOOT_FIRMWARE
				? "%s runs; reboot to finish an update of the boot firmware"
				: "%s runs",
			satchel_device_target_get_name(satchel_device_get_current(run.device)));
	return TRUE;
}
