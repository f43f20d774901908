#include "command_run.h"
#include "commands.h"

/* An altered commit is content that the bundle lacks, as long as nobody wants to read it. */
static void
rename_altered(GError *reason)
{
	if (g_error_matches(reason, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED))
		reason->code = SATCHEL_ERROR_NO_TARGET_CONTENT;
}

gboolean
satchel_cmd_check(int argc, char **argv, SatchelOutcome *outcome, GError **error)
{
	g_auto(SatchelCommandRun) run = {0};
	g_autoptr(GError) local_error = NULL;

	if (satchel_command_run_begin(argc, argv, SATCHEL_COMMAND_CHECK, &run, outcome,
				      &local_error))
		return satchel_command_run_print(&run, outcome, error);
	rename_altered(local_error);
	g_propagate_error(error, g_steal_pointer(&local_error));
	return FALSE;
}
