#include "../verify/cancel.h"
#include "callbacks.h"
#include "held_objects.h"
#include "ostree_deploy.h"
#include "ostree_pull.h"
#include "update_apps.h"
#include "update_boot.h"
#include "update_run.h"
#include <satchel/bundle_reader.h>

static gboolean
fail_nothing(GError **error)
{
	g_set_error(
		error, SATCHEL_ERROR, SATCHEL_ERROR_ROLLBACK_TARGET_NOT_FOUND,
		"there is nothing to go back to: no other target has worked on this device that "
		"is not below the downgrade floor");
	return FALSE;
}

/* ---- what is pending was never booted */

/* The present state says that it is pending, and stays so until the one that runs is the default
 * again: cut off in between, the next boot tells, and `run` says that it went back. */
static gboolean
cancel_pending(SatchelDevice *device, GCancellable *cancellable, SatchelOutcome *outcome,
	       GError **error)
{
	const char *keep[3] = {NULL};
	g_autoptr(GError) local_error = NULL;

	satchel_update_run_list_kept(device, keep);
	if (!satchel_ostree_deploy_existing(device->sysroot,
					    satchel_device_get_running_commit(device), keep,
					    &local_error)) {
		if (!g_error_matches(local_error, SATCHEL_ERROR, SATCHEL_ERROR_BUSY))
			local_error->code = SATCHEL_ERROR_ROLLBACK_FAILED;
		g_propagate_prefixed_error(error, g_steal_pointer(&local_error),
					   "%s stays installed: ", device->state->pending->name);
		return FALSE;
	}
	satchel_update_boot_withdraw(device);
	satchel_state_failed(device->state, device->clock_s, SATCHEL_ROLLBACK_BY_HAND);
	if (!satchel_device_save(device, error))
		return FALSE;
	satchel_update_run_forget_reboot(device);
	*outcome = SATCHEL_OUTCOME_DONE;
	return satchel_update_apps_return_noted(device, cancellable, error);
}

/* With the callbacks of aktualizr-lite, which installs what runs anew. */
static gboolean
call_off(SatchelDevice *device, GCancellable *cancellable, SatchelOutcome *outcome, GError **error)
{
	g_autofree char *pending = g_strdup(device->state->pending->name);
	const SatchelStateTarget *running = satchel_device_get_running_target(device);
	g_autofree char *name = g_strdup(running != NULL ? running->name : NULL);
	g_autoptr(GError) local_error = NULL;
	gboolean good;

	satchel_callbacks_tell(device, SATCHEL_CALLBACK_INSTALL_POST, pending,
			       "FAILED: " SATCHEL_ROLLBACK_BY_HAND);
	satchel_callbacks_tell(device, SATCHEL_CALLBACK_INSTALL_PRE, name, NULL);
	good = cancel_pending(device, cancellable, outcome, &local_error);
	satchel_callbacks_tell_result(device, SATCHEL_CALLBACK_INSTALL_POST, name,
				      SATCHEL_CALLBACK_OK, local_error);
	if (!good)
		g_propagate_error(error, g_steal_pointer(&local_error));
	return good;
}

/* ---- what runs is left */

/* The bundle needs no metadata for this: the device knows the commit, and every object is hashed.
 */
static gboolean
pull_target(SatchelDevice *device, const SatchelStateTarget *target, const char *path,
	    GCancellable *cancellable, GError **error)
{
	g_autofree char *absolute = g_canonicalize_filename(path, NULL);
	g_autoptr(GError) local_error = NULL;
	g_autoptr(SatchelBundleReader) bundle = satchel_bundle_reader_open(absolute, &local_error);

	if (bundle != NULL && satchel_ostree_pull(bundle, device->sysroot, target->commit,
						  &device->sink, cancellable, &local_error))
		return TRUE;
	/* No bundle there is a bundle without content. */
	if (bundle == NULL)
		local_error->code = SATCHEL_ERROR_NO_TARGET_CONTENT;
	g_propagate_error(error, g_steal_pointer(&local_error));
	return FALSE;
}

static gboolean
pull_and_tell(SatchelDevice *device, const SatchelStateTarget *target, const char *path,
	      GCancellable *cancellable, GError **error)
{
	g_autoptr(GError) local_error = NULL;
	gboolean good;

	satchel_callbacks_tell(device, SATCHEL_CALLBACK_DOWNLOAD_PRE, target->name, NULL);
	good = pull_target(device, target, path, cancellable, &local_error);
	satchel_callbacks_tell_result(device, SATCHEL_CALLBACK_DOWNLOAD_POST, target->name,
				      SATCHEL_CALLBACK_OK, local_error);
	if (!good)
		g_propagate_error(error, g_steal_pointer(&local_error));
	return good;
}

static gboolean
fetch_content(SatchelDevice *device, const SatchelStateTarget *target, const char *path,
	      GCancellable *cancellable, GError **error)
{
	g_autoptr(GError) local_error = NULL;

	if (satchel_held_objects_check_commit(device->sysroot, target->commit, &device->sink,
					      cancellable, &local_error))
		return TRUE;
	if (g_error_matches(local_error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED) &&
	    path != NULL)
		return pull_and_tell(device, target, path, cancellable, error);
	g_propagate_prefixed_error(error, g_steal_pointer(&local_error),
				   "the content of %s, to which the device would go back, is not "
				   "whole any more: ",
				   target->name);
	return FALSE;
}

static gboolean
reject_and_begin(SatchelDevice *device, const SatchelStateTarget *target, const char *reason,
		 gboolean blame, GError **error)
{
	const SatchelStateTarget *running = satchel_device_get_running_target(device);

	if (device->state->pending != NULL && !blame)
		satchel_state_put_off(device->state, device->clock_s, reason);
	else if (device->state->pending != NULL)
		satchel_state_failed(device->state, device->clock_s, reason);
	else if (running != NULL)
		satchel_state_reject(device->state, running, device->clock_s, reason);
	return satchel_update_run_begin(device, target, NULL, error);
}

/* The device runs what it ran, and knows what it knew. @confirmed: what runs has worked. */
static gboolean
undo(SatchelDevice *device, GBytes *before, gboolean confirmed, GError *cause, GError **error)
{
	g_autoptr(GError) owned = cause;
	g_autoptr(GError) local_error = NULL;
	SatchelState *state = satchel_state_parse(before, &local_error);

	if (state != NULL) {
		satchel_state_free(device->state);
		device->state = state;
	}
	if (state == NULL || !satchel_device_save(device, &local_error)) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_ROLLBACK_FAILED,
			    "the rollback failed: %s; and %s", owned->message,
			    local_error->message);
		return FALSE;
	}
	if (!g_error_matches(owned, SATCHEL_ERROR, SATCHEL_ERROR_BUSY) &&
	    !g_error_matches(owned, SATCHEL_ERROR, SATCHEL_ERROR_CANCELLED))
		owned->code = confirmed ? SATCHEL_ERROR_ROLLED_BACK : SATCHEL_ERROR_ROLLBACK_FAILED;
	g_propagate_prefixed_error(error, g_steal_pointer(&owned),
				   "the rollback failed, the device stays as it is: ");
	return FALSE;
}

/* The state that tells of the rollback could not be written. One that did not fit never was: the
 * file is the old one, and writing that again would fail as well. */
static gboolean
stay(SatchelDevice *device, GBytes *before, gboolean confirmed, GError *cause, GError **error)
{
	SatchelState *state = NULL;

	if (!g_error_matches(cause, SATCHEL_ERROR, SATCHEL_ERROR_NO_SPACE))
		return undo(device, before, confirmed, cause, error);
	state = satchel_state_parse(before, NULL);
	if (state != NULL) {
		satchel_state_free(device->state);
		device->state = state;
	}
	g_propagate_prefixed_error(error, cause,
				   "the rollback failed, the device stays as it is: ");
	return FALSE;
}

/* May the boot loader get it back? */
static gboolean
check_boot(SatchelDevice *device, const SatchelStateTarget *target, gboolean confirmed,
	   GError **error)
{
	g_autofree char *refusal = NULL;

	if (!satchel_update_boot_check(device, target->commit, &refusal, error))
		return FALSE;
	if (refusal != NULL)
		g_set_error(error, SATCHEL_ERROR,
			    confirmed ? SATCHEL_ERROR_ROLLED_BACK : SATCHEL_ERROR_ROLLBACK_FAILED,
			    "the rollback failed, the device stays as it is: %s: %s", target->name,
			    refusal);
	return refusal == NULL;
}

static gboolean
leave_running(SatchelDevice *device, const SatchelStateTarget *target, gboolean existing,
	      const char *reason, gboolean blame, GCancellable *cancellable, GError **error)
{
	g_autoptr(GBytes) before = satchel_state_serialize(device->state);
	gboolean confirmed = device->state->pending == NULL;
	gboolean unchanged = FALSE;
	g_autoptr(GError) local_error = NULL;

	if (!check_boot(device, target, confirmed, error))
		return FALSE;
	if (!reject_and_begin(device, target, reason, blame, &local_error))
		return stay(device, before, confirmed, g_steal_pointer(&local_error), error);
	if (satchel_update_run_deploy(device, existing, cancellable, &unchanged, &local_error))
		return TRUE;
	if (unchanged)
		return undo(device, before, confirmed, g_steal_pointer(&local_error), error);
	g_propagate_error(error, g_steal_pointer(&local_error));
	return FALSE;
}

static gboolean
go_back(SatchelDevice *device, const SatchelStateTarget *target, const char *path,
	GCancellable *cancellable, GError **error)
{
	gboolean existing = satchel_sysroot_has_deployment(device->sysroot, target->commit);
	g_autoptr(GError) local_error = NULL;
	gboolean good;

	if (!existing && !fetch_content(device, target, path, cancellable, error))
		return FALSE;
	/* Told and not asked: nobody keeps a device from what has worked. */
	if (device->state->pending != NULL)
		satchel_callbacks_tell(device, SATCHEL_CALLBACK_INSTALL_POST,
				       device->state->pending->name,
				       "FAILED: " SATCHEL_ROLLBACK_BY_HAND);
	satchel_callbacks_tell(device, SATCHEL_CALLBACK_INSTALL_PRE, target->name, NULL);
	good = leave_running(device, target, existing, SATCHEL_ROLLBACK_BY_HAND, TRUE, cancellable,
			     &local_error);
	satchel_callbacks_tell_result(device, SATCHEL_CALLBACK_INSTALL_POST, target->name,
				      SATCHEL_CALLBACK_NEEDS_COMPLETION, local_error);
	if (!good)
		g_propagate_error(error, g_steal_pointer(&local_error));
	return good;
}

gboolean
satchel_update_rollback_leave(SatchelDevice *device, const GError *cause, gboolean blame,
			      GCancellable *cancellable, GError **error)
{
	SatchelSysrootFacts facts = satchel_device_get_facts(device);
	g_autoptr(SatchelStateTarget) target = NULL;
	gboolean existing;

	/* It was started, whether the sysroot itself runs or not. */
	facts.runs = TRUE;
	if (satchel_update_plan_rollback(device->state, &facts, satchel_device_get_floor(device),
					 &target) != SATCHEL_ROLLBACK_LEAVE)
		return fail_nothing(error);
	existing = satchel_sysroot_has_deployment(device->sysroot, target->commit);
	return (existing || fetch_content(device, target, NULL, cancellable, error)) &&
	       leave_running(device, target, existing, cause->message, blame, cancellable, error);
}

gboolean
satchel_update_rollback(SatchelDevice *device, const char *path, GCancellable *cancellable,
			SatchelOutcome *outcome, GError **error)
{
	SatchelSysrootFacts facts = satchel_device_get_facts(device);
	gint64 lowest_version = satchel_device_get_floor(device);
	g_autoptr(SatchelStateTarget) target = NULL;

	if (!satchel_device_check_update(device, error) ||
	    !satchel_cancel_check(cancellable, error))
		return FALSE;
	switch (satchel_update_plan_rollback(device->state, &facts, lowest_version, &target)) {
	case SATCHEL_ROLLBACK_NOTHING:
		break;
	case SATCHEL_ROLLBACK_CANCEL:
		return call_off(device, cancellable, outcome, error);
	case SATCHEL_ROLLBACK_LEAVE:
		*outcome = SATCHEL_OUTCOME_NEEDS_REBOOT;
		return go_back(device, target, path, cancellable, error);
	}
	return fail_nothing(error);
}
