#include "../verify/cli.h"
#include "command_run.h"
#include "commands.h"

/* A target that was asked for by name is installed even where nothing would have to be done. */
static gboolean
install_chosen(const SatchelCommandRun *run, SatchelOutcome *outcome, GError **error)
{
	g_auto(SatchelTargetChoice) choice = {0};
	const char *wanted = run->line.target;

	if (!satchel_offer_choose(run->offer, run->device, wanted, &choice, error) ||
	    !satchel_target_choice_check(&choice, error))
		return FALSE;
	*outcome = SATCHEL_OUTCOME_DONE;
	if (choice.selected == NULL ||
	    (wanted == NULL && !satchel_offer_is_update(run->offer, &choice))) {
		satchel_cli_note("nothing to install: %s", choice.text);
		return TRUE;
	}
	if (!satchel_update_install(run->device, run->offer, choice.selected, run->cancellable,
				    outcome, error))
		return FALSE;
	satchel_command_run_tell_installed(choice.selected, *outcome);
	return TRUE;
}

gboolean
satchel_cmd_install(int argc, char **argv, SatchelOutcome *outcome, GError **error)
{
	g_auto(SatchelCommandRun) run = {0};

	if (!satchel_command_run_begin(argc, argv, SATCHEL_COMMAND_INSTALL, &run, outcome, error))
		return FALSE;
	return run.done || install_chosen(&run, outcome, error);
}
