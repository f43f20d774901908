#include "../verify/cancel.h"
#include "../verify/path_safety.h"
#include "device_parts.h"
#include "media_turn.h"
#include "media_update.h"
#include "update_run.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

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

/* What cannot be mounted is told like what cannot be read. */
static gboolean
open_stick(SatchelMediaUpdate *update, const SatchelMediaDevice *stick, GError **error)
{
	g_autoptr(GError) local_error = NULL;

	update->stick = stick;
	update->mount = satchel_media_mount_new(stick, update->device->settings->media->run_dir,
						&local_error);
	if (update->mount != NULL)
		return open_folder(update, satchel_media_mount_get_path(update->mount), error);
	satchel_media_update_fail(update, local_error);
	g_propagate_error(error, g_steal_pointer(&local_error));
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

/* Who is told, of one stick, while the device is open. */
static gboolean
serve(const Request *self, SatchelDevice *device, const SatchelMediaDevice *stick,
      SatchelOutcome *outcome, GError **error)
{
	g_autoptr(SatchelSignals) signals = satchel_signals_new(device->settings->signals);
	g_autoptr(SatchelMediaMount) mount = NULL;
	g_auto(SatchelMediaUpdate) update = {
		.device = device,
		.config_paths = self->config_paths,
		.signals = signals,
		.root_fd = -1,
		.cancellable = self->cancellable,
	};
	gboolean good;

	if (self->listener != NULL)
		update.listener = *self->listener;
	satchel_device_set_progress(device, update.listener.progress);
	good = stick != NULL ? open_stick(&update, stick, error)
			     : open_folder(&update, self->path, error);
	mount = update.mount;
	return good && satchel_media_update_run(&update, outcome, error) &&
	       (*outcome != SATCHEL_OUTCOME_NEEDS_REBOOT || reboot(device, error));
}

static gboolean
wait_for_turn(const Request *self, const SatchelMediaDevice *stick, const char *run_dir,
	      GError **error)
{
	gboolean told = FALSE;

	while (satchel_media_turn_take(stick, run_dir) > 0) {
		if (!told)
			say(self, "this stick comes and goes; it is served in a while");
		told = TRUE;
		if (!wait_a_while(self, error))
			return FALSE;
	}
	return TRUE;
}

/* The configuration without a lock, for what is decided before. */
static SatchelDevice *
open_to_look(const Request *self, GError **error)
{
	return satchel_device_open(self->config_paths, SATCHEL_DEVICE_READ_ONLY, error);
}

static gboolean
prepare_stick(const Request *self, SatchelMediaDevice **stick, gboolean *enabled, GError **error)
{
	g_autoptr(SatchelDevice) device = open_to_look(self, error);
	struct stat info = {0};

	if (device == NULL)
		return FALSE;
	*enabled = device->settings->media->enabled;
	if (!*enabled) {
		say(self, "sticks are not served (media.enabled)");
		return TRUE;
	}
	if (stat(self->path, &info) == 0 && S_ISDIR(info.st_mode))
		return TRUE;
	*stick = satchel_media_device_look_up(self->path, device->settings->media, error);
	return *stick != NULL &&
	       wait_for_turn(self, *stick, device->settings->media->run_dir, error);
}

gboolean
satchel_media_serve(const char *const *config_paths, const char *path,
		    const SatchelMediaListener *listener, GCancellable *cancellable,
		    SatchelOutcome *outcome, GError **error)
{
	Request request = {config_paths, path, listener, cancellable};
	g_autoptr(SatchelMediaDevice) stick = NULL;
	g_autoptr(SatchelDevice) device = NULL;

	gboolean enabled = FALSE;

	*outcome = SATCHEL_OUTCOME_DONE;
	if (!prepare_stick(&request, &stick, &enabled, error))
		return FALSE;
	if (!enabled)
		return TRUE;
	device = open_device(&request, error);
	return device != NULL && check_reboot(device, error) &&
	       serve(&request, device, stick, outcome, error);
}

/* ---- after the reboot */

/* What the pending release is the way back from, unless somebody wanted to go back. (nullable) */
static const SatchelStateEvent *
find_failed(const SatchelState *state)
{
	for (guint i = state->events->len; i > 0; i--) {
		const SatchelStateEvent *event = g_ptr_array_index(state->events, i - 1);

		if (event->kind == SATCHEL_STATE_EVENT_FAILED)
			return state->from_commit != NULL &&
					       g_strcmp0(event->commit, state->from_commit) == 0 &&
					       g_strcmp0(event->reason, SATCHEL_ROLLBACK_BY_HAND) !=
						       0
				       ? event
				       : NULL;
	}
	return NULL;
}

/* (transfer full) */
static char *
describe_finalized(const SatchelState *state, const SatchelStateEvent *failed)
{
	if (failed != NULL)
		return g_strdup_printf("%s runs again; %s failed: %s", state->pending->name,
				       failed->name,
				       failed->reason != NULL ? failed->reason : "no reason known");
	return g_strdup_printf("%s runs", state->pending->name);
}

/* @went_back: what runs is not what the stick brought. */
static void
tell_finalized(SatchelDevice *device, SatchelOutcome outcome, const GError *failure,
	       gboolean went_back, const char *text)
{
	g_autoptr(SatchelSignals) signals = satchel_signals_new(device->settings->signals);

	if (g_error_matches(failure, SATCHEL_ERROR, SATCHEL_ERROR_NO_PENDING_INSTALLATION))
		satchel_signals_tell(signals, SATCHEL_SIGNAL_IDLE, -1, NULL);
	else if (failure != NULL)
		satchel_signals_tell(signals, SATCHEL_SIGNAL_FAILED, -1, failure->message);
	else if (outcome != SATCHEL_OUTCOME_DONE)
		satchel_signals_tell(signals, SATCHEL_SIGNAL_REBOOTING, -1, text);
	else
		satchel_signals_tell(
			signals, went_back ? SATCHEL_SIGNAL_FAILED : SATCHEL_SIGNAL_DONE, -1, text);
}

/* The final verdict, of what a stick has brought or anybody else. */
static void
keep_final_receipt(SatchelDevice *device, const char *pending_commit, SatchelOutcome outcome,
		   const GError *failure, const char *text)
{
	g_autofree char *medium = satchel_media_receipt_find_medium(device, pending_commit);
	g_autofree char *name = NULL;
	g_autoptr(GError) local_error = NULL;
	SatchelReceipt receipt = {
		.step = "run",
		.medium = medium,
		.begun_s = device->clock_s,
		.ended_s = device->clock_s,
		.status = (int)satchel_status_from_result(outcome, failure),
		.text = failure != NULL ? failure->message : text,
		.before = {.version = -1},
		.after = satchel_media_receipt_running(device),
	};

	satchel_media_receipt_take_device(&receipt, device);
	json_decref(satchel_media_receipt_keep(device, &receipt, &name, &local_error));
	if (local_error != NULL)
		satchel_device_remark(device, "%s", local_error->message);
}

gboolean
satchel_media_finalize(SatchelDevice *device, GCancellable *cancellable, SatchelOutcome *outcome,
		       GError **error)
{
	const SatchelStateTarget *pending = device->state->pending;
	const SatchelStateEvent *failed = pending != NULL ? find_failed(device->state) : NULL;
	gboolean went_back = failed != NULL;
	/* The stick that brought it is to be told. */
	g_autofree char *commit = went_back	    ? g_strdup(failed->commit)
				  : pending != NULL ? g_strdup(pending->commit)
						    : NULL;
	g_autofree char *text = pending != NULL ? describe_finalized(device->state, failed) : NULL;
	g_autoptr(GError) failure = NULL;

	if (satchel_update_finalize(device, cancellable, outcome, &failure)) {
		/* Not rebooted yet: the verdict is still to come. */
		if (*outcome == SATCHEL_OUTCOME_NEEDS_REBOOT)
			return TRUE;
	}
	tell_finalized(device, *outcome, failure, went_back, text);
	/* What still waits has no final verdict yet, but for the way back from what failed. */
	if (commit != NULL &&
	    (device->state->pending == NULL ||
	     g_error_matches(failure, SATCHEL_ERROR, SATCHEL_ERROR_ROLLBACK_NEEDS_REBOOT)))
		keep_final_receipt(device, commit, *outcome, failure, text);
	if (failure == NULL)
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&failure));
	return FALSE;
}

void
satchel_media_reboot_again(SatchelDevice *device, SatchelOutcome outcome, const GError *failure)
{
	g_autoptr(GError) local_error = NULL;
	gboolean due = failure != NULL ? g_error_matches(failure, SATCHEL_ERROR,
							 SATCHEL_ERROR_ROLLBACK_NEEDS_REBOOT)
				       : outcome == SATCHEL_OUTCOME_REBOOT_FOR_BOOT_FIRMWARE;

	if (due && !reboot(device, &local_error))
		satchel_device_remark(device, "%s", local_error->message);
}

/* ---- history */

char *
satchel_media_history(const SatchelDevice *device, gboolean json)
{
	json_t *all = satchel_media_receipt_list(device);
	GString *text = g_string_new(NULL);

	if (json) {
		char *dumped = json_dumps(all, JSON_INDENT(2) | JSON_SORT_KEYS);

		g_string_append_printf(text, "%s\n", dumped);
		free(dumped);
	}
	for (size_t i = 0; !json && i < json_array_size(all); i++) {
		const json_t *one = json_array_get(all, i);
		g_autofree char *receipt =
			satchel_receipt_json_to_text(json_object_get(one, "signed"));
		g_auto(GStrv) lines = g_strsplit(receipt, "\r", -1);
		g_autofree char *plain = g_strjoinv("", lines);

		g_string_append_printf(text, "%s%s\n%s", i > 0 ? "\n" : "",
				       json_string_value(json_object_get(one, "name")), plain);
	}
	json_decref(all);
	return g_string_free(text, FALSE);
}
