#include "command_offer.h"
#include "../verify/cli.h"
#include "report.h"
#include <stdio.h>

static void
tell_remark(const SatchelDevice *device)
{
	if (device->trust_remark != NULL)
		satchel_cli_note("%s", device->trust_remark);
}

SatchelOffer *
satchel_command_offer_stored(const SatchelCommandLine *line, SatchelDevice *device, GError **error)
{
	SatchelOffer *offer = satchel_offer_from_stored(device, line->src_dir, error);

	tell_remark(device);
	return offer;
}

SatchelOffer *
satchel_command_offer_check(const SatchelCommandLine *line, SatchelDevice *device, GError **error)
{
	g_autoptr(GPtrArray) remarks = g_ptr_array_new_with_free_func(g_free);
	SatchelOffer *offer = satchel_offer_from_bundle(device, line->src_dir, remarks, error);

	tell_remark(device);
	for (guint i = 0; i < remarks->len; i++)
		satchel_cli_note("also: %s", (const char *)g_ptr_array_index(remarks, i));
	return offer;
}

gboolean
satchel_command_offer_print(const SatchelOffer *offer, const SatchelDevice *device,
			    const char *wanted, gboolean json, SatchelOutcome *outcome,
			    GError **error)
{
	g_auto(SatchelTargetChoice) choice = {0};
	gboolean good = satchel_offer_choose(offer, device, wanted, &choice, error);
	g_autofree char *text = json ? satchel_report_targets_json(offer, device, &choice)
				     : satchel_report_targets_text(offer, device, &choice);

	/* Also where nothing was chosen: the list is good. */
	fputs(text, stdout);
	if (!good)
		return FALSE;
	if (choice.kind == SATCHEL_TARGET_CHOICE_ROLLBACK)
		*outcome = SATCHEL_OUTCOME_UPDATE_ROLLBACK;
	else if (satchel_offer_is_update(offer, &choice))
		*outcome = SATCHEL_OUTCOME_UPDATE_NEW_VERSION;
	else
		*outcome = offer->cached ? SATCHEL_OUTCOME_CACHED : SATCHEL_OUTCOME_DONE;
	return TRUE;
}
