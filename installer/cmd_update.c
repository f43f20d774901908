#include "../verify/cli.h"
#include "command_run.h"
#include "commands.h"

static gboolean
update_to_chosen(const SatchelCommandRun *run, SatchelOutcome *outcome, GError **error)
{
	g_auto(SatchelTargetChoice) choice = {0};

	if (!satchel_offer_choose(run->offer, run->device, run->line.target, &choice, error) ||
	    !satchel_target_choice_check(&choice, error))
		return FALSE;
	*outcome = SATCHEL_OUTCOME_DONE;
	if (!satchel_offer_is_update(run->offer, &choice)) {
		satchel_cli_note("nothing to update: %s", choice.text);
		return TRUE;
	}
	satchel_cli_note("%s", choice.text);
	if (!satchel_update_pull(run->device, run->offer, choice.selected, run->cancellable,
				 error) ||
	    !satchel_update_install(run->device, run->offer, choice.selected, run->cancellable,
				    outcome, error))
		return FALSE;
	satchel_command_run_tell_installed(choice.selected, *outcome);
	return TRUE;
}

gboolean
satchel_cmd_update(int argc, char **argv, SatchelOutcome *outcome, GError **error)
{
	g_auto(SatchelCommandRun) run = {0};

	if (!satchel_command_run_begin(argc, argv, SATCHEL_COMMAND_UPDATE, &run, outcome, error))
		return FALSE;
	return run.done || update_to_chosen(&run, outcome, error);
}
