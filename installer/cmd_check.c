#include "command_offer.h"
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
	SatchelCommandLine line = {0};
	g_autoptr(SatchelDevice) device = NULL;
	g_autoptr(SatchelOffer) offer = NULL;
	g_autoptr(GError) local_error = NULL;

	if (!satchel_command_line_parse(argc, argv, TRUE, &line, error) ||
	    !satchel_command_line_need_bundle(&line, error))
		return FALSE;
	device = satchel_command_line_open(&line, SATCHEL_DEVICE_UPDATE, error);
	if (device == NULL)
		return FALSE;
	offer = satchel_command_offer_check(&line, device, &local_error);
	if (offer == NULL) {
		rename_altered(local_error);
		g_propagate_error(error, g_steal_pointer(&local_error));
		return FALSE;
	}
	return satchel_command_offer_print(offer, device, line.target, line.json, outcome, error);
}
