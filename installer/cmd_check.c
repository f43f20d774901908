#include "command_offer.h"
#include "commands.h"

gboolean
satchel_cmd_check(int argc, char **argv, SatchelOutcome *outcome, GError **error)
{
	SatchelCommandLine line = {0};
	g_autoptr(SatchelDevice) device = NULL;
	g_autoptr(SatchelOffer) offer = NULL;

	if (!satchel_command_line_parse(argc, argv, TRUE, &line, error) ||
	    !satchel_command_line_need_bundle(&line, error))
		return FALSE;
	device = satchel_command_line_open(&line, SATCHEL_DEVICE_UPDATE, error);
	if (device == NULL)
		return FALSE;
	offer = satchel_command_offer_check(&line, device, error);
	return offer != NULL &&
	       satchel_command_offer_print(offer, device, line.target, line.json, outcome, error);
}
