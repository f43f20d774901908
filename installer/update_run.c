#include "update_run.h"
#include "../verify/cancel.h"
#include "../verify/target_match.h"
#include "callbacks.h"
#include "current_target.h"
#include "delta_pull.h"
#include "device_apps.h"
#include "held_objects.h"
#include "offer.h"
#include "ostree_deploy.h"
#include "ostree_pull.h"
#include "reboot_sentinel.h"
#include "update_apps.h"
#include "update_boot.h"

gboolean
satchel_update_was_resumed(const SatchelDevice *device, const char *wanted)
{
	const SatchelStateTarget *pending = device->state->pending;
	g_autofree char *version = NULL;

	if (!device->resumed || pending == NULL)
		return FALSE;
	version = g_strdup_printf("%" G_GINT64_FORMAT, pending->version);
	return wanted == NULL || g_str_equal(wanted, pending->name) || g_str_equal(wanted, version);
}

gboolean
satchel_update_check_idle(const SatchelDevice *device, GError **error)
{
	if (device->state->pending == NULL)
		return TRUE;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_INSTALLATION_IN_PROGRESS,
		    "%s is installed and not confirmed yet; reboot, then 'run'",
		    device->state->pending->name);
	return FALSE;
}

/* What the device may be asked to take: of its own offers only, and one at a time. */
static gboolean
check_target(const SatchelDevice *device, const SatchelOffer *offer,
	     const SatchelOstreeTarget *target, GError **error)
{
	if (!satchel_device_check_update(device, error) ||
	    !satchel_offer_check_device(offer, device, error))
		return FALSE;
	/* Not to be looked into: it may be of an offer that is gone. */
	if (!g_ptr_array_find(offer->targets, target, NULL)) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE,
			    "the target is none of the offer's");
		return FALSE;
	}
	return satchel_update_check_idle(device, error) &&
	       satchel_target_check_floor(target, offer->lowest_version, offer->running_commit,
					  error);
}

/* NULL where the bundle has none for what this device has. Borrowed from @offer. */
static const SatchelBundleDelta *
find_delta(const SatchelDevice *device, const SatchelOffer *offer, const char *commit)
{
	const SatchelBundleMeta *meta =
		offer->verdict != NULL ? satchel_verdict_get_bundle_meta(offer->verdict) : NULL;
	const SatchelBundleThin *thin = meta != NULL ? satchel_bundle_meta_get_thin(meta) : NULL;

	return thin == NULL ? NULL
			    : satchel_bundle_thin_find_delta(
				      thin, satchel_sysroot_get_commits(device->sysroot), commit);
}

static gboolean
bring_commit(SatchelDevice *device, const SatchelOffer *offer, const char *commit,
	     GCancellable *cancellable, GError **error)
{
	const SatchelBundleDelta *delta = find_delta(device, offer, commit);

	if (delta != NULL)
		return satchel_delta_pull(offer->bundle, device->sysroot, delta, &device->sink,
					  cancellable, error);
	satchel_delta_pull_forget(satchel_sysroot_get_repo(device->sysroot));
	return satchel_ostree_pull(offer->bundle, device->sysroot, commit, &device->sink,
				   cancellable, error);
}

/* Apps come last: the system may bring what they need, and never the other way round. */
static gboolean
bring(SatchelDevice *device, const SatchelOffer *offer, const SatchelOstreeTarget *target,
      GCancellable *cancellable, GError **error)
{
	g_autoptr(SatchelStateTarget) copy = satchel_state_target_new(target);

	return bring_commit(device, offer, copy->commit, cancellable, error) &&
	       satchel_device_apps_pull(device, offer->bundle, copy, cancellable, error);
}

static gboolean
check_bundle(const SatchelOffer *offer, GError **error)
{
	if (offer->bundle != NULL)
		return TRUE;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE,
		    "the offer is of stored metadata alone: there is no bundle to pull from");
	return FALSE;
}

gboolean
satchel_update_pull(SatchelDevice *device, const SatchelOffer *offer,
		    const SatchelOstreeTarget *target, GCancellable *cancellable, GError **error)
{
	const char *name = NULL;
	g_autoptr(GError) local_error = NULL;
	gboolean good;

	if (!check_target(device, offer, target, error) || !check_bundle(offer, error))
		return FALSE;
	name = satchel_ostree_target_get_name(target);
	if (!satchel_callbacks_ask(device, SATCHEL_CALLBACK_DOWNLOAD_PRE, name, NULL, error))
		return FALSE;
	good = bring(device, offer, target, cancellable, &local_error);
	satchel_callbacks_tell_result(device, SATCHEL_CALLBACK_DOWNLOAD_POST, name,
				      SATCHEL_CALLBACK_OK, local_error);
	if (!good)
		g_propagate_error(error, g_steal_pointer(&local_error));
	return good;
}

static gboolean
check_pulled(const SatchelDevice *device, const SatchelOstreeTarget *target,
	     GCancellable *cancellable, GError **error)
{
	if (satchel_held_objects_check_commit(device->sysroot,
					      satchel_ostree_target_get_commit(target),
					      &device->sink, cancellable, error))
		return TRUE;
	g_prefix_error(error, "the content of %s is not on the device: ",
		       satchel_ostree_target_get_name(target));
	return FALSE;
}

void
satchel_update_run_list_kept(const SatchelDevice *device, const char *keep[3])
{
	guint n = 0;

	if (device->state->from_commit != NULL)
		keep[n++] = device->state->from_commit;
	if (device->state->rollback != NULL)
		keep[n++] = device->state->rollback->commit;
	keep[n] = NULL;
}

static gboolean
note_begun(SatchelDevice *device, const SatchelStateTarget *target, const char *running,
	   const char *bundle, GError **error)
{
	if (satchel_sysroot_is_booted(device->sysroot) &&
	    !satchel_reboot_sentinel_set(device->settings->reboot_sentinel_dir,
					 device->settings->reboot_sentinel_name, error))
		return FALSE;
	satchel_state_begin(device->state, target, running, bundle);
	return satchel_device_save(device, error);
}

gboolean
satchel_update_run_begin(SatchelDevice *device, const SatchelStateTarget *target,
			 const char *bundle, GError **error)
{
	const char *running = satchel_device_get_running_commit(device);

	if (running == NULL) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
			    "sysroot %s has no deployment of '%s' to update",
			    satchel_sysroot_get_path(device->sysroot),
			    satchel_sysroot_get_os(device->sysroot));
		return FALSE;
	}
	if (!satchel_update_boot_arm(device, error))
		return FALSE;
	if (note_begun(device, target, running, bundle, error))
		return TRUE;
	satchel_update_boot_disarm(device);
	return FALSE;
}

/* The deployment failed before its swap: the device is as it was. What another try may cure does
 * not make the target a failing one. */
static gboolean
give_up(SatchelDevice *device, const GError *cause, GError **error)
{
	g_autoptr(GError) local_error = NULL;
	g_autofree char *name = g_strdup(device->state->installing->name);
	gboolean as_it_is = g_error_matches(cause, SATCHEL_ERROR, SATCHEL_ERROR_BUSY) ||
			    g_error_matches(cause, SATCHEL_ERROR, SATCHEL_ERROR_CANCELLED);
	gboolean passing =
		as_it_is || g_error_matches(cause, SATCHEL_ERROR, SATCHEL_ERROR_NO_SPACE);

	if (passing)
		satchel_state_abandon(device->state);
	else
		satchel_state_failed(device->state, device->clock_s, cause->message);
	if (!satchel_device_save(device, &local_error))
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_ROLLED_BACK,
			    "%s was not installed: %s; and %s", name, cause->message,
			    local_error->message);
	else if (as_it_is)
		g_propagate_error(error, g_error_copy(cause));
	else
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_ROLLED_BACK,
			    "%s was not installed, the device stays as it is: %s", name,
			    cause->message);
	return FALSE;
}

/* After an error: did the swap happen all the same? Then the next start finishes it. */
static gboolean
was_swapped(SatchelDevice *device)
{
	SatchelSysrootFacts facts = {0};

	if (!satchel_sysroot_reload(device->sysroot, NULL))
		return TRUE;
	facts = satchel_device_get_facts(device);
	return satchel_update_plan_reconcile(device->state, &facts) == SATCHEL_RECONCILE_DEPLOYED;
}

gboolean
satchel_update_run_deploy(SatchelDevice *device, gboolean existing, GCancellable *cancellable,
			  gboolean *unchanged, GError **error)
{
	const char *commit = device->state->installing->commit;
	const char *keep[3] = {NULL};
	gboolean good = FALSE;

	*unchanged = FALSE;
	satchel_update_run_list_kept(device, keep);
	if (existing)
		good = satchel_ostree_deploy_existing(device->sysroot, commit, keep, error);
	else
		good = satchel_ostree_deploy(device->sysroot, commit, keep, cancellable, error);
	if (!good) {
		*unchanged = !was_swapped(device);
		if (*unchanged)
			satchel_update_boot_disarm(device);
		return FALSE;
	}
	/* Should this fail: the next start finds a deployment that nobody noted, and does it. */
	if (!satchel_update_boot_deployed(device, commit, error))
		return FALSE;
	satchel_state_deployed(device->state, device->clock_s);
	if (!satchel_device_save(device, error))
		return FALSE;
	return satchel_ostree_pull_forget(satchel_sysroot_get_repo(device->sysroot), NULL, error);
}

static gboolean
deploy(SatchelDevice *device, GCancellable *cancellable, GError **error)
{
	g_autoptr(GError) local_error = NULL;
	gboolean unchanged = FALSE;

	if (satchel_update_run_deploy(device, FALSE, cancellable, &unchanged, &local_error))
		return TRUE;
	if (unchanged)
		return give_up(device, local_error, error);
	g_propagate_error(error, g_steal_pointer(&local_error));
	return FALSE;
}

/* May the boot loader get it? A target whose firmware it would not boot is a failing one. */
static gboolean
check_boot(SatchelDevice *device, const SatchelOffer *offer, const SatchelStateTarget *target,
	   GError **error)
{
	g_autofree char *refusal = NULL;
	g_autoptr(GError) cause = NULL;

	if (!satchel_update_boot_check(device, target->commit, &refusal, error))
		return FALSE;
	if (refusal == NULL)
		return TRUE;
	satchel_state_begin(device->state, target, satchel_device_get_running_commit(device),
			    offer->bundle_sha256);
	cause = g_error_new_literal(SATCHEL_ERROR, SATCHEL_ERROR_FAILED, refusal);
	return give_up(device, cause, error);
}

/* The commit that is asked for runs already, under whatever name: what is left are its apps. */
static gboolean
take_running(SatchelDevice *device, const SatchelOffer *offer, const SatchelStateTarget *target,
	     GCancellable *cancellable, SatchelOutcome *outcome, GError **error)
{
	g_autofree char *work = satchel_device_apps_find_work(device, target);

	*outcome = SATCHEL_OUTCOME_DONE;
	if (work != NULL)
		return satchel_update_apps_install(device, target, offer->bundle_sha256,
						   cancellable, outcome, error);
	satchel_state_adopt(device->state, target, device->clock_s);
	if (!satchel_device_save(device, error))
		return FALSE;
	satchel_current_target_update(device);
	return TRUE;
}

/* aktualizr-lite installs what ran before anew when an installation fails, and says so; here it was
 * never left. */
static void
tell_stayed(SatchelDevice *device, const GError *failure)
{
	const SatchelStateTarget *running = satchel_device_get_running_target(device);
	const char *name = running != NULL ? running->name : NULL;

	if (!g_error_matches(failure, SATCHEL_ERROR, SATCHEL_ERROR_ROLLED_BACK))
		return;
	satchel_callbacks_tell(device, SATCHEL_CALLBACK_INSTALL_PRE, name, NULL);
	satchel_callbacks_tell(device, SATCHEL_CALLBACK_INSTALL_POST, name, SATCHEL_CALLBACK_OK);
}

/* What a deployment that failed has stopped before runs again; the deployment's error stays. The
 * state tells of the installation before anything is stopped: cut off, `run` starts it. */
static gboolean
deploy_with_apps(SatchelDevice *device, const SatchelOffer *offer, const SatchelStateTarget *target,
		 GCancellable *cancellable, GError **error)
{
	g_autoptr(GError) local_error = NULL;

	if (!satchel_update_run_begin(device, target, offer->bundle_sha256, error))
		return FALSE;
	satchel_device_apps_stop_old(device, target);
	if (deploy(device, cancellable, error)) {
		satchel_device_apps_create(device, target);
		return TRUE;
	}
	if (!satchel_update_apps_return(device, NULL, &local_error))
		satchel_device_remark(device, "%s", local_error->message);
	return FALSE;
}

static gboolean
put_in_place(SatchelDevice *device, const SatchelOffer *offer, const SatchelStateTarget *target,
	     GCancellable *cancellable, SatchelOutcome *outcome, GError **error)
{
	if (g_strcmp0(satchel_device_get_running_commit(device), target->commit) == 0) {
		gboolean good = take_running(device, offer, target, cancellable, outcome, error);

		satchel_current_target_update(device);
		return good;
	}
	*outcome = SATCHEL_OUTCOME_NEEDS_REBOOT;
	return check_boot(device, offer, target, error) &&
	       satchel_device_apps_load(device, target, cancellable, error) &&
	       deploy_with_apps(device, offer, target, cancellable, error);
}

static gboolean
check_content(SatchelDevice *device, const SatchelOstreeTarget *target, GCancellable *cancellable,
	      GError **error)
{
	g_autoptr(SatchelStateTarget) copy = satchel_state_target_new(target);

	return (g_strcmp0(satchel_device_get_running_commit(device), copy->commit) == 0 ||
		check_pulled(device, target, cancellable, error)) &&
	       satchel_device_apps_check_store(device, copy, error);
}

gboolean
satchel_update_install(SatchelDevice *device, const SatchelOffer *offer,
		       const SatchelOstreeTarget *target, GCancellable *cancellable,
		       SatchelOutcome *outcome, GError **error)
{
	const char *name = NULL;
	g_autoptr(SatchelStateTarget) copy = NULL;
	g_autoptr(GError) local_error = NULL;
	const char *good = SATCHEL_CALLBACK_NEEDS_COMPLETION;

	if (!check_target(device, offer, target, error) ||
	    !check_content(device, target, cancellable, error))
		return FALSE;
	name = satchel_ostree_target_get_name(target);
	if (!satchel_callbacks_ask(device, SATCHEL_CALLBACK_INSTALL_PRE, name, NULL, error))
		return FALSE;
	copy = satchel_state_target_new(target);
	if (put_in_place(device, offer, copy, cancellable, outcome, &local_error) &&
	    *outcome != SATCHEL_OUTCOME_NEEDS_REBOOT &&
	    *outcome != SATCHEL_OUTCOME_APPS_NEED_FINALIZATION)
		good = SATCHEL_CALLBACK_OK;
	satchel_callbacks_tell_result(device, SATCHEL_CALLBACK_INSTALL_POST, name, good,
				      local_error);
	if (local_error == NULL)
		return TRUE;
	tell_stayed(device, local_error);
	g_propagate_error(error, g_steal_pointer(&local_error));
	return FALSE;
}

void
satchel_update_run_forget_reboot(const SatchelDevice *device)
{
	if (satchel_sysroot_is_booted(device->sysroot))
		satchel_reboot_sentinel_clear(device->settings->reboot_sentinel_dir,
					      device->settings->reboot_sentinel_name);
}

static gboolean
finish_rolled_back(SatchelDevice *device, const SatchelSysrootFacts *facts,
		   GCancellable *cancellable, GError **error)
{
	g_autofree char *name = g_strdup(device->state->pending->name);

	satchel_update_boot_disarm(device);
	satchel_state_failed(device->state, device->clock_s, "another deployment was booted");
	if (!satchel_device_save(device, error))
		return FALSE;
	satchel_update_run_forget_reboot(device);
	if (!satchel_update_apps_return_noted(device, cancellable, error))
		return FALSE;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_ROLLED_BACK,
		    "%s did not come up: the boot loader went back to commit %s", name,
		    facts->booted_commit == NULL ? "none" : facts->booted_commit);
	return FALSE;
}

gboolean
satchel_update_run_confirm(SatchelDevice *device, SatchelOutcome *outcome, GError **error)
{
	gboolean firmware = FALSE;

	/* First: one that is noted as confirmed must not be gone back from. */
	if (!satchel_update_boot_confirm(device, &firmware, error))
		return FALSE;
	satchel_state_working(device->state, device->clock_s);
	if (!satchel_ostree_pull_forget(satchel_sysroot_get_repo(device->sysroot), NULL, error) ||
	    !satchel_device_save(device, error))
		return FALSE;
	satchel_update_run_forget_reboot(device);
	satchel_device_apps_prune(device);
	*outcome = firmware ? SATCHEL_OUTCOME_REBOOT_FOR_BOOT_FIRMWARE : SATCHEL_OUTCOME_DONE;
	return TRUE;
}

/* After the reboot. @facts: (nullable): what was booted instead of what is pending. */
static gboolean
finish(SatchelDevice *device, const SatchelSysrootFacts *facts, GCancellable *cancellable,
       SatchelOutcome *outcome, GError **error)
{
	g_autofree char *name = g_strdup(device->state->pending->name);
	g_autoptr(GError) local_error = NULL;
	gboolean good;

	/* Another release runs, which may raise the downgrade floor. */
	device->generation++;
	satchel_callbacks_tell(device, SATCHEL_CALLBACK_FINAL_PRE, name, NULL);
	good = facts != NULL ? finish_rolled_back(device, facts, cancellable, &local_error)
			     : satchel_update_apps_settle(device, cancellable, &local_error) &&
				       satchel_update_run_confirm(device, outcome, &local_error);
	satchel_current_target_update(device);
	satchel_callbacks_tell_result(device, SATCHEL_CALLBACK_INSTALL_POST, name,
				      SATCHEL_CALLBACK_OK, local_error);
	if (!good)
		g_propagate_error(error, g_steal_pointer(&local_error));
	return good;
}

/* A rollback that was cut off before its deployment leaves what runs failing. */
static gboolean
fail_no_pending(const SatchelDevice *device, GError **error)
{
	const SatchelStateTarget *running = satchel_device_get_running_target(device);
	const char *nothing = "no installation waits to be finished";

	if (running != NULL &&
	    satchel_state_is_failing(device->state, running->name, running->commit))
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_NO_PENDING_INSTALLATION,
			    "%s; %s runs and has failed: 'rollback' leaves it", nothing,
			    running->name);
	else
		g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_NO_PENDING_INSTALLATION,
				    nothing);
	return FALSE;
}

gboolean
satchel_update_finalize(SatchelDevice *device, GCancellable *cancellable, SatchelOutcome *outcome,
			GError **error)
{
	SatchelSysrootFacts facts = satchel_device_get_facts(device);

	if (!satchel_device_check_update(device, error) ||
	    !satchel_cancel_check(cancellable, error))
		return FALSE;
	switch (satchel_update_plan_finalize(device->state, &facts)) {
	case SATCHEL_FINALIZE_NOTHING:
		if (!satchel_update_apps_keep(device, cancellable, error))
			return FALSE;
		break;
	case SATCHEL_FINALIZE_NOT_REBOOTED:
		*outcome = SATCHEL_OUTCOME_NEEDS_REBOOT;
		return TRUE;
	case SATCHEL_FINALIZE_ROLLED_BACK:
		return finish(device, &facts, cancellable, outcome, error);
	case SATCHEL_FINALIZE_WORKING:
		return finish(device, NULL, cancellable, outcome, error);
	}
	return fail_no_pending(device, error);
}
