#include "../verify/cli.h"
#include "command_offer.h"
#include "commands.h"
#include "update_run.h"

/* A target that was asked for by name is installed even where nothing would have to be done. */
static gboolean
install_chosen(SatchelDevice *device, const SatchelOffer *offer, const char *wanted,
	       SatchelOutcome *outcome, GError **error)
{
	g_auto(SatchelTargetChoice) choice = {0};

	if (!satchel_offer_choose(offer, device, wanted, &choice, error))
		return FALSE;
	*outcome = SATCHEL_OUTCOME_DONE;
	if (choice.selected == NULL ||
	    (wanted == NULL && !satchel_offer_is_update(offer, &choice))) {
		satchel_cli_note("nothing to install: %s", choice.text);
		return TRUE;
	}
	if (!satchel_update_install(device, offer, choice.selected, outcome, error))
		return FALSE;
	satchel_cli_note(*outcome == SATCHEL_OUTCOME_NEEDS_REBOOT
				 ? "%s is installed; reboot, then 'run'"
				 : "%s runs already",
			 satchel_ostree_target_get_name(choice.selected));
	return TRUE;
}

gboolean
satchel_cmd_install(int argc, char **argv, SatchelOutcome *outcome, GError **error)
{
	SatchelCommandLine line = {0};
	g_autoptr(SatchelDevice) device = NULL;
	g_autoptr(SatchelOffer) offer = NULL;

	if (!satchel_command_line_parse(argc, argv, TRUE, &line, error))
		return FALSE;
	device = satchel_command_line_open(&line, SATCHEL_DEVICE_UPDATE, error);
	if (device == NULL)
		return FALSE;
	if (satchel_update_was_resumed(device, line.target)) {
		*outcome = SATCHEL_OUTCOME_NEEDS_REBOOT;
		return TRUE;
	}
	if (!satchel_update_check_idle(device, error))
		return FALSE;
	offer = line.src_dir != NULL ? satchel_command_offer_check(&line, device, error)
				     : satchel_command_offer_stored(&line, device, error);
	return offer != NULL && install_chosen(device, offer, line.target, outcome, error);
}
