#include "../verify/cli.h"
#include "command_offer.h"
#include "commands.h"
#include "update_run.h"

static gboolean
pull_chosen(SatchelDevice *device, const SatchelOffer *offer, const char *wanted,
	    SatchelOutcome *outcome, GError **error)
{
	g_auto(SatchelTargetChoice) choice = {0};

	if (!satchel_offer_choose(offer, device, wanted, &choice, error))
		return FALSE;
	*outcome = SATCHEL_OUTCOME_DONE;
	if (!satchel_offer_is_update(offer, &choice)) {
		satchel_cli_note("nothing to pull: %s", choice.text);
		return TRUE;
	}
	if (!satchel_update_pull(device, offer, choice.selected, error))
		return FALSE;
	satchel_cli_note("%s is on the device; 'install' it",
			 satchel_ostree_target_get_name(choice.selected));
	return TRUE;
}

gboolean
satchel_cmd_pull(int argc, char **argv, SatchelOutcome *outcome, GError **error)
{
	SatchelCommandLine line = {0};
	g_autoptr(SatchelDevice) device = NULL;
	g_autoptr(SatchelOffer) offer = NULL;

	if (!satchel_command_line_parse(argc, argv, TRUE, &line, error) ||
	    !satchel_command_line_need_bundle(&line, error))
		return FALSE;
	device = satchel_command_line_open(&line, SATCHEL_DEVICE_UPDATE, error);
	if (device == NULL || !satchel_update_check_idle(device, error))
		return FALSE;
	offer = satchel_command_offer_check(&line, device, error);
	return offer != NULL && pull_chosen(device, offer, line.target, outcome, error);
}
