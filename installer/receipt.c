#include "receipt.h"
#include "../verify/utc_time.h"
#include "media_verdict.h"
#include <string.h>

#define PREFIX "SATCHEL-"
#define MAX_DEVICE_BYTES 64u

static void
set_string(json_t *object, const char *member, const char *value)
{
	if (value != NULL)
		json_object_set_new(object, member, json_string(value));
}

static void
set_time(json_t *object, const char *member, gint64 at_s)
{
	g_autofree char *time = satchel_utc_time_format(at_s);

	set_string(object, member, time);
}

static void
set_target(json_t *object, const char *member, const SatchelReceiptTarget *target)
{
	json_t *value = NULL;

	if (target->name == NULL && target->commit == NULL)
		return;
	value = json_object();
	set_string(value, "name", target->name);
	set_string(value, "commit", target->commit);
	if (target->version >= 0)
		json_object_set_new(value, "version", json_integer(target->version));
	json_object_set_new(object, member, value);
}

static json_t *
device_to_json(const SatchelReceipt *self)
{
	json_t *device = json_object();
	json_t *tags = json_array();

	set_string(device, "uuid", self->device_uuid);
	set_string(device, "name", self->device_name);
	set_string(device, "hardware-id", self->hardware_id);
	for (guint i = 0; self->tags != NULL && self->tags[i] != NULL; i++)
		json_array_append_new(tags, json_string(self->tags[i]));
	json_object_set_new(device, "tags", tags);
	return device;
}

static json_t *
verdict_to_json(const SatchelReceipt *self, const SatchelMediaVerdict *verdict)
{
	static const char *const kinds[] = {
		[SATCHEL_MEDIA_REFUSED] = "refused",
		[SATCHEL_MEDIA_NOTHING_NEW] = "nothing-new",
		[SATCHEL_MEDIA_INSTALLABLE] = "installable",
	};
	json_t *object = json_object();
	/* Names on a stick are bytes; JSON is text. */
	g_autofree char *path = g_utf8_make_valid(verdict->path, -1);

	set_string(object, "path", path);
	set_string(object, "verdict", kinds[verdict->kind]);
	set_string(object, "reason", verdict->reason);
	set_string(object, "target", verdict->target);
	if (verdict->version >= 0)
		json_object_set_new(object, "version", json_integer(verdict->version));
	if (verdict->kind == SATCHEL_MEDIA_REFUSED)
		json_object_set_new(object, "status", json_integer(self->status_of(verdict->code)));
	json_object_set_new(object, "chosen",
			    json_boolean(g_strcmp0(verdict->path, self->chosen) == 0));
	return object;
}

json_t *
satchel_receipt_to_json(const SatchelReceipt *self)
{
	json_t *object = json_object();
	json_t *candidates = json_array();
	guint n = self->verdicts != NULL ? self->verdicts->len : 0;

	set_string(object, "step", self->step);
	json_object_set_new(object, "device", device_to_json(self));
	set_string(object, "medium", self->medium);
	set_time(object, "begun", self->begun_s);
	set_time(object, "ended", self->ended_s);
	json_object_set_new(object, "status", json_integer(self->status));
	set_string(object, "text", self->text);
	for (guint i = 0; i < n; i++)
		json_array_append_new(candidates, verdict_to_json(self, self->verdicts->pdata[i]));
	json_object_set_new(object, "candidates", candidates);
	set_string(object, "bundle-sha256", self->bundle_sha256);
	set_target(object, "before", &self->before);
	set_target(object, "after", &self->after);
	return object;
}

static const char *
get_string(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));

	return text != NULL ? text : "-";
}

static void
append_target(GString *text, const char *label, const json_t *target)
{
	if (target != NULL)
		g_string_append_printf(text, "%-8s %s (%s)\r\n", label, get_string(target, "name"),
				       get_string(target, "commit"));
}

char *
satchel_receipt_json_to_text(const json_t *receipt)
{
	GString *text = g_string_new(NULL);
	const json_t *device = json_object_get(receipt, "device");
	const json_t *candidates = json_object_get(receipt, "candidates");

	/* Lines end as on the computers into which such sticks go next. */
	g_string_append_printf(text, "%-8s %s (%s)\r\n", "device", get_string(device, "name"),
			       get_string(device, "uuid"));
	g_string_append_printf(text, "%-8s %s\r\n%-8s %s\r\n", "begun",
			       get_string(receipt, "begun"), "ended", get_string(receipt, "ended"));
	g_string_append_printf(text, "%-8s %d: %s\r\n",
			       g_str_equal(get_string(receipt, "step"), "run") ? "reboot"
									       : "result",
			       (int)json_integer_value(json_object_get(receipt, "status")),
			       get_string(receipt, "text"));
	append_target(text, "before", json_object_get(receipt, "before"));
	append_target(text, "after", json_object_get(receipt, "after"));
	for (size_t i = 0; i < json_array_size(candidates); i++) {
		const json_t *one = json_array_get(candidates, i);

		g_string_append_printf(text, "%s %s: %s: %s\r\n",
				       json_is_true(json_object_get(one, "chosen")) ? "*" : "-",
				       get_string(one, "path"), get_string(one, "verdict"),
				       get_string(one, "reason"));
	}
	return g_string_free(text, FALSE);
}

char *
satchel_receipt_stem(const char *device, gint64 at_s)
{
	g_autofree char *name = g_strndup(device, MAX_DEVICE_BYTES);
	g_autofree char *time = satchel_utc_time_format(at_s);

	g_strcanon(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-", '_');
	return g_strdup_printf(PREFIX "%s-%.4s%.2s%.2s-", name, time, time + 5, time + 8);
}

gboolean
satchel_receipt_name_parse(const char *file_name, guint *date, guint *number)
{
	g_auto(GStrv) words = g_strsplit(file_name, "-", -1);
	guint n = g_strv_length(words);
	char *suffix = n > 0 ? strchr(words[n - 1], '.') : NULL;
	guint64 day = 0;
	guint64 count = 0;

	if (!g_str_has_prefix(file_name, PREFIX) || n < 4 || suffix == NULL ||
	    !g_str_equal(suffix, ".json"))
		return FALSE;
	*suffix = '\0';
	if (!g_ascii_string_to_unsigned(words[n - 1], 10, 1, 999999, &count, NULL) ||
	    !g_ascii_string_to_unsigned(words[n - 2], 10, 10000, 99999999, &day, NULL))
		return FALSE;
	*date = (guint)day;
	*number = (guint)count;
	return TRUE;
}
