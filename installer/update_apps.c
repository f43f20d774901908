#include "update_apps.h"
#include "../verify/cancel.h"
#include "device_apps.h"
#include "update_run.h"

/* Nothing was learned about the apps: the same again, later. */
static gboolean
is_no_verdict(const GError *cause)
{
	return g_error_matches(cause, SATCHEL_ERROR, SATCHEL_ERROR_CANCELLED) ||
	       g_error_matches(cause, SATCHEL_ERROR, SATCHEL_ERROR_ENGINE_UNREACHABLE);
}

gboolean
satchel_update_apps_return(SatchelDevice *device, GCancellable *cancellable, GError **error)
{
	const SatchelStateTarget *running = satchel_device_get_running_target(device);
	g_autoptr(GError) local_error = NULL;

	/* What the device came with, and nobody has told about: its apps were never ours. */
	if (running == NULL ||
	    satchel_device_apps_start(device, running, cancellable, &local_error))
		return TRUE;
	if (!is_no_verdict(local_error))
		local_error->code = SATCHEL_ERROR_ROLLBACK_FAILED;
	g_propagate_prefixed_error(error, g_steal_pointer(&local_error),
				   "the apps of %s do not run again: ", running->name);
	return FALSE;
}

gboolean
satchel_update_apps_return_noted(SatchelDevice *device, GCancellable *cancellable, GError **error)
{
	g_autoptr(GError) local_error = NULL;

	if (satchel_update_apps_return(device, cancellable, &local_error))
		return TRUE;
	/* Whoever repeats what has been done already would leave what runs as well. */
	if (g_error_matches(local_error, SATCHEL_ERROR, SATCHEL_ERROR_CANCELLED)) {
		satchel_device_remark(device, "%s; 'run' starts them", local_error->message);
		return TRUE;
	}
	if (g_error_matches(local_error, SATCHEL_ERROR, SATCHEL_ERROR_ENGINE_UNREACHABLE))
		local_error->code = SATCHEL_ERROR_ROLLBACK_FAILED;
	g_propagate_error(error, g_steal_pointer(&local_error));
	return FALSE;
}

gboolean
satchel_update_apps_keep(SatchelDevice *device, GCancellable *cancellable, GError **error)
{
	const SatchelStateTarget *running = satchel_device_get_running_target(device);
	g_autoptr(GError) local_error = NULL;

	if (running == NULL || satchel_device_apps_are_running(device, running) ||
	    satchel_device_apps_keep_up(device, running, cancellable, &local_error))
		return TRUE;
	if (!satchel_cancel_check(cancellable, error))
		return FALSE;
	satchel_device_remark(device,
			      "the apps of %s are not started: %s; the next 'run' tries it again",
			      running->name, local_error->message);
	return TRUE;
}

/* Of what runs and did before: condemned, it would be left for an older release. A name that was
 * given to something else since is another target. */
static gboolean
has_worked(const SatchelState *state)
{
	const SatchelStateTarget *current = state->current;

	return current != NULL && !current->untried &&
	       g_str_equal(current->name, state->pending->name) &&
	       g_str_equal(current->commit, state->pending->commit) &&
	       satchel_state_target_has_same_apps(current, state->pending);
}

/* A disk that is full is the device's. */
static gboolean
is_to_blame(const SatchelState *state, const GError *cause)
{
	return !has_worked(state) && !g_error_matches(cause, SATCHEL_ERROR, SATCHEL_ERROR_NO_SPACE);
}

static gboolean
save_failed(SatchelDevice *device, const GError *cause, GError **error)
{
	g_autoptr(GError) local_error = NULL;

	if (is_to_blame(device->state, cause))
		satchel_state_failed(device->state, device->clock_s, cause->message);
	else
		satchel_state_put_off(device->state, device->clock_s, cause->message);
	if (satchel_device_save(device, &local_error))
		return TRUE;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_ROLLBACK_FAILED, "%s; and %s",
		    cause->message, local_error->message);
	return FALSE;
}

/* The apps before run again before the state says so: cut off in between, `run` comes here again.
 */
static gboolean
return_to_apps(SatchelDevice *device, const char *name, const GError *cause,
	       GCancellable *cancellable, GError **error)
{
	const SatchelStateTarget *current = device->state->current;
	gboolean same = current != NULL && g_str_equal(current->name, name);
	gboolean stays = has_worked(device->state);
	g_autoptr(GError) local_error = NULL;
	gboolean good = current != NULL && !same &&
			satchel_update_apps_return(device, cancellable, &local_error);

	if (is_no_verdict(local_error)) {
		g_propagate_prefixed_error(error, g_steal_pointer(&local_error), "%s failed: %s; ",
					   name, cause->message);
		return FALSE;
	}
	if (!save_failed(device, cause, error))
		return FALSE;
	if (good)
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_ROLLED_BACK,
			    "%s failed, the apps before it run again: %s", name, cause->message);
	else
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_ROLLBACK_FAILED,
			    "%s failed: %s; %s", name, cause->message,
			    local_error != NULL ? local_error->message
			    : stays		? "it stays the release that runs"
						: "there are no apps to go back to");
	return FALSE;
}

static gboolean
return_to_system(SatchelDevice *device, const char *name, const GError *cause,
		 GCancellable *cancellable, GError **error)
{
	g_autoptr(GError) local_error = NULL;

	if (satchel_update_rollback_leave(device, cause, is_to_blame(device->state, cause),
					  cancellable, &local_error)) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_ROLLBACK_NEEDS_REBOOT,
			    "%s failed: %s; %s is installed again: reboot, then 'run'", name,
			    cause->message, device->state->pending->name);
		return FALSE;
	}
	if (g_error_matches(local_error, SATCHEL_ERROR, SATCHEL_ERROR_CANCELLED)) {
		g_propagate_error(error, g_steal_pointer(&local_error));
		return FALSE;
	}
	/* Where the target is not to blame, and there is no way back, `run` tries it again. */
	if (device->state->pending != NULL && is_to_blame(device->state, cause) &&
	    !save_failed(device, cause, error))
		return FALSE;
	satchel_update_run_forget_reboot(device);
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_ROLLBACK_FAILED, "%s failed: %s; %s", name,
		    cause->message, local_error->message);
	return FALSE;
}

gboolean
satchel_update_apps_settle(SatchelDevice *device, GCancellable *cancellable, GError **error)
{
	const SatchelStateTarget *pending = device->state->pending;
	gboolean apps_only = g_strcmp0(pending->commit, device->state->from_commit) == 0;
	g_autofree char *name = g_strdup(pending->name);
	g_autoptr(GError) cause = NULL;

	if (satchel_device_apps_start(device, pending, cancellable, &cause))
		return TRUE;
	/* A system of its own may be what keeps the engine away: it was waited for, and on the
	 * system before there was one. */
	if (g_error_matches(cause, SATCHEL_ERROR, SATCHEL_ERROR_CANCELLED) ||
	    (apps_only && is_no_verdict(cause))) {
		g_propagate_prefixed_error(error, g_steal_pointer(&cause),
					   "%s waits for 'run' still: ", name);
		return FALSE;
	}
	return apps_only ? return_to_apps(device, name, cause, cancellable, error)
			 : return_to_system(device, name, cause, cancellable, error);
}

gboolean
satchel_update_apps_install(SatchelDevice *device, const SatchelStateTarget *target,
			    const char *bundle, GCancellable *cancellable, SatchelOutcome *outcome,
			    GError **error)
{
	if (!satchel_device_apps_load(device, target, cancellable, error))
		return FALSE;
	satchel_state_begin(device->state, target, satchel_device_get_running_commit(device),
			    bundle);
	satchel_state_deployed(device->state, device->clock_s);
	if (!satchel_device_save(device, error)) {
		satchel_state_abandon(device->state);
		return FALSE;
	}
	*outcome = SATCHEL_OUTCOME_APPS_NEED_FINALIZATION;
	if (device->delay_apps)
		return TRUE;
	satchel_device_apps_stop_old(device, target);
	return satchel_update_apps_settle(device, cancellable, error) &&
	       satchel_update_run_confirm(device, outcome, error);
}
