#include "command_run.h"
#include "commands.h"

gboolean
satchel_cmd_list(int argc, char **argv, SatchelOutcome *outcome, GError **error)
{
	g_auto(SatchelCommandRun) run = {0};

	return satchel_command_run_begin(argc, argv, SATCHEL_COMMAND_LIST, &run, outcome, error) &&
	       satchel_command_run_print(&run, outcome, error);
}
