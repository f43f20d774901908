#include "../verify/cli.h"
#include "command_run.h"
#include "commands.h"

static gboolean
pull_chosen(const SatchelCommandRun *run, SatchelOutcome *outcome, GError **error)
{
	g_auto(SatchelTargetChoice) choice = {0};

	if (!satchel_offer_choose(run->offer, run->device, run->line.target, &choice, error) ||
	    !satchel_target_choice_check(&choice, error))
		return FALSE;
	*outcome = SATCHEL_OUTCOME_DONE;
	if (!satchel_offer_is_update(run->offer, &choice)) {
		satchel_cli_note("nothing to pull: %s", choice.text);
		return TRUE;
	}
	if (!satchel_update_pull(run->device, run->offer, choice.selected, run->cancellable, error))
		return FALSE;
	satchel_cli_note("%s is on the device; 'install' it",
			 satchel_ostree_target_get_name(choice.selected));
	return TRUE;
}

gboolean
satchel_cmd_pull(int argc, char **argv, SatchelOutcome *outcome, GError **error)
{
	g_auto(SatchelCommandRun) run = {0};

	return satchel_command_run_begin(argc, argv, SATCHEL_COMMAND_PULL, &run, outcome, error) &&
	       pull_chosen(&run, outcome, error);
}
