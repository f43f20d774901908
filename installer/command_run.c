#include "command_run.h"
#include "../verify/cli.h"
#include "../verify/cli_progress.h"
#include "command_interrupt.h"
#include "report.h"
#include <stdio.h>

static void
tell_remarks(SatchelDevice *device)
{
	g_auto(GStrv) remarks = satchel_device_take_remarks(device);

	for (char **remark = remarks; *remark != NULL; remark++)
		satchel_cli_note("%s", *remark);
}

gboolean
satchel_command_run_open(SatchelCommandRun *run, SatchelDeviceMode mode, GError **error)
{
	run->cancellable = satchel_command_interrupt_watch();
	run->device = satchel_device_open((const char *const *)run->line.config_paths, mode, error);
	if (run->device == NULL)
		return FALSE;
	satchel_device_set_progress(run->device, satchel_cli_progress());
	if (run->line.delay_apps)
		satchel_device_delay_apps(run->device);
	tell_remarks(run->device);
	return TRUE;
}

static SatchelCommandTakes
takes_of(SatchelCommandKind kind)
{
	guint takes = SATCHEL_COMMAND_TAKES_BUNDLE | SATCHEL_COMMAND_TAKES_TARGET;

	if (kind == SATCHEL_COMMAND_INSTALL || kind == SATCHEL_COMMAND_UPDATE)
		takes |= SATCHEL_COMMAND_TAKES_INSTALL_MODE;
	return (SatchelCommandTakes)takes;
}

static gboolean
check_src_dir(const SatchelCommandRun *run, SatchelCommandKind kind, GError **error)
{
	if (run->line.src_dir != NULL || kind == SATCHEL_COMMAND_LIST ||
	    kind == SATCHEL_COMMAND_INSTALL)
		return TRUE;
	return satchel_cli_usage_error(error, "--src-dir is missing: where is the bundle?");
}

/* May this command begin at all? */
static gboolean
check_idle(SatchelCommandRun *run, SatchelCommandKind kind, GError **error)
{
	if (kind == SATCHEL_COMMAND_CHECK || kind == SATCHEL_COMMAND_LIST)
		return TRUE;
	if (kind != SATCHEL_COMMAND_PULL &&
	    satchel_update_was_resumed(run->device, run->line.target)) {
		run->done = TRUE;
		return TRUE;
	}
	return satchel_update_check_idle(run->device, error);
}

/* There are targets, and none of them is for what is updated here: a list of none. */
static void
print_no_targets(const SatchelCommandRun *run, SatchelCommandKind kind, const GError *reason)
{
	if (run->line.json && (kind == SATCHEL_COMMAND_CHECK || kind == SATCHEL_COMMAND_LIST) &&
	    g_error_matches(reason, SATCHEL_ERROR, SATCHEL_ERROR_TARGET_NOT_FOUND))
		fputs("null\n", stdout);
}

static gboolean
make_offer(SatchelCommandRun *run, SatchelCommandKind kind, GError **error)
{
	g_autoptr(GError) local_error = NULL;

	if (kind == SATCHEL_COMMAND_LIST || run->line.src_dir == NULL)
		run->offer =
			satchel_offer_from_stored(run->device, run->line.src_dir, &local_error);
	else if (kind == SATCHEL_COMMAND_CHECK || kind == SATCHEL_COMMAND_UPDATE)
		run->offer = satchel_offer_from_bundle(run->device, run->line.src_dir,
						       run->cancellable, &local_error);
	else
		run->offer = satchel_offer_recheck_bundle(run->device, run->line.src_dir,
							  run->cancellable, &local_error);
	tell_remarks(run->device);
	if (run->offer != NULL)
		return TRUE;
	print_no_targets(run, kind, local_error);
	g_propagate_error(error, g_steal_pointer(&local_error));
	return FALSE;
}

gboolean
satchel_command_run_begin(int argc, char **argv, SatchelCommandKind kind, SatchelCommandRun *run,
			  SatchelOutcome *outcome, GError **error)
{
	SatchelDeviceMode mode =
		kind == SATCHEL_COMMAND_LIST ? SATCHEL_DEVICE_READ_ONLY : SATCHEL_DEVICE_UPDATE;

	if (!satchel_command_line_parse(argc, argv, takes_of(kind), &run->line, error) ||
	    !check_src_dir(run, kind, error) || !satchel_command_run_open(run, mode, error) ||
	    !check_idle(run, kind, error))
		return FALSE;
	if (!run->done)
		return make_offer(run, kind, error);
	*outcome = SATCHEL_OUTCOME_NEEDS_REBOOT;
	return TRUE;
}

gboolean
satchel_command_run_print(const SatchelCommandRun *run, SatchelOutcome *outcome, GError **error)
{
	g_auto(SatchelTargetChoice) choice = {0};
	gboolean good =
		satchel_offer_choose(run->offer, run->device, run->line.target, &choice, error);
	g_autofree char *text =
		run->line.json ? satchel_report_targets_json(run->offer, run->device, &choice)
			       : satchel_report_targets_text(run->offer, run->device, &choice);

	/* Also where nothing was chosen: the list is good. */
	fputs(text, stdout);
	if (!good)
		return FALSE;
	if (choice.kind == SATCHEL_TARGET_CHOICE_ROLLBACK)
		*outcome = SATCHEL_OUTCOME_UPDATE_ROLLBACK;
	else if (satchel_offer_is_app_sync(run->offer, &choice))
		*outcome = SATCHEL_OUTCOME_UPDATE_SYNC_APPS;
	else if (satchel_offer_is_update(run->offer, &choice))
		*outcome = SATCHEL_OUTCOME_UPDATE_NEW_VERSION;
	else
		*outcome = satchel_offer_is_cached(run->offer) ? SATCHEL_OUTCOME_CACHED
							       : SATCHEL_OUTCOME_DONE;
	return TRUE;
}

void
satchel_command_run_tell_installed(const SatchelOstreeTarget *target, SatchelOutcome outcome)
{
	const char *name = satchel_ostree_target_get_name(target);

	if (outcome == SATCHEL_OUTCOME_NEEDS_REBOOT)
		satchel_cli_note("%s is installed; reboot, then 'run'", name);
	else if (outcome == SATCHEL_OUTCOME_APPS_NEED_FINALIZATION)
		satchel_cli_note("%s is installed; 'run' starts its apps", name);
	else
		satchel_cli_note("%s runs", name);
}

void
satchel_command_run_clear(SatchelCommandRun *run)
{
	if (run->device != NULL)
		tell_remarks(run->device);
	g_clear_pointer(&run->offer, satchel_offer_free);
	if (run->device != NULL)
		tell_remarks(run->device);
	g_clear_pointer(&run->device, satchel_device_close);
}
