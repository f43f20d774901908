#include "command_offer.h"
#include "commands.h"

gboolean
satchel_cmd_list(int argc, char **argv, SatchelOutcome *outcome, GError **error)
{
	SatchelCommandLine line = {0};
	g_autoptr(SatchelDevice) device = NULL;
	g_autoptr(SatchelOffer) offer = NULL;

	if (!satchel_command_line_parse(argc, argv, TRUE, &line, error))
		return FALSE;
	device = satchel_command_line_open(&line, SATCHEL_DEVICE_READ_ONLY, error);
	if (device == NULL)
		return FALSE;
	offer = satchel_command_offer_stored(&line, device, error);
	return offer != NULL &&
	       satchel_command_offer_print(offer, device, line.target, line.json, outcome, error);
}
