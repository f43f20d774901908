#include "media_update.h"
#include "../verify/cancel.h"
#include "../verify/clock.h"
#include "../verify/path_safety.h"
#include "../verify/safe_read.h"
#include "device_parts.h"
#include "media_permit.h"
#include "media_signers.h"
#include "media_verdict.h"
#include "offer.h"
#include "update_plan.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

void
satchel_media_update_say(const SatchelMediaUpdate *self, const char *format, ...)
{
	g_autofree char *line = NULL;
	va_list args;

	if (self->listener.say == NULL)
		return;
	va_start(args, format);
	line = g_strdup_vprintf(format, args);
	va_end(args);
	self->listener.say(line, self->listener.user_data);
}

/* Says what it came to, which the receipt tells, too. */
static void conclude(SatchelMediaUpdate *self, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void
conclude(SatchelMediaUpdate *self, const char *format, ...)
{
	va_list args;

	g_free(self->text);
	va_start(args, format);
	self->text = g_strdup_vprintf(format, args);
	va_end(args);
	satchel_media_update_say(self, "%s", self->text);
}

static void
say_remarks(const SatchelMediaUpdate *self)
{
	g_auto(GStrv) remarks = satchel_device_take_remarks(self->device);

	for (char **remark = remarks; *remark != NULL; remark++)
		satchel_media_update_say(self, "%s", *remark);
}

static void
say_verdicts(const SatchelMediaUpdate *self)
{
	static const char *const kinds[] = {
		[SATCHEL_MEDIA_REFUSED] = "refused",
		[SATCHEL_MEDIA_NOTHING_NEW] = "nothing to do",
		[SATCHEL_MEDIA_INSTALLABLE] = "good",
	};

	for (guint i = 0; i < self->scan.verdicts->len; i++) {
		const SatchelMediaVerdict *one = self->scan.verdicts->pdata[i];
		g_autofree char *path = satchel_path_quote(one->path);

		satchel_media_update_say(self, "%s: %s: %s", path, kinds[one->kind], one->reason);
	}
	if (self->scan.more)
		satchel_media_update_say(self, "the stick holds more than is looked at; put the "
					       "bundle into its root and take the rest away");
}

/* What is there and nothing to install. FALSE: what is wrong with the newest. */
static gboolean
conclude_nothing(SatchelMediaUpdate *self, SatchelOutcome *outcome, GError **error)
{
	const SatchelMediaVerdict *refusal =
		satchel_media_verdict_newest_refusal(self->scan.verdicts);

	/* Before what is good: whoever brought a newer one, too, is not to believe that it runs. */
	if (refusal != NULL) {
		g_autofree char *path = satchel_path_quote(refusal->path);

		g_set_error(error, SATCHEL_ERROR, (gint)refusal->code, "%s: %s", path,
			    refusal->reason);
		return FALSE;
	}
	if (satchel_media_verdict_is_any_good(self->scan.verdicts)) {
		conclude(self, "there is nothing newer for this device");
		*outcome = SATCHEL_OUTCOME_DONE;
		return TRUE;
	}
	conclude(self, "the stick holds nothing for this device");
	*outcome = SATCHEL_OUTCOME_CACHED;
	return TRUE;
}

/* The path came from somebody who may have been taken over: it leads through no link. */
static gboolean
check_plain(int root_fd, const char *path, GError **error)
{
	const char *name = NULL;
	struct stat info = {0};
	gboolean plain;
	int folder;

	if (g_str_equal(path, "."))
		return TRUE;
	folder = satchel_safe_open_parent(root_fd, path, &name, error);
	if (folder < 0)
		return FALSE;
	plain = fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
		(S_ISREG(info.st_mode) || S_ISDIR(info.st_mode));
	close(folder);
	if (!plain)
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
			    "%s is neither file nor folder", path);
	return plain;
}

static guint
get_local_minute(void)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_local();

	return (guint)(g_date_time_get_hour(now) * 60 + g_date_time_get_minute(now));
}

static void
let_go(SatchelMediaUpdate *self, SatchelOffer *offer, const char *name)
{
	/* The bundle's files are open until here. */
	satchel_offer_let_bundle_go(offer);
	if (self->root_fd >= 0)
		close(self->root_fd);
	self->root_fd = -1;
	if (self->mount != NULL)
		satchel_media_mount_release(self->mount);
	satchel_signals_tell(self->signals, SATCHEL_SIGNAL_SAFE, -1, name);
	satchel_media_update_say(self, "the stick may be removed");
}

/* Where the percentage of a pull goes. */
typedef struct {
	SatchelMediaUpdate *update;
	const char *name;
} Copying;

static void
report_copying(const SatchelProgressReport *report, gpointer user_data)
{
	const Copying *self = user_data;
	const SatchelProgressSink *next = self->update->listener.progress;
	int percent = 0;

	if (report->total_bytes > 0)
		percent = (int)(MIN(report->done_bytes, report->total_bytes) * 100.0 /
				(double)report->total_bytes);
	satchel_signals_tell(self->update->signals, SATCHEL_SIGNAL_COPYING, percent, self->name);
	if (next != NULL)
		next->report(report, next->user_data);
}

static gboolean
pull(SatchelMediaUpdate *self, const SatchelOffer *offer, const SatchelOstreeTarget *target,
     GError **error)
{
	Copying copying = {self, satchel_ostree_target_get_name(target)};
	SatchelProgressSink sink = {report_copying, &copying};
	gboolean good;

	satchel_signals_tell(self->signals, SATCHEL_SIGNAL_COPYING, 0, copying.name);
	satchel_device_set_progress(self->device, &sink);
	good = satchel_update_pull(self->device, offer, target, self->cancellable, error);
	satchel_device_set_progress(self->device, self->listener.progress);
	if (good)
		satchel_signals_tell(self->signals, SATCHEL_SIGNAL_COPYING, 100, copying.name);
	return good;
}

/* TRUE: a stick that may be removed was, and systemd stops what was bound to it. */
static void
stop_unless_removed(GCancellable *cancellable, gpointer user_data)
{
	GCancellable *install = g_object_get_data(G_OBJECT(cancellable), "install");
	const SatchelMediaUpdate *self = user_data;

	if (self->stick == NULL || satchel_media_device_is_there(self->stick))
		g_cancellable_cancel(install);
}

static gboolean
install(SatchelMediaUpdate *self, SatchelOffer *offer, const SatchelOstreeTarget *target,
	SatchelOutcome *outcome, GError **error)
{
	g_autoptr(GCancellable) cancellable = g_cancellable_new();
	gulong handler = 0;
	gboolean good;

	satchel_signals_tell(self->signals, SATCHEL_SIGNAL_INSTALLING, -1,
			     satchel_ostree_target_get_name(target));
	if (self->cancellable != NULL) {
		g_object_set_data(G_OBJECT(self->cancellable), "install", cancellable);
		handler = g_cancellable_connect(self->cancellable, G_CALLBACK(stop_unless_removed),
						self, NULL);
	}
	good = satchel_update_install(self->device, offer, target, cancellable, outcome, error);
	if (self->cancellable != NULL) {
		g_cancellable_disconnect(self->cancellable, handler);
		g_object_set_data(G_OBJECT(self->cancellable), "install", NULL);
	}
	return good;
}

static gboolean
take(SatchelMediaUpdate *self, SatchelOffer *offer, const SatchelOstreeTarget *target,
     SatchelOutcome *outcome, GError **error)
{
	const char *name = satchel_ostree_target_get_name(target);

	self->begun = TRUE;
	if (!pull(self, offer, target, error))
		return FALSE;
	let_go(self, offer, name);
	if (!install(self, offer, target, outcome, error))
		return FALSE;
	conclude(self,
		 *outcome == SATCHEL_OUTCOME_NEEDS_REBOOT ? "%s is installed; a reboot starts it"
							  : "%s runs",
		 name);
	return TRUE;
}

/* The reader's word is judged again by ourselves: see media_scan.h. */
static gboolean
take_best(SatchelMediaUpdate *self, const SatchelMediaVerdict *best, SatchelOutcome *outcome,
	  GError **error)
{
	g_autofree char *path = g_build_filename(self->folder, best->path, NULL);
	g_autoptr(SatchelOffer) offer = NULL;
	g_auto(SatchelTargetChoice) choice = {0};

	if (!check_plain(self->root_fd, best->path, error))
		return FALSE;
	offer = satchel_offer_from_bundle(self->device, path, self->cancellable, error);
	say_remarks(self);
	if (offer == NULL || !satchel_media_signers_check(self->device, offer, error) ||
	    !satchel_offer_choose(offer, self->device, NULL, &choice, error) ||
	    !satchel_target_choice_check(&choice, error))
		return FALSE;
	self->bundle_sha256 = g_strdup(offer->bundle_sha256);
	self->chosen = best->path;
	if (satchel_offer_is_update(offer, &choice))
		return take(self, offer, choice.selected, outcome, error);
	conclude(self, "nothing to update: %s", choice.text);
	return TRUE;
}

/* Is it a matter of what lies on the stick, that the next one may have better? Not space, not what
 * somebody has forbidden, and nothing of the device. */
static gboolean
is_fault_of_bundle(const GError *error)
{
	if (error->domain != SATCHEL_ERROR)
		return FALSE;
	switch ((SatchelError)error->code) {
	case SATCHEL_ERROR_METADATA_INVALID:
	case SATCHEL_ERROR_METADATA_EXPIRED:
	case SATCHEL_ERROR_METADATA_NOT_FOUND:
	case SATCHEL_ERROR_BUNDLE_INVALID:
	case SATCHEL_ERROR_OTHER_TAG:
	case SATCHEL_ERROR_NO_MATCHING_TARGET:
	case SATCHEL_ERROR_NO_TARGET_CONTENT:
	case SATCHEL_ERROR_TARGET_NOT_FOUND:
	case SATCHEL_ERROR_DOWNLOAD_FAILED:
	case SATCHEL_ERROR_CONTENT_INVALID:
		return TRUE;
	case SATCHEL_ERROR_FAILED:
	case SATCHEL_ERROR_USAGE:
	case SATCHEL_ERROR_BUSY:
	case SATCHEL_ERROR_METADATA_FAILURE:
	case SATCHEL_ERROR_METADATA_DOWNLOAD:
	case SATCHEL_ERROR_ROLLBACK_TARGET_NOT_FOUND:
	case SATCHEL_ERROR_INSTALLATION_IN_PROGRESS:
	case SATCHEL_ERROR_NO_PENDING_INSTALLATION:
	case SATCHEL_ERROR_NO_SPACE:
	case SATCHEL_ERROR_DOWNGRADE_REFUSED:
	case SATCHEL_ERROR_ROLLED_BACK:
	case SATCHEL_ERROR_ROLLBACK_FAILED:
	case SATCHEL_ERROR_TARGET_UNREADABLE:
	case SATCHEL_ERROR_REBOOT_FOR_BOOT_FIRMWARE:
	case SATCHEL_ERROR_ROLLBACK_NEEDS_REBOOT:
	case SATCHEL_ERROR_CANCELLED:
	case SATCHEL_ERROR_ENGINE_UNREACHABLE:
		return FALSE;
	}
	g_assert_not_reached();
}

/* While nothing is installed yet, and the stick is there. */
static gboolean
may_try_another(const SatchelMediaUpdate *self, const GError *error)
{
	return is_fault_of_bundle(error) && self->root_fd >= 0 &&
	       (self->stick == NULL || satchel_media_device_is_there(self->stick));
}

/* Its verdict becomes what came of it, which the receipt tells. */
static void
give_up(SatchelMediaUpdate *self, SatchelMediaVerdict *verdict, const GError *error)
{
	g_autofree char *path = satchel_path_quote(verdict->path);

	satchel_media_verdict_refuse(verdict, error);
	self->chosen = NULL;
	g_clear_pointer(&self->bundle_sha256, g_free);
	satchel_media_update_say(self, "%s: refused: %s", path, verdict->reason);
	/* What is copied next begins at 0 percent. */
	satchel_signals_tell(self->signals, SATCHEL_SIGNAL_CHECKING, -1, NULL);
}

/* The best, or the next best where that is not what its reader took it for. */
static gboolean
take_any(SatchelMediaUpdate *self, SatchelMediaVerdict *best, SatchelOutcome *outcome,
	 GError **error)
{
	while (best != NULL) {
		g_autoptr(GError) local_error = NULL;

		if (take_best(self, best, outcome, &local_error))
			return TRUE;
		if (!may_try_another(self, local_error)) {
			g_propagate_error(error, g_steal_pointer(&local_error));
			return FALSE;
		}
		give_up(self, best, local_error);
		best = satchel_media_verdict_best(self->scan.verdicts);
	}
	return conclude_nothing(self, outcome, error);
}

/* Does the stick bring what is installed and only waits for a reboot? Behind a power cut the old
 * system runs once more, and whoever inserts the stick again has no other way to have it reboot.
 * For no more than that the reader's word, of which the target's name is compared, is good
 * enough. */
static gboolean
brings_pending(const SatchelMediaUpdate *self, const SatchelMediaVerdict *best)
{
	SatchelSysrootFacts facts = satchel_device_get_facts(self->device);

	return best != NULL &&
	       satchel_update_plan_finalize(self->device->state, &facts) ==
		       SATCHEL_FINALIZE_NOT_REBOOTED &&
	       g_strcmp0(best->target, self->device->state->pending->name) == 0;
}

static gboolean
take_permitted(SatchelMediaUpdate *self, SatchelMediaVerdict *best, SatchelOutcome *outcome,
	       GError **error)
{
	if (self->device->state->pending == NULL)
		return take_any(self, best, outcome, error);
	conclude(self, "%s is installed; a reboot starts it", best->target);
	*outcome = SATCHEL_OUTCOME_NEEDS_REBOOT;
	return TRUE;
}

static gboolean
serve(SatchelMediaUpdate *self, SatchelOutcome *outcome, GError **error)
{
	SatchelMediaVerdict *best;
	g_autofree char *why_not = NULL;

	if (!satchel_media_scan(self->device, self->config_paths, self->root_fd, self->cancellable,
				&self->scan, error))
		return FALSE;
	say_verdicts(self);
	best = satchel_media_verdict_best(self->scan.verdicts);
	if (!brings_pending(self, best) && !satchel_update_check_idle(self->device, error))
		return FALSE;
	if (best == NULL)
		return conclude_nothing(self, outcome, error);
	why_not = satchel_media_permit_check(self->device->settings->media, get_local_minute(),
					     self->cancellable);
	/* A command may take long, and the stick is gone. */
	if (!satchel_cancel_check(self->cancellable, error))
		return FALSE;
	if (why_not == NULL)
		return take_permitted(self, best, outcome, error);
	conclude(self, "%s %s: %s", best->target,
		 self->device->state->pending != NULL ? "waits for its reboot" : "is not installed",
		 why_not);
	*outcome = SATCHEL_OUTCOME_UPDATE_NEW_VERSION;
	return TRUE;
}

static void
tell_end(const SatchelMediaUpdate *self, SatchelOutcome outcome, const GError *failure)
{
	gboolean unreadable =
		g_error_matches(failure, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED);

	if (failure != NULL)
		satchel_signals_tell(self->signals,
				     self->begun || unreadable ? SATCHEL_SIGNAL_FAILED
							       : SATCHEL_SIGNAL_REFUSED,
				     -1, failure->message);
	else if (outcome == SATCHEL_OUTCOME_CACHED || outcome == SATCHEL_OUTCOME_UPDATE_NEW_VERSION)
		satchel_signals_tell(self->signals, SATCHEL_SIGNAL_REFUSED, -1, self->text);
	else
		satchel_signals_tell(self->signals,
				     outcome == SATCHEL_OUTCOME_NEEDS_REBOOT &&
						     self->device->settings->media->reboot
					     ? SATCHEL_SIGNAL_REBOOTING
					     : SATCHEL_SIGNAL_DONE,
				     -1, self->text);
}

static int
get_status_of(SatchelError code)
{
	const GError reason = {SATCHEL_ERROR, (gint)code, NULL};

	return (int)satchel_status_from_result(SATCHEL_OUTCOME_DONE, &reason);
}

/* The stick's folder, if it is still there and can be written to; -1. */
static int
open_for_writing(const SatchelMediaUpdate *self)
{
	if (self->mount != NULL && (!satchel_media_device_is_there(self->stick) ||
				    !satchel_media_mount_for_writing(self->mount, NULL)))
		return -1;
	return access(self->folder, W_OK) == 0
		       ? open(self->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
		       : -1;
}

/* A stick that takes no receipt is none the worse for it. */
static void
deliver(const SatchelMediaUpdate *self, const char *name, const json_t *document,
	const char *medium)
{
	g_autoptr(GError) local_error = NULL;
	/* A stick that holds no bundle belongs to somebody who asked for nothing. */
	gboolean wanted = self->device->settings->media->receipt && self->scan.verdicts != NULL &&
			  self->scan.verdicts->len > 0;
	int folder = wanted ? open_for_writing(self) : -1;

	if (folder >= 0) {
		if (!satchel_media_receipt_deliver(self->device, folder, name, document, medium,
						   &local_error))
			satchel_media_update_say(self, "no receipt on the stick: %s",
						 local_error->message);
		close(folder);
	}
	if (self->mount != NULL)
		satchel_media_mount_release(self->mount);
}

static void
write_receipt(SatchelMediaUpdate *self, const SatchelReceiptTarget *before, SatchelOutcome outcome,
	      const GError *failure)
{
	g_autoptr(GError) local_error = NULL;
	SatchelReceipt receipt = {
		.step = "media",
		.medium = self->stick != NULL ? self->stick->uuid : NULL,
		.begun_s = self->begun_s,
		.ended_s = satchel_clock_now_s(),
		.status = (int)satchel_status_from_result(outcome, failure),
		.text = failure != NULL ? failure->message : self->text,
		.verdicts = self->scan.verdicts,
		.chosen = self->chosen,
		.bundle_sha256 = self->bundle_sha256,
		.before = *before,
		.after = satchel_media_receipt_coming(self->device),
		.status_of = get_status_of,
	};
	g_autofree char *name = NULL;
	json_t *document = NULL;

	satchel_media_receipt_take_device(&receipt, self->device);
	document = satchel_media_receipt_keep(self->device, &receipt, &name, &local_error);
	if (local_error != NULL)
		satchel_media_update_say(self, "%s", local_error->message);
	deliver(self, name, document, receipt.medium);
	json_decref(document);
}

/* Of what ran before: what is borrowed from the state changes with it. */
typedef struct {
	char *name;
	char *commit;
} Before;

static void
before_clear(Before *self)
{
	g_free(self->name);
	g_free(self->commit);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Before, before_clear)

/* Before it was said that it may be. */
static gboolean
was_removed_early(const SatchelMediaUpdate *self)
{
	return self->root_fd >= 0 && self->stick != NULL &&
	       satchel_media_device_goes_away(self->stick);
}

static gboolean
serve_and_report(SatchelMediaUpdate *self, SatchelOutcome *outcome, GError **error)
{
	SatchelReceiptTarget before = satchel_media_receipt_running(self->device);
	g_auto(Before) copy = {g_strdup(before.name), g_strdup(before.commit)};
	g_autoptr(GError) failure = NULL;
	gboolean good;

	before.name = copy.name;
	before.commit = copy.commit;
	self->begun_s = satchel_clock_now_s();
	satchel_signals_tell(self->signals, SATCHEL_SIGNAL_CHECKING, -1, NULL);
	good = serve(self, outcome, &failure);
	/* What could not be read or found then, or who was told to stop, is no matter. */
	if ((!good || *outcome == SATCHEL_OUTCOME_CACHED) && was_removed_early(self)) {
		good = FALSE;
		g_clear_error(&failure);
		g_set_error(&failure, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
			    "the stick was removed too early, and nothing has changed: insert it "
			    "again");
	}
	if (self->root_fd >= 0)
		close(self->root_fd);
	self->root_fd = -1;
	write_receipt(self, &before, *outcome, failure);
	tell_end(self, *outcome, failure);
	if (!good)
		g_propagate_error(error, g_steal_pointer(&failure));
	return good;
}

void
satchel_media_update_fail(SatchelMediaUpdate *self, const GError *failure)
{
	SatchelReceiptTarget before = satchel_media_receipt_running(self->device);

	self->begun_s = satchel_clock_now_s();
	write_receipt(self, &before, SATCHEL_OUTCOME_DONE, failure);
	satchel_signals_tell(self->signals, SATCHEL_SIGNAL_FAILED, -1, failure->message);
	say_remarks(self);
}

gboolean
satchel_media_update_run(SatchelMediaUpdate *self, SatchelOutcome *outcome, GError **error)
{
	gboolean good;

	*outcome = SATCHEL_OUTCOME_DONE;
	if (satchel_update_was_resumed(self->device, NULL)) {
		conclude(self, "an installation that was cut off is done; a reboot starts it");
		*outcome = SATCHEL_OUTCOME_NEEDS_REBOOT;
		tell_end(self, *outcome, NULL);
		return TRUE;
	}
	good = serve_and_report(self, outcome, error);
	say_remarks(self);
	return good;
}

void
satchel_media_update_clear(SatchelMediaUpdate *self)
{
	if (self->root_fd >= 0)
		close(self->root_fd);
	self->root_fd = -1;
	g_free(self->text);
	g_free(self->bundle_sha256);
	satchel_media_scan_clear(&self->scan);
}
