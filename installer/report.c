#include "report.h"
#include "../verify/json.h"
#include <string.h>

/* What a target is to this device. */
typedef struct {
	gboolean current;
	gboolean newer;
	gboolean failed;
	gboolean selected;
} TargetMarks;

static TargetMarks
marks_of(const SatchelOstreeTarget *target, const SatchelOffer *offer, const SatchelDevice *device,
	 const SatchelTargetChoice *choice)
{
	gint64 version = satchel_ostree_target_get_version(target);
	TargetMarks marks = {0};

	marks.current = offer->current_name != NULL && version == offer->current_version;
	marks.newer = version > offer->current_version;
	marks.failed =
		satchel_state_is_failing(device->state, satchel_ostree_target_get_name(target),
					 satchel_ostree_target_get_commit(target));
	marks.selected = choice->selected == target && satchel_offer_is_update(offer, choice);
	return marks;
}

static char *
to_text(json_t *value)
{
	g_autoptr(SatchelJson) owned = value;
	char *dumped = json_dumps(owned, JSON_SORT_KEYS | JSON_INDENT(2) | JSON_ENCODE_ANY);
	char *text = g_strconcat(dumped, "\n", NULL);

	free(dumped);
	return text;
}

static json_t *
app_to_json(const char *name, const char *uri)
{
	/* Without a list of apps in the configuration every app is on. */
	return json_pack("{s:s, s:s, s:b}", "name", name, "uri", uri, "on", 1);
}

/* null where there are none, as aktualizr-lite has it. */
static json_t *
apps_of_target(const SatchelOstreeTarget *target)
{
	json_t *apps = NULL;

	if (satchel_ostree_target_get_n_apps(target) == 0)
		return json_null();
	apps = json_array();
	for (guint i = 0; i < satchel_ostree_target_get_n_apps(target); i++) {
		const SatchelTargetApp *app = satchel_ostree_target_get_app(target, i);

		json_array_append_new(apps, app_to_json(app->name, app->uri));
	}
	return apps;
}

static json_t *
target_to_json(const SatchelOstreeTarget *target, const TargetMarks *marks, const char *reason)
{
	json_t *object =
		json_pack("{s:s, s:I, s:o}", "name", satchel_ostree_target_get_name(target),
			  "version", (json_int_t)satchel_ostree_target_get_version(target), "apps",
			  apps_of_target(target));

	if (marks->current)
		json_object_set_new(object, "current", json_true());
	if (marks->newer)
		json_object_set_new(object, "newer", json_true());
	if (marks->failed)
		json_object_set_new(object, "failed", json_true());
	if (marks->selected) {
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

	for (guint i = 0; i < offer->targets->len; i++) {
		const SatchelOstreeTarget *target = g_ptr_array_index(offer->targets, i);
		TargetMarks marks = marks_of(target, offer, device, choice);

		json_array_append_new(list, target_to_json(target, &marks, choice->text));
	}
	return to_text(list);
}

char *
satchel_report_targets_text(const SatchelOffer *offer, const SatchelDevice *device,
			    const SatchelTargetChoice *choice)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < offer->targets->len; i++) {
		const SatchelOstreeTarget *target = g_ptr_array_index(offer->targets, i);
		TargetMarks marks = marks_of(target, offer, device, choice);

		g_string_append_printf(
			text, "%s\tversion %" G_GINT64_FORMAT "\tsha256:%s%s%s%s%s\n",
			satchel_ostree_target_get_name(target),
			satchel_ostree_target_get_version(target),
			satchel_ostree_target_get_commit(target), marks.current ? "\tcurrent" : "",
			marks.newer ? "\tnewer" : "", marks.failed ? "\tfailed" : "",
			marks.selected ? "\tselected" : "");
	}
	if (choice->text != NULL)
		g_string_append_printf(text, "%s\n", choice->text);
	return g_string_free(text, FALSE);
}

static json_t *
state_target_to_json(const SatchelStateTarget *target)
{
	json_t *object =
		json_pack("{s:s, s:s}", "name", target->name, "ostree_hash", target->commit);
	json_t *apps = json_array();

	if (target->version >= 0)
		json_object_set_new(object, "version", json_integer(target->version));
	for (guint i = 0; i < target->apps->len; i++) {
		const SatchelStateApp *app = g_ptr_array_index(target->apps, i);
		json_t *item = app_to_json(app->name, app->uri);

		/* This version starts no apps. */
		json_object_set_new(item, "running", json_false());
		json_array_append_new(apps, item);
	}
	json_object_set_new(object, "apps", apps);
	return object;
}

char *
satchel_report_status_json(const SatchelDevice *device)
{
	const char *commit = satchel_device_get_running_commit(device);
	const SatchelStateTarget *running = satchel_device_get_running_target(device);
	json_t *object = json_pack("{s:s, s:s}", "device_name", "", "device_factory", "");

	if (device->identity.uuid != NULL)
		json_object_set_new(object, "device_uuid", json_string(device->identity.uuid));
	json_object_set_new(object, "ostree_hash", json_string(commit == NULL ? "" : commit));
	if (device->settings->tags != NULL) {
		g_autofree char *tags = g_strjoinv(",", device->settings->tags);

		json_object_set_new(object, "tag", json_string(tags));
	}
	if (running != NULL)
		json_object_set_new(object, "applied_target", state_target_to_json(running));
	if (device->state->pending != NULL)
		json_object_set_new(object, "pending_target",
				    state_target_to_json(device->state->pending));
	return to_text(object);
}

static void
append_target(GString *text, const char *label, const SatchelStateTarget *target)
{
	if (target->version >= 0)
		g_string_append_printf(text, "%s: %" G_GINT64_FORMAT "\tsha256:%s\t%s\n", label,
				       target->version, target->commit, target->name);
	else
		g_string_append_printf(text, "%s: sha256:%s\t%s\n", label, target->commit,
				       target->name);
	for (guint i = 0; i < target->apps->len; i++) {
		const SatchelStateApp *app = g_ptr_array_index(target->apps, i);

		g_string_append_printf(text, "on: %s -> %s\n", app->name, app->uri);
	}
}

char *
satchel_report_status_text(const SatchelDevice *device)
{
	const char *commit = satchel_device_get_running_commit(device);
	const SatchelStateTarget *running = satchel_device_get_running_target(device);
	GString *text = g_string_new(NULL);

	if (device->identity.uuid != NULL)
		g_string_append_printf(text, "Device UUID: %s\n", device->identity.uuid);
	g_string_append_printf(text, "Device name: %s\n", g_get_host_name());
	if (running != NULL)
		append_target(text, "Active image is", running);
	else
		g_string_append_printf(text, "Active image is: unknown\tsha256:%s\n",
				       commit == NULL ? "none" : commit);
	if (device->state->pending != NULL)
		append_target(text, "Pending Target", device->state->pending);
	return g_string_free(text, FALSE);
}
