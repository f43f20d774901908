#include "media_receipt.h"
#include "receipt_sign.h"
#include "receipt_store.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Below the folder of the state. */
#define RECEIPTS_DIR "receipts"

/* As many of the last ones are looked through for what a stick lacks. */
#define MAX_DELIVERED 16u

static const char *
get_device_name(const SatchelDevice *device)
{
	return device->identity.uuid != NULL ? device->identity.uuid : g_get_host_name();
}

void
satchel_media_receipt_take_device(SatchelReceipt *receipt, const SatchelDevice *device)
{
	receipt->device_uuid = device->identity.uuid;
	receipt->device_name = g_get_host_name();
	receipt->hardware_id = device->settings->hardware_id;
	receipt->tags = (const char *const *)device->settings->tags;
}

static SatchelReceiptTarget
target_of(const SatchelStateTarget *target, const char *commit)
{
	if (target == NULL)
		return (SatchelReceiptTarget){.version = -1, .commit = commit};
	return (SatchelReceiptTarget){target->name, target->version, target->commit};
}

SatchelReceiptTarget
satchel_media_receipt_running(const SatchelDevice *device)
{
	return target_of(satchel_device_get_running_target(device),
			 satchel_device_get_running_commit(device));
}

SatchelReceiptTarget
satchel_media_receipt_coming(const SatchelDevice *device)
{
	if (device->state->pending == NULL)
		return satchel_media_receipt_running(device);
	return target_of(device->state->pending, NULL);
}

/* -1 with errno. */
static int
open_folder(const SatchelDevice *device, gboolean make)
{
	if (make && mkdirat(device->dir_fd, RECEIPTS_DIR, 0700) != 0 && errno != EEXIST)
		return -1;
	return openat(device->dir_fd, RECEIPTS_DIR,
		      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* The name; NULL with @error. (transfer full) */
static char *
keep(SatchelDevice *device, const char *stem, const json_t *document, GError **error)
{
	int folder = open_folder(device, TRUE);
	char *name = NULL;

	if (folder < 0) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
			    "no receipt can be kept: %s", g_strerror(errno));
		return NULL;
	}
	name = satchel_receipt_store_add(folder, stem, document, error);
	satchel_receipt_store_prune(folder);
	close(folder);
	return name;
}

json_t *
satchel_media_receipt_keep(SatchelDevice *device, const SatchelReceipt *receipt, char **name,
			   GError **error)
{
	g_autofree char *stem = satchel_receipt_stem(get_device_name(device), receipt->ended_s);
	g_autoptr(GError) local_error = NULL;
	json_t *document = satchel_receipt_sign(satchel_receipt_to_json(receipt),
						device->settings->client_key, &local_error);

	if (local_error != NULL)
		satchel_device_remark(device, "error: the receipt is not signed: %s",
				      local_error->message);
	*name = keep(device, stem, document, error);
	return document;
}

static gboolean
is_of_medium(const json_t *document, const char *medium)
{
	const json_t *signed_part = json_object_get(document, "signed");

	return g_strcmp0(json_string_value(json_object_get(signed_part, "medium")), medium) == 0;
}

static gboolean
is_of_step(const json_t *document, const char *step)
{
	const json_t *signed_part = json_object_get(document, "signed");

	return g_strcmp0(json_string_value(json_object_get(signed_part, "step")), step) == 0;
}

/* What came of the stick's last update was known only when the stick was away, perhaps. */
static void
deliver_later_ones(const SatchelDevice *device, int stick_fd, const char *medium)
{
	int folder = open_folder(device, FALSE);
	g_auto(GStrv) names = folder >= 0 ? satchel_receipt_store_list(folder) : NULL;
	guint n = names != NULL ? g_strv_length(names) : 0;

	for (guint i = n > MAX_DELIVERED ? n - MAX_DELIVERED : 0; i < n; i++) {
		json_t *one = satchel_receipt_store_read(folder, names[i], NULL);

		/* One that is there already, or does not fit, is let be. */
		if (one != NULL && is_of_step(one, "run") && is_of_medium(one, medium))
			(void)satchel_receipt_store_add_named(stick_fd, names[i], one, NULL);
		json_decref(one);
	}
	if (folder >= 0)
		close(folder);
}

gboolean
satchel_media_receipt_deliver(const SatchelDevice *device, int stick_fd, const char *name,
			      const json_t *document, const char *medium, GError **error)
{
	g_autofree char *stem = satchel_receipt_stem(get_device_name(device), device->clock_s);
	g_autofree char *other = NULL;
	g_autoptr(GError) local_error = NULL;

	if (medium != NULL)
		deliver_later_ones(device, stick_fd, medium);
	if (name != NULL && satchel_receipt_store_add_named(stick_fd, name, document, &local_error))
		return TRUE;
	if (local_error != NULL) {
		g_propagate_error(error, g_steal_pointer(&local_error));
		return FALSE;
	}
	/* Of a device whose storage was made anew. */
	other = satchel_receipt_store_add(stick_fd, stem, document, error);
	return other != NULL;
}

char *
satchel_media_receipt_find_medium(const SatchelDevice *device, const char *commit)
{
	json_t *all = satchel_media_receipt_list(device);
	char *medium = NULL;

	for (size_t i = json_array_size(all); i > 0 && medium == NULL; i--) {
		const json_t *one = json_object_get(json_array_get(all, i - 1), "signed");
		const json_t *after = json_object_get(one, "after");
		const char *found = json_string_value(json_object_get(after, "commit"));

		if (g_strcmp0(found, commit) == 0)
			medium = g_strdup(json_string_value(json_object_get(one, "medium")));
	}
	json_decref(all);
	return medium;
}

json_t *
satchel_media_receipt_list(const SatchelDevice *device)
{
	int folder = device->dir_fd >= 0 ? open_folder(device, FALSE) : -1;
	g_auto(GStrv) names = folder >= 0 ? satchel_receipt_store_list(folder) : NULL;
	json_t *all = json_array();

	for (guint i = 0; names != NULL && names[i] != NULL; i++) {
		json_t *one = satchel_receipt_store_read(folder, names[i], NULL);

		if (one == NULL)
			continue;
		json_object_set_new(one, "name", json_string(names[i]));
		json_array_append_new(all, one);
	}
	if (folder >= 0)
		close(folder);
	return all;
}
