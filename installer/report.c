#include "report.h"
#include <jansson.h>

/* Dumps and takes @value. (transfer full) */
static char *
to_text(json_t *value)
{
	char *dumped = json_dumps(value, JSON_SORT_KEYS | JSON_INDENT(2) | JSON_ENCODE_ANY);
	char *text = g_strconcat(dumped, "\n", NULL);

	free(dumped);
	json_decref(value);
	return text;
}

static json_t *
app_to_json(const SatchelDevice *device, const SatchelTargetApp *app)
{
	return json_pack("{s:s, s:s, s:b}", "name", app->name, "uri", app->uri, "on",
			 satchel_device_app_is_on(device, app->name));
}

/* null where there are none, as aktualizr-lite has it. */
static json_t *
apps_of_target(const SatchelDevice *device, const SatchelOstreeTarget *target)
{
	json_t *apps = NULL;

	if (satchel_ostree_target_get_n_apps(target) == 0)
		return json_null();
	apps = json_array();
	for (guint i = 0; i < satchel_ostree_target_get_n_apps(target); i++) {
		const SatchelTargetApp *app = satchel_ostree_target_get_app(target, i);

		json_array_append_new(apps, app_to_json(device, app));
	}
	return apps;
}

static gboolean
is_selected(const SatchelOstreeTarget *target, const SatchelOffer *offer,
	    const SatchelTargetChoice *choice)
{
	return choice->selected == target && satchel_offer_is_update(offer, choice);
}

static json_t *
target_to_json(const SatchelDevice *device, const SatchelOstreeTarget *target,
	       SatchelOfferMarks marks, const char *reason)
{
	json_t *object =
		json_pack("{s:s, s:I, s:o}", "name", satchel_ostree_target_get_name(target),
			  "version", (json_int_t)satchel_ostree_target_get_version(target), "apps",
			  apps_of_target(device, target));

	if ((marks & SATCHEL_OFFER_MARK_CURRENT) != 0)
		json_object_set_new(object, "current", json_true());
	if ((marks & SATCHEL_OFFER_MARK_NEWER) != 0)
		json_object_set_new(object, "newer", json_true());
	if ((marks & SATCHEL_OFFER_MARK_FAILED) != 0)
		json_object_set_new(object, "failed", json_true());
	if (reason != NULL) {
		json_object_set_new(object, "selected", json_true());
		json_object_set_new(object, "reason", json_string(reason));
	}
	return object;
}

char *
satchel_report_targets_json(const SatchelOffer *offer, const SatchelDevice *device,
			    const SatchelTargetChoice *choice)
{
	json_t *list = json_array();

	for (guint i = 0; i < satchel_offer_get_n_targets(offer); i++) {
		const SatchelOstreeTarget *target = satchel_offer_get_target(offer, i);

		json_array_append_new(
			list,
			target_to_json(device, target,
				       satchel_offer_get_marks(offer, device, target),
				       is_selected(target, offer, choice) ? choice->text : NULL));
	}
	return to_text(list);
}

char *
satchel_report_targets_text(const SatchelOffer *offer, const SatchelDevice *device,
			    const SatchelTargetChoice *choice)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < satchel_offer_get_n_targets(offer); i++) {
		const SatchelOstreeTarget *target = satchel_offer_get_target(offer, i);
		SatchelOfferMarks marks = satchel_offer_get_marks(offer, device, target);

		g_string_append_printf(text,
				       "%s\tversion %" G_GINT64_FORMAT "\tsha256:%s%s%s%s%s\n",
				       satchel_ostree_target_get_name(target),
				       satchel_ostree_target_get_version(target),
				       satchel_ostree_target_get_commit(target),
				       (marks & SATCHEL_OFFER_MARK_CURRENT) != 0 ? "\tcurrent" : "",
				       (marks & SATCHEL_OFFER_MARK_NEWER) != 0 ? "\tnewer" : "",
				       (marks & SATCHEL_OFFER_MARK_FAILED) != 0 ? "\tfailed" : "",
				       is_selected(target, offer, choice) ? "\tselected" : "");
	}
	if (choice->text != NULL)
		g_string_append_printf(text, "%s\n", choice->text);
	return g_string_free(text, FALSE);
}

static json_t *
installed_to_json(const SatchelDevice *device, const SatchelDeviceTarget *target)
{
	gint64 version = satchel_device_target_get_version(target);
	json_t *object = json_pack("{s:s, s:s}", "name", satchel_device_target_get_name(target),
				   "ostree_hash", satchel_device_target_get_commit(target));
	json_t *apps = json_array();

	if (version >= 0)
		json_object_set_new(object, "version", json_integer(version));
	for (guint i = 0; i < satchel_device_target_get_n_apps(target); i++) {
		SatchelTargetApp app = satchel_device_target_get_app(target, i);
		json_t *item = app_to_json(device, &app);

		json_object_set_new(item, "running",
				    json_boolean(satchel_device_app_is_running(device, &app)));
		json_array_append_new(apps, item);
	}
	json_object_set_new(object, "apps", apps);
	return object;
}

char *
satchel_report_status_json(const SatchelDevice *device)
{
	const char *uuid = satchel_device_get_uuid(device);
	const char *commit = satchel_device_get_running_commit(device);
	const char *const *tags = satchel_device_get_tags(device);
	const SatchelDeviceTarget *current = satchel_device_get_current(device);
	const SatchelDeviceTarget *pending = satchel_device_get_pending(device);
	json_t *object = json_pack("{s:s, s:s}", "device_name", "", "device_factory", "");

	if (uuid != NULL)
		json_object_set_new(object, "device_uuid", json_string(uuid));
	json_object_set_new(object, "ostree_hash", json_string(commit == NULL ? "" : commit));
	if (tags != NULL) {
		g_autofree char *joined = g_strjoinv(",", (char **)(guintptr)tags);

		json_object_set_new(object, "tag", json_string(joined));
	}
	if (current != NULL)
		json_object_set_new(object, "applied_target", installed_to_json(device, current));
	if (pending != NULL)
		json_object_set_new(object, "pending_target", installed_to_json(device, pending));
	return to_text(object);
}

static void
append_target(GString *text, const SatchelDevice *device, const char *label,
	      const SatchelDeviceTarget *target)
{
	gint64 version = satchel_device_target_get_version(target);

	g_string_append_printf(text, "%s: ", label);
	if (version >= 0)
		g_string_append_printf(text, "%" G_GINT64_FORMAT "\t", version);
	g_string_append_printf(text, "sha256:%s\t%s\n", satchel_device_target_get_commit(target),
			       satchel_device_target_get_name(target));
	for (guint i = 0; i < satchel_device_target_get_n_apps(target); i++) {
		SatchelTargetApp app = satchel_device_target_get_app(target, i);

		g_string_append_printf(text, "%s: %s -> %s\n",
				       satchel_device_app_is_on(device, app.name) ? "on" : "off",
				       app.name, app.uri);
	}
}

/* Beyond aktualizr-lite's: where a rollback leads, and what not to try again. */
static void
append_past(GString *text, const SatchelDevice *device)
{
	static const char *const kinds[] = {
		[SATCHEL_DEVICE_EVENT_DEPLOYED] = "installed",
		[SATCHEL_DEVICE_EVENT_WORKING] = "runs",
		[SATCHEL_DEVICE_EVENT_FAILED] = "failed",
	};
	const SatchelDeviceTarget *rollback = satchel_device_get_rollback(device);

	if (rollback != NULL)
		append_target(text, device, "Rollback Target", rollback);
	for (guint i = 0; i < satchel_device_get_n_failing(device); i++)
		append_target(text, device, "Failing Target",
			      satchel_device_get_failing(device, i));
	for (guint i = 0; i < satchel_device_get_n_events(device); i++) {
		SatchelDeviceEvent event = satchel_device_get_event(device, i);
		g_autoptr(GDateTime) at = g_date_time_new_from_unix_utc(event.at_s);
		g_autofree char *time = at != NULL ? g_date_time_format_iso8601(at) : NULL;

		g_string_append_printf(text, "%s: %s %s%s%s\n", time != NULL ? time : "?",
				       event.name, kinds[event.kind],
				       event.reason != NULL ? ": " : "",
				       event.reason != NULL ? event.reason : "");
	}
}

char *
satchel_report_status_text(const SatchelDevice *device)
{
	const char *uuid = satchel_device_get_uuid(device);
	const char *commit = satchel_device_get_running_commit(device);
	const SatchelDeviceTarget *current = satchel_device_get_current(device);
	const SatchelDeviceTarget *pending = satchel_device_get_pending(device);
	GString *text = g_string_new(NULL);

	if (uuid != NULL)
		g_string_append_printf(text, "Device UUID: %s\n", uuid);
	g_string_append_printf(text, "Device name: %s\n", g_get_host_name());
	if (current != NULL)
		append_target(text, device, "Active image is", current);
	else
		g_string_append_printf(text, "Active image is: unknown\tsha256:%s\n",
				       commit == NULL ? "none" : commit);
	if (pending != NULL)
		append_target(text, device, "Pending Target", pending);
	append_past(text, device);
	return g_string_free(text, FALSE);
}
