#include "media_update.h"
#include "../verify/path_safety.h"
#include "../verify/safe_read.h"
#include "media_permit.h"
#include "media_verdict.h"
#include "offer.h"
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

/* What is there and nothing to install. FALSE: the first thing that is wrong. */
static gboolean
conclude_nothing(const SatchelMediaUpdate *self, SatchelOutcome *outcome, GError **error)
{
	const SatchelMediaVerdict *refusal =
		satchel_media_verdict_first_refusal(self->scan.verdicts);

	if (satchel_media_verdict_is_any_good(self->scan.verdicts)) {
		*outcome = SATCHEL_OUTCOME_DONE;
		return TRUE;
	}
	if (refusal != NULL) {
		g_autofree char *path = satchel_path_quote(refusal->path);

		g_set_error(error, SATCHEL_ERROR, (gint)refusal->code, "%s: %s", path,
			    refusal->reason);
		return FALSE;
	}
	satchel_media_update_say(self, "the stick holds nothing for this device");
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
let_go(SatchelMediaUpdate *self, SatchelOffer *offer)
{
	/* The bundle's files are open until here. */
	satchel_offer_let_bundle_go(offer);
	if (self->root_fd >= 0)
		close(self->root_fd);
	self->root_fd = -1;
	if (self->let_go != NULL)
		self->let_go(self->user_data);
	satchel_media_update_say(self, "the stick may be removed");
}

static gboolean
take(SatchelMediaUpdate *self, SatchelOffer *offer, const SatchelOstreeTarget *target,
     SatchelOutcome *outcome, GError **error)
{
	if (!satchel_update_pull(self->device, offer, target, self->cancellable, error))
		return FALSE;
	let_go(self, offer);
	if (!satchel_update_install(self->device, offer, target, self->cancellable, outcome, error))
		return FALSE;
	if (*outcome == SATCHEL_OUTCOME_NEEDS_REBOOT)
		satchel_media_update_say(self, "%s is installed; a reboot starts it",
					 satchel_ostree_target_get_name(target));
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
	if (offer == NULL || !satchel_offer_choose(offer, self->device, NULL, &choice, error) ||
	    !satchel_target_choice_check(&choice, error))
		return FALSE;
	if (satchel_offer_is_update(offer, &choice))
		return take(self, offer, choice.selected, outcome, error);
	satchel_media_update_say(self, "nothing to update: %s", choice.text);
	return TRUE;
}

static gboolean
serve(SatchelMediaUpdate *self, SatchelOutcome *outcome, GError **error)
{
	const SatchelMediaVerdict *best;
	g_autofree char *why_not = NULL;

	if (!satchel_media_scan(self->device, self->root_fd, self->cancellable, &self->scan, error))
		return FALSE;
	say_verdicts(self);
	best = satchel_media_verdict_best(self->scan.verdicts);
	if (best == NULL)
		return conclude_nothing(self, outcome, error);
	why_not = satchel_media_permit_check(self->device->settings->media, get_local_minute());
	if (why_not == NULL)
		return take_best(self, best, outcome, error);
	satchel_media_update_say(self, "%s is not installed: %s", best->target, why_not);
	*outcome = SATCHEL_OUTCOME_UPDATE_NEW_VERSION;
	return TRUE;
}

gboolean
satchel_media_update_run(SatchelMediaUpdate *self, SatchelOutcome *outcome, GError **error)
{
	gboolean good;

	*outcome = SATCHEL_OUTCOME_DONE;
	if (!self->device->settings->media->enabled) {
		satchel_media_update_say(self, "sticks are not served (media.enabled)");
		return TRUE;
	}
	if (satchel_update_was_resumed(self->device, NULL)) {
		*outcome = SATCHEL_OUTCOME_NEEDS_REBOOT;
		return TRUE;
	}
	good = satchel_update_check_idle(self->device, error) && serve(self, outcome, error);
	say_remarks(self);
	return good;
}

void
satchel_media_update_clear(SatchelMediaUpdate *self)
{
	if (self->root_fd >= 0)
		close(self->root_fd);
	self->root_fd = -1;
	satchel_media_scan_clear(&self->scan);
}
