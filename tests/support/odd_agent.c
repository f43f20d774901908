/*
 * What an update agent should not do, with the public API alone: acts on an offer that is too old,
 * on another device's, and on a target that is none of the offer's. Prints what each call said.
 *
 *   odd_agent CONFIG OLDER-BUNDLE NEWER-BUNDLE OTHER-CONFIG
 */
#include <satchel/device.h>
#include <stdio.h>

static void
say(const char *what, gboolean good, GError **error)
{
	printf("%s: %s\n", what, good ? "done" : *error != NULL ? (*error)->message : "NO ERROR");
	g_clear_error(error);
}

static void
try_all(const char *what, SatchelDevice *device, const SatchelOffer *offer,
	const SatchelOstreeTarget *target)
{
	g_autofree char *choose = g_strconcat(what, ", choose", NULL);
	g_autofree char *pull = g_strconcat(what, ", pull", NULL);
	g_autofree char *install = g_strconcat(what, ", install", NULL);
	g_auto(SatchelTargetChoice) choice = {0};
	SatchelOutcome outcome = SATCHEL_OUTCOME_DONE;
	g_autoptr(GError) error = NULL;

	say(choose, satchel_offer_choose(offer, device, NULL, &choice, &error), &error);
	say(pull, satchel_update_pull(device, offer, target, NULL, &error), &error);
	say(install, satchel_update_install(device, offer, target, NULL, &outcome, &error), &error);
}

static SatchelDevice *
open_device(const char *config, SatchelDeviceMode mode)
{
	const char *const paths[] = {config, NULL};
	g_autoptr(GError) error = NULL;
	SatchelDevice *device = satchel_device_open(paths, mode, &error);

	if (device == NULL)
		g_error("%s", error->message);
	return device;
}

static SatchelOffer *
check(SatchelDevice *device, const char *bundle)
{
	g_autoptr(GError) error = NULL;
	SatchelOffer *offer = satchel_offer_from_bundle(device, bundle, NULL, &error);

	if (offer == NULL)
		g_error("%s", error->message);
	return offer;
}

static void
try_read_only(const char *config, const char *bundle)
{
	g_autoptr(SatchelDevice) device = open_device(config, SATCHEL_DEVICE_READ_ONLY);
	g_autoptr(SatchelOffer) stored = NULL;
	g_autoptr(SatchelOffer) offer = NULL;
	SatchelOutcome outcome = SATCHEL_OUTCOME_DONE;
	g_autoptr(GError) error = NULL;

	offer = satchel_offer_from_bundle(device, bundle, NULL, &error);
	say("read-only, check", offer != NULL, &error);
	say("read-only, finalize", satchel_update_finalize(device, NULL, &outcome, &error), &error);
	say("read-only, rollback", satchel_update_rollback(device, NULL, NULL, &outcome, &error),
	    &error);
	stored = satchel_offer_from_stored(device, NULL, &error);
	if (stored == NULL)
		g_error("%s", error->message);
	try_all("read-only", device, stored, satchel_offer_get_target(stored, 0));
}

int
main(int argc, char **argv)
{
	g_autoptr(SatchelDevice) device = NULL;
	g_autoptr(SatchelDevice) other = NULL;
	g_autoptr(SatchelOffer) older = NULL;
	g_autoptr(SatchelOffer) newer = NULL;
	const SatchelOstreeTarget *target = NULL;

	if (argc != 5)
		return 1;
	device = open_device(argv[1], SATCHEL_DEVICE_UPDATE);
	other = open_device(argv[4], SATCHEL_DEVICE_UPDATE);
	older = check(device, argv[2]);
	target = satchel_offer_get_target(older, 0);
	try_all("another device", other, older, target);
	newer = check(device, argv[3]);
	try_all("older offer", device, older, target);
	try_all("another offer's target", device, newer, target);
	g_clear_pointer(&device, satchel_device_close);
	try_read_only(argv[1], argv[3]);
	return 0;
}
