#include "../verify/cli.h"
#include "command_interrupt.h"
#include "command_memory.h"
#include "command_run.h"
#include "commands.h"
#include <glib/gstdio.h>

/* What is known from one look to the next. The device, and with it the lock, is open only while
 * there is something to do. */
typedef struct {
	SatchelCommandLine line;
	GCancellable *cancellable;
	char *source;
	guint interval_s;
	gboolean rebooting; /* an update is in place and wants it */
	SatchelCommandMemory memory;
} Daemon;

/* One look, or the start, in a thread of its own: the mount namespace that a running system's
 * device gets ends with it, so that a stick that comes or goes in between is seen. */
typedef struct {
	Daemon *daemon;
	gboolean (*work)(Daemon *daemon, SatchelOutcome *outcome, GError **error);
	SatchelOutcome outcome;
	GError *error;
} Look;

static void
daemon_clear(Daemon *self)
{
	g_free(self->source);
	satchel_command_memory_clear(&self->memory);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Daemon, daemon_clear)

static gboolean
open_device(Daemon *self, SatchelCommandRun *run, GError **error)
{
	run->line = self->line;
	return satchel_command_run_open(run, SATCHEL_DEVICE_UPDATE, error);
}

static gboolean
read_settings(Daemon *self, const SatchelDevice *device, GError **error)
{
	const char *source =
		self->line.src_dir != NULL ? self->line.src_dir : satchel_device_get_source(device);

	if (source == NULL)
		return satchel_cli_usage_error(error,
					       "no source: set satchel.source, or give --src-dir");
	self->source = g_canonicalize_filename(source, NULL);
	self->interval_s = self->line.interval_s > 0 ? (guint)self->line.interval_s
						     : satchel_device_get_polling_s(device);
	return satchel_device_check_reboot(device, error);
}

/* What the last reboot was for. */
static gboolean
finish_pending(const SatchelCommandRun *run, GError **error)
{
	SatchelOutcome outcome = SATCHEL_OUTCOME_DONE;
	g_autoptr(GError) local_error = NULL;

	if (satchel_device_get_pending(run->device) == NULL)
		return TRUE;
	if (!satchel_update_finalize(run->device, run->cancellable, &outcome, &local_error)) {
		if (!g_error_matches(local_error, SATCHEL_ERROR, SATCHEL_ERROR_ROLLED_BACK)) {
			g_propagate_error(error, g_steal_pointer(&local_error));
			return FALSE;
		}
		satchel_cli_note("%s", local_error->message);
		return TRUE;
	}
	if (outcome != SATCHEL_OUTCOME_NEEDS_REBOOT) {
		satchel_cli_note("%s runs", satchel_device_target_get_name(
						    satchel_device_get_current(run->device)));
		return TRUE;
	}
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
		    "%s is installed and not booted yet; reboot first",
		    satchel_device_target_get_name(satchel_device_get_pending(run->device)));
	return FALSE;
}

static gboolean
start(Daemon *self, SatchelOutcome *outcome, GError **error)
{
	g_auto(SatchelCommandRun) run = {0};

	(void)outcome;
	return open_device(self, &run, error) && read_settings(self, run.device, error) &&
	       finish_pending(&run, error);
}

static gboolean
is_damage(const GError *error)
{
	return g_error_matches(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED) ||
	       g_error_matches(error, SATCHEL_ERROR, SATCHEL_ERROR_NO_TARGET_CONTENT);
}

/* What was brought in is not brought in again because the installation has to wait. */
static gboolean
pull_once(Daemon *self, const SatchelCommandRun *run, const SatchelOstreeTarget *target,
	  const char *mark, GError **error)
{
	/* Two targets of one commit differ in their apps. */
	g_autofree char *what = g_strdup_printf("%s %s", satchel_ostree_target_get_name(target),
						satchel_ostree_target_get_commit(target));
	g_autoptr(GError) local_error = NULL;

	if (g_strcmp0(self->memory.pulled, what) == 0)
		return TRUE;
	if (satchel_update_pull(run->device, run->offer, target, run->cancellable, &local_error)) {
		g_free(self->memory.pulled);
		self->memory.pulled = g_steal_pointer(&what);
		return TRUE;
	}
	if (is_damage(local_error))
		satchel_command_memory_note_damaged(&self->memory, mark);
	g_propagate_error(error, g_steal_pointer(&local_error));
	return FALSE;
}

static gboolean
install(Daemon *self, const SatchelCommandRun *run, const SatchelOstreeTarget *target,
	SatchelOutcome *outcome, GError **error)
{
	g_autoptr(GError) local_error = NULL;

	if (satchel_update_install(run->device, run->offer, target, run->cancellable, outcome,
				   &local_error))
		return TRUE;
	/* The device has lost it since: another pull cures it. */
	if (is_damage(local_error))
		g_clear_pointer(&self->memory.pulled, g_free);
	g_propagate_error(error, g_steal_pointer(&local_error));
	return FALSE;
}

static gboolean
update(Daemon *self, const SatchelCommandRun *run, const SatchelOstreeTarget *target,
       SatchelOutcome *outcome, GError **error)
{
	g_autofree char *mark =
		satchel_command_memory_mark(self->source, satchel_ostree_target_get_commit(target));

	if (satchel_command_memory_is_damaged(&self->memory, mark))
		return TRUE;
	if (!pull_once(self, run, target, mark, error) ||
	    !install(self, run, target, outcome, error))
		return FALSE;
	if (*outcome != SATCHEL_OUTCOME_NEEDS_REBOOT)
		return TRUE;
	self->rebooting = TRUE;
	satchel_cli_note("%s is installed; it is time to reboot",
			 satchel_ostree_target_get_name(target));
	return satchel_device_reboot(run->device, error);
}

static gboolean
take_chosen(Daemon *self, const SatchelCommandRun *run, SatchelOutcome *outcome, GError **error)
{
	g_auto(SatchelTargetChoice) choice = {0};

	if (!satchel_offer_choose(run->offer, run->device, NULL, &choice, error) ||
	    !satchel_target_choice_check(&choice, error))
		return FALSE;
	satchel_command_memory_say(&self->memory, SATCHEL_COMMAND_NEWS_CHOICE, choice.text);
	if (satchel_offer_is_update(run->offer, &choice))
		return update(self, run, choice.selected, outcome, error);
	satchel_command_memory_forget(&self->memory, SATCHEL_COMMAND_NEWS_ERROR);
	return TRUE;
}

/* What the device remarks at each look is as old as the look before. */
static void
say_remarks(Daemon *self, SatchelDevice *device)
{
	g_auto(GStrv) remarks = satchel_device_take_remarks(device);
	g_autofree char *text = g_strjoinv("; ", remarks);

	if (*text != '\0')
		satchel_command_memory_say(&self->memory, SATCHEL_COMMAND_NEWS_REMARKS, text);
}

static gboolean
look(Daemon *self, SatchelOutcome *outcome, GError **error)
{
	g_auto(SatchelCommandRun) run = {0};
	gboolean good;

	if (!open_device(self, &run, error) || !satchel_update_check_idle(run.device, error))
		return FALSE;
	/* The one place that knows what a source is: something that gives an offer. */
	run.offer = satchel_offer_from_bundle(run.device, self->source, run.cancellable, error);
	good = run.offer != NULL && take_chosen(self, &run, outcome, error);
	say_remarks(self, run.device);
	return good;
}

static gpointer
look_in_thread(gpointer user_data)
{
	Look *self = user_data;

	return GINT_TO_POINTER(self->work(self->daemon, &self->outcome, &self->error));
}

static gboolean
do_alone(Daemon *self, gboolean (*work)(Daemon *, SatchelOutcome *, GError **),
	 SatchelOutcome *outcome, GError **error)
{
	Look one = {.daemon = self, .work = work};
	gboolean good = GPOINTER_TO_INT(g_thread_join(g_thread_new("look", look_in_thread, &one)));

	*outcome = one.outcome;
	if (!good)
		g_propagate_error(error, one.error);
	return good;
}

/* FALSE: it was told to end. */
static gboolean
wait_a_while(const Daemon *self)
{
	GPollFD end = {0};

	if (!g_cancellable_make_pollfd(self->cancellable, &end))
		return FALSE;
	(void)g_poll(&end, 1, (gint)self->interval_s * 1000);
	g_cancellable_release_fd(self->cancellable);
	return !g_cancellable_is_cancelled(self->cancellable);
}

/* What a look comes to is said; the next one may come to something else. FALSE: it was the last. */
static gboolean
look_once(Daemon *self, SatchelOutcome *outcome, GError **error)
{
	g_autofree char *waiting = g_strdup_printf("waiting for %s", self->source);
	g_autoptr(GError) local_error = NULL;

	if (g_access(self->source, F_OK) != 0) {
		/* What comes next is another bundle, as far as anybody can tell. */
		g_clear_pointer(&self->memory.damaged, g_free);
		for (guint kind = SATCHEL_COMMAND_NEWS_CHOICE; kind < SATCHEL_COMMAND_N_NEWS;
		     kind++)
			satchel_command_memory_forget(&self->memory, (SatchelCommandNews)kind);
		satchel_command_memory_say(&self->memory, SATCHEL_COMMAND_NEWS_PLACE, waiting);
		return TRUE;
	}
	satchel_command_memory_forget(&self->memory, SATCHEL_COMMAND_NEWS_PLACE);
	*outcome = SATCHEL_OUTCOME_DONE;
	(void)do_alone(self, look, outcome, &local_error);
	if (local_error == NULL)
		return !self->rebooting;
	if (self->rebooting) {
		g_propagate_error(error, g_steal_pointer(&local_error));
		return FALSE;
	}
	if (!g_cancellable_is_cancelled(self->cancellable))
		satchel_command_memory_say(&self->memory, SATCHEL_COMMAND_NEWS_ERROR,
					   local_error->message);
	return TRUE;
}

gboolean
satchel_cmd_daemon(int argc, char **argv, SatchelOutcome *outcome, GError **error)
{
	g_auto(Daemon) self = {0};
	g_autoptr(GError) local_error = NULL;
	SatchelCommandTakes takes = (SatchelCommandTakes)(SATCHEL_COMMAND_TAKES_BUNDLE |
							  SATCHEL_COMMAND_TAKES_INSTALL_MODE |
							  SATCHEL_COMMAND_TAKES_INTERVAL);

	if (!satchel_command_line_parse(argc, argv, takes, &self.line, error))
		return FALSE;
	self.cancellable = satchel_command_interrupt_watch();
	if (do_alone(&self, start, outcome, &local_error)) {
		while (look_once(&self, outcome, &local_error) && wait_a_while(&self))
			;
	}
	/* To be told to end is no failure, and to end for a reboot is none either. */
	*outcome = SATCHEL_OUTCOME_DONE;
	if (local_error == NULL ||
	    g_error_matches(local_error, SATCHEL_ERROR, SATCHEL_ERROR_CANCELLED))
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&local_error));
	return FALSE;
}
