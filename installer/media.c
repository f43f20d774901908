#include "../verify/cancel.h"
#include "../verify/path_safety.h"
#include "device_parts.h"
#include "media_update.h"
#include <errno.h>
#include <fcntl.h>

/* How often it is asked whether another updater is done. */
#define WAIT_MS 500

/* One request to serve a stick. */
typedef struct {
	const char *const *config_paths;
	const char *path;
	const SatchelMediaListener *listener;
	GCancellable *cancellable;
} Request;

static void
say(const Request *self, const char *line)
{
	if (self->listener != NULL && self->listener->say != NULL)
		self->listener->say(line, self->listener->user_data);
}

static gboolean
wait_a_while(const Request *self, GError **error)
{
	GPollFD end = {0};

	if (g_cancellable_make_pollfd(self->cancellable, &end)) {
		(void)g_poll(&end, 1, WAIT_MS);
		g_cancellable_release_fd(self->cancellable);
	} else {
		(void)g_poll(NULL, 0, WAIT_MS);
	}
	return satchel_cancel_check(self->cancellable, error);
}

/* The device's lock keeps other updaters out, and another stick: whoever comes second waits. */
static SatchelDevice *
open_device(const Request *self, GError **error)
{
	gboolean told = FALSE;

	for (;;) {
		g_autoptr(GError) local_error = NULL;
		SatchelDevice *device = satchel_device_open(self->config_paths,
							    SATCHEL_DEVICE_UPDATE, &local_error);

		if (device != NULL)
			return device;
		if (!g_error_matches(local_error, SATCHEL_ERROR, SATCHEL_ERROR_BUSY)) {
			g_propagate_error(error, g_steal_pointer(&local_error));
			return NULL;
		}
		if (!told)
			say(self, "this stick waits: another stick, or another updater, is at "
				  "work");
		told = TRUE;
		if (!wait_a_while(self, error))
			return NULL;
	}
}

static gboolean
open_folder(SatchelMediaUpdate *update, const char *path, GError **error)
{
	g_autofree char *quoted = NULL;

	update->folder = path;
	update->root_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (update->root_fd >= 0)
		return TRUE;
	quoted = satchel_path_quote(path);
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED, "%s: %s", quoted,
		    g_strerror(errno));
	return FALSE;
}

/* A reboot that cannot be asked for is told before anything is done. */
static gboolean
check_reboot(const SatchelDevice *device, GError **error)
{
	return !device->settings->media->reboot || satchel_device_check_reboot(device, error);
}

static gboolean
reboot(const SatchelDevice *device, GError **error)
{
	return !device->settings->media->reboot || satchel_device_reboot(device, error);
}

gboolean
satchel_media_serve(const char *const *config_paths, const char *path,
		    const SatchelMediaListener *listener, GCancellable *cancellable,
		    SatchelOutcome *outcome, GError **error)
{
	Request request = {config_paths, path, listener, cancellable};
	g_autoptr(SatchelDevice) device = open_device(&request, error);
	g_auto(SatchelMediaUpdate) update = {.root_fd = -1};

	if (device == NULL || !check_reboot(device, error) || !open_folder(&update, path, error))
		return FALSE;
	update.device = device;
	update.cancellable = cancellable;
	if (listener != NULL) {
		update.listener = *listener;
		satchel_device_set_progress(device, listener->progress);
	}
	if (!satchel_media_update_run(&update, outcome, error))
		return FALSE;
	return *outcome != SATCHEL_OUTCOME_NEEDS_REBOOT || reboot(device, error);
}
