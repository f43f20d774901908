#include "offer.h"
#include "../verify/cancel.h"
#include "../verify/ostree_object.h"
#include "../verify/target_match.h"
#include "../verify/utc_time.h"
#include "callbacks.h"
#include "current_target.h"
#include "deployed_release.h"
#include "device_apps.h"
#include <satchel/bundle_layout.h>

/* A path as the user gave it. (transfer full) */
static SatchelBundleReader *
open_bundle(const char *path, GError **error)
{
	g_autofree char *absolute = g_canonicalize_filename(path, NULL);

	return satchel_bundle_reader_open(absolute, error);
}

/* Takes @bundle. (transfer full) */
static SatchelOffer *
offer_new(SatchelBundleReader *bundle)
{
	SatchelOffer *self = g_new0(SatchelOffer, 1);

	self->bundle = bundle;
	self->targets = g_ptr_array_new_with_free_func((GDestroyNotify)satchel_ostree_target_unref);
	return self;
}

static void
take_device(SatchelOffer *self, const SatchelDevice *device)
{
	const SatchelStateTarget *running = satchel_device_get_running_target(device);

	self->running_commit = g_strdup(satchel_device_get_running_commit(device));
	self->current_version = -1;
	self->device_id = device->id;
	self->generation = device->generation;
	if (running == NULL)
		return;
	self->current_name = g_strdup(running->name);
	self->current_version = running->version;
}

/* What runs, as the metadata have it now; NULL where they do not. (transfer full) */
static SatchelStateTarget *
find_current(const SatchelOffer *self)
{
	for (guint i = 0; i < self->targets->len; i++) {
		const SatchelOstreeTarget *target = g_ptr_array_index(self->targets, i);

		if (g_strcmp0(satchel_ostree_target_get_name(target), self->current_name) == 0)
			return satchel_state_target_new(target);
	}
	return NULL;
}

static void
take_app_work(SatchelOffer *self, const SatchelDevice *device)
{
	g_autoptr(SatchelStateTarget) target = find_current(self);

	if (target != NULL)
		self->app_work = satchel_device_apps_find_work(device, target);
}

char *
satchel_offer_find_app_work(const SatchelDevice *device)
{
	const SatchelStateTarget *running = satchel_device_get_running_target(device);

	if (running != NULL)
		return satchel_device_apps_find_work(device, running);
	return device->settings->apps == NULL ? NULL : g_strdup("nothing is known of them");
}

/* The same without an engine: @app_work is that of the apps that the device knew the release by. */
static void
preview_app_work(SatchelOffer *self, const SatchelDevice *device, const char *app_work)
{
	const SatchelStateTarget *running = satchel_device_get_running_target(device);
	g_autoptr(SatchelStateTarget) target = find_current(self);

	if (target == NULL)
		return;
	if (device->settings->apps != NULL && !satchel_state_target_has_same_apps(target, running))
		self->app_work = g_strdup("it has other apps now");
	else
		self->app_work = g_strdup(app_work);
}

/* Keeps the targets whose apps lie in the bundle. Error: of the newest one, where none is left. */
static gboolean
keep_with_apps(SatchelOffer *self, const SatchelDevice *device, GError **error)
{
	g_autoptr(GError) first_error = NULL;

	for (guint i = self->targets->len; i > 0; i--) {
		g_autoptr(SatchelStateTarget) target =
			satchel_state_target_new(g_ptr_array_index(self->targets, i - 1));
		g_autoptr(GError) local_error = NULL;

		if (satchel_device_apps_check_bundle(device, self->bundle, target, &local_error))
			continue;
		/* It is there, as it was signed: whoever pulls it is told what is wrong with it. */
		if (g_error_matches(local_error, SATCHEL_ERROR, SATCHEL_ERROR_CONTENT_INVALID))
			continue;
		if (first_error == NULL)
			first_error = g_steal_pointer(&local_error);
		g_ptr_array_remove_index(self->targets, i - 1);
	}
	if (self->targets->len > 0 || first_error == NULL)
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&first_error));
	return FALSE;
}

/* What runs was never installed by us: the trusted target with its commit tells its name, without
 * which any version would look newer. */
static gboolean
adopt_running(const SatchelTargets *role, SatchelDevice *device)
{
	const char *commit = satchel_device_get_running_commit(device);
	g_autoptr(SatchelStateTarget) release = NULL;

	if (commit == NULL || satchel_device_get_running_target(device) != NULL ||
	    device->state->pending != NULL)
		return FALSE;
	release = satchel_deployed_release_find(role, device->settings->hardware_id, commit);
	if (release == NULL)
		return FALSE;
	release->untried = device->settings->apps != NULL && release->apps->len > 0;
	satchel_state_adopt(device->state, release, device->clock_s);
	return TRUE;
}

/* What the device could not name is named once a trusted role knows it. */
static gboolean
learn_names(const SatchelVerdict *verdict, SatchelDevice *device, GError **error)
{
	const SatchelTargets *role = satchel_verdict_get_targets_role(verdict);
	gboolean named = satchel_deployed_release_name_all(device->state, role,
							   device->settings->hardware_id);
	gboolean adopted = adopt_running(role, device);

	return (!named && !adopted) || satchel_device_save(device, error);
}

static void
take_targets(SatchelOffer *self, const SatchelVerdict *verdict)
{
	for (guint i = 0; i < satchel_verdict_get_n_targets(verdict); i++)
		g_ptr_array_add(self->targets,
				satchel_ostree_target_ref(satchel_verdict_get_target(verdict, i)));
}

/* Of the configuration, of what was ever installed, and of what the trusted metadata have for this
 * device, the highest. */
static void
take_floor(SatchelOffer *self, const SatchelDevice *device, const SatchelVerdict *verdict)
{
	SatchelTargetFilter filter = {
		.hardware_id = device->settings->hardware_id,
		.tags = (const char *const *)device->settings->tags,
	};
	const SatchelTargets *role = satchel_verdict_get_targets_role(verdict);

	self->lowest_version = satchel_device_get_floor(device);
	if (role != NULL)
		self->lowest_version =
			MAX(self->lowest_version, satchel_target_lowest_version(role, &filter));
}

/* The first reason is the error, the others are remarks. */
static gboolean
refuse(const SatchelVerdict *verdict, SatchelDevice *device, GError **error)
{
	guint n = satchel_verdict_get_n_reasons(verdict);

	for (guint i = 1; i < n; i++)
		satchel_device_remark(device, "also: %s",
				      satchel_verdict_get_reason(verdict, i)->message);
	if (n == 0)
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_NO_MATCHING_TARGET,
			    "nothing for this device");
	else
		g_propagate_error(error, g_error_copy(satchel_verdict_get_reason(verdict, 0)));
	return FALSE;
}

/* The bundle is accepted: its time of issue is a verified time, its roles are the newest. */
static gboolean
commit_trust(SatchelDevice *device, SatchelTrustStore *store, const SatchelVerdict *verdict,
	     GError **error)
{
	const SatchelBundleMeta *meta = satchel_verdict_get_bundle_meta(verdict);
	gint64 issued_s = meta == NULL ? -1 : satchel_bundle_meta_get_issued_s(meta);

	/* First: a commit that fails may have reached the disk in part. */
	device->generation++;
	if (issued_s > 0 && !satchel_trust_store_raise_floor(store, issued_s, error))
		return FALSE;
	return satchel_trust_store_commit(store, error);
}

static void
remark_ignored_time(SatchelDevice *device)
{
	g_autofree char *time = NULL;

	if (device->ignored_commit_s == 0)
		return;
	time = satchel_utc_time_format(device->ignored_commit_s);
	satchel_device_remark(device,
			      "also: the running commit is dated %s, when the trusted root has "
			      "expired: that is not believed",
			      time);
}

/* Takes @bundle. Judges it; nothing is written. (transfer full) */
static SatchelOffer *
offer_judge(SatchelDevice *device, SatchelBundleReader *bundle, SatchelTrustStore *store,
	    const SatchelDeviceProfile *profile, GCancellable *cancellable, GError **error)
{
	g_autoptr(SatchelOffer) self = offer_new(bundle);
	g_autoptr(SatchelVerdict) verdict = satchel_bundle_judge(bundle, store, profile, error);

	if (verdict == NULL || !satchel_cancel_check(cancellable, error))
		return NULL;
	if (!satchel_verdict_is_accepted(verdict)) {
		(void)refuse(verdict, device, error);
		return NULL;
	}
	take_targets(self, verdict);
	if (!keep_with_apps(self, device, error))
		return NULL;
	for (guint i = 0; i < satchel_verdict_get_n_notes(verdict); i++)
		satchel_device_remark(device, "note: %s", satchel_verdict_get_note(verdict, i));
	self->bundle_sha256 = g_strdup(satchel_verdict_get_bundle_sha256(verdict));
	self->cached = satchel_verdict_used_stored_metadata(verdict);
	self->verdict = g_steal_pointer(&verdict);
	return g_steal_pointer(&self);
}

SatchelOffer *
satchel_offer_preview(SatchelDevice *device, SatchelBundleReader *bundle, SatchelTrustStore *store,
		      const SatchelDeviceProfile *profile, const char *app_work, GError **error)
{
	g_autoptr(SatchelOffer) self = offer_judge(device, bundle, store, profile, NULL, error);
	const SatchelTargets *role;

	if (self == NULL)
		return NULL;
	role = satchel_verdict_get_targets_role(self->verdict);
	(void)satchel_deployed_release_name_all(device->state, role, device->settings->hardware_id);
	(void)adopt_running(role, device);
	take_device(self, device);
	preview_app_work(self, device, app_work);
	take_floor(self, device, self->verdict);
	return g_steal_pointer(&self);
}

SatchelOffer *
satchel_offer_recheck_bundle(SatchelDevice *device, const char *path, GCancellable *cancellable,
			     GError **error)
{
	g_autoptr(SatchelOffer) self = NULL;
	g_autoptr(SatchelTrustStore) store = NULL;
	g_autoptr(SatchelBundleReader) bundle = NULL;
	SatchelDeviceProfile profile = {0};

	if (!satchel_device_check_update(device, error))
		return NULL;
	bundle = open_bundle(path, error);
	if (bundle == NULL)
		return NULL;
	store = satchel_device_open_store(device, bundle, error);
	if (store == NULL || !satchel_device_get_profile(device, store, &profile, error))
		return NULL;
	remark_ignored_time(device);
	self = offer_judge(device, g_steal_pointer(&bundle), store, &profile, cancellable, error);
	if (self == NULL || !commit_trust(device, store, self->verdict, error) ||
	    !learn_names(self->verdict, device, error))
		return NULL;
	take_device(self, device);
	take_app_work(self, device);
	take_floor(self, device, self->verdict);
	satchel_current_target_update(device);
	return g_steal_pointer(&self);
}

SatchelOffer *
satchel_offer_from_bundle(SatchelDevice *device, const char *path, GCancellable *cancellable,
			  GError **error)
{
	g_autoptr(SatchelOffer) self = NULL;
	g_autoptr(GError) local_error = NULL;

	if (!satchel_device_check_update(device, error))
		return NULL;
	satchel_callbacks_tell(device, SATCHEL_CALLBACK_CHECK_PRE, NULL, NULL);
	self = satchel_offer_recheck_bundle(device, path, cancellable, &local_error);
	if (self == NULL) {
		satchel_callbacks_tell_result(device, SATCHEL_CALLBACK_CHECK_POST, NULL, NULL,
					      local_error);
		g_propagate_error(error, g_steal_pointer(&local_error));
		return NULL;
	}
	if (!satchel_callbacks_ask(device, SATCHEL_CALLBACK_CHECK_POST, NULL, SATCHEL_CALLBACK_OK,
				   error))
		return NULL;
	return g_steal_pointer(&self);
}

/* Keeps the targets whose commit lies in the bundle. */
static gboolean
keep_present(SatchelOffer *self, GError **error)
{
	for (guint i = self->targets->len; i > 0; i--) {
		const SatchelOstreeTarget *target = g_ptr_array_index(self->targets, i - 1);
		g_autofree char *object = satchel_object_path(
			SATCHEL_OBJECT_COMMIT, satchel_ostree_target_get_commit(target), TRUE);
		g_autofree char *member =
			g_strconcat(SATCHEL_BUNDLE_OSTREE_OBJECTS "/", object, NULL);

		if (!satchel_bundle_reader_has(self->bundle, member, NULL))
			g_ptr_array_remove_index(self->targets, i - 1);
	}
	if (self->targets->len > 0)
		return TRUE;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_NO_TARGET_CONTENT,
		    "%s: the bundle holds the content of none of the targets that this device "
		    "knows; 'check' may know of newer ones",
		    satchel_bundle_reader_get_path(self->bundle));
	return FALSE;
}

SatchelOffer *
satchel_offer_from_stored(SatchelDevice *device, const char *path, GError **error)
{
	g_autoptr(SatchelOffer) self = offer_new(NULL);
	g_autoptr(SatchelTrustStore) store = NULL;
	g_autoptr(SatchelVerdict) verdict = NULL;
	SatchelDeviceProfile profile = {0};

	if (path != NULL) {
		self->bundle = open_bundle(path, error);
		if (self->bundle == NULL)
			return NULL;
	}
	store = satchel_device_open_store(device, NULL, error);
	if (store == NULL || !satchel_device_get_profile(device, store, &profile, error))
		return NULL;
	verdict = satchel_stored_targets_judge(store, &profile, error);
	if (verdict == NULL)
		return NULL;
	if (!satchel_verdict_is_accepted(verdict)) {
		(void)refuse(verdict, device, error);
		g_prefix_error(error, "by the metadata that this device has stored: ");
		return NULL;
	}
	take_targets(self, verdict);
	self->cached = TRUE;
	if (self->bundle != NULL &&
	    (!keep_present(self, error) || !keep_with_apps(self, device, error)))
		return NULL;
	take_device(self, device);
	take_app_work(self, device);
	take_floor(self, device, verdict);
	return g_steal_pointer(&self);
}

guint
satchel_offer_get_n_targets(const SatchelOffer *self)
{
	return self->targets->len;
}

const SatchelOstreeTarget *
satchel_offer_get_target(const SatchelOffer *self, guint index)
{
	return g_ptr_array_index(self->targets, index);
}

gboolean
satchel_offer_is_cached(const SatchelOffer *self)
{
	return self->cached;
}

SatchelOfferMarks
satchel_offer_get_marks(const SatchelOffer *self, const SatchelDevice *device,
			const SatchelOstreeTarget *target)
{
	gint64 version = satchel_ostree_target_get_version(target);
	guint marks = SATCHEL_OFFER_MARK_NONE;

	if (self->current_name != NULL && version == self->current_version)
		marks |= SATCHEL_OFFER_MARK_CURRENT;
	if (version > self->current_version)
		marks |= SATCHEL_OFFER_MARK_NEWER;
	if (satchel_state_is_failing(device->state, satchel_ostree_target_get_name(target),
				     satchel_ostree_target_get_commit(target)))
		marks |= SATCHEL_OFFER_MARK_FAILED;
	return (SatchelOfferMarks)marks;
}

/* A name that was given to another commit since is another target. (transfer container) */
static GPtrArray *
list_failing(const SatchelOffer *self, const SatchelState *state)
{
	GPtrArray *names = g_ptr_array_new();

	for (guint i = 0; i < self->targets->len; i++) {
		const SatchelOstreeTarget *target = g_ptr_array_index(self->targets, i);
		const char *name = satchel_ostree_target_get_name(target);

		if (satchel_state_is_failing(state, name, satchel_ostree_target_get_commit(target)))
			g_ptr_array_add(names, (gpointer)(guintptr)name);
	}
	g_ptr_array_add(names, NULL);
	return names;
}

gboolean
satchel_offer_check_device(const SatchelOffer *self, const SatchelDevice *device, GError **error)
{
	if (self->device_id != device->id) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE,
			    "the offer was made by another device");
		return FALSE;
	}
	if (self->generation == device->generation)
		return TRUE;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
		    "the offer is older than what the device has learned since: check again");
	return FALSE;
}

gboolean
satchel_offer_choose(const SatchelOffer *self, const SatchelDevice *device, const char *wanted,
		     SatchelTargetChoice *choice, GError **error)
{
	SatchelSysrootFacts facts = satchel_device_get_facts(device);
	g_autoptr(GPtrArray) failing = list_failing(self, device->state);
	g_autoptr(SatchelStateTarget) back = NULL;
	SatchelTargetQuestion question = {
		.candidates = self->targets,
		.current_name = self->current_name,
		.current_version = self->current_version,
		.failing_names = (const char *const *)failing->pdata,
		.wanted = wanted,
		.running_commit = self->running_commit,
		.lowest_version = self->lowest_version,
		.auto_downgrade = device->settings->auto_downgrade,
	};

	if (!satchel_offer_check_device(self, device, error))
		return FALSE;
	(void)satchel_update_plan_rollback(device->state, &facts, self->lowest_version, &back);
	if (back != NULL)
		question.rollback_name = back->name;
	if (!satchel_target_choose(&question, choice, error))
		return FALSE;
	if (satchel_offer_is_app_sync(self, choice)) {
		g_free(choice->text);
		choice->text = g_strdup_printf("Syncing the apps of %s: %s", self->current_name,
					       self->app_work);
	}
	return TRUE;
}

gboolean
satchel_offer_is_app_sync(const SatchelOffer *self, const SatchelTargetChoice *choice)
{
	return choice->kind == SATCHEL_TARGET_CHOICE_SYNC && self->app_work != NULL &&
	       g_strcmp0(self->running_commit,
			 satchel_ostree_target_get_commit(choice->selected)) == 0;
}

gboolean
satchel_offer_is_update(const SatchelOffer *self, const SatchelTargetChoice *choice)
{
	switch (choice->kind) {
	case SATCHEL_TARGET_CHOICE_NOTHING:
	case SATCHEL_TARGET_CHOICE_TOO_OLD:
		return FALSE;
	case SATCHEL_TARGET_CHOICE_NEW_VERSION:
	case SATCHEL_TARGET_CHOICE_ROLLBACK:
		return TRUE;
	case SATCHEL_TARGET_CHOICE_SYNC:
		/* A name that was given to another commit since is another target. */
		return self->app_work != NULL ||
		       g_strcmp0(self->running_commit,
				 satchel_ostree_target_get_commit(choice->selected)) != 0;
	}
	return FALSE;
}

void
satchel_offer_let_bundle_go(SatchelOffer *self)
{
	g_clear_pointer(&self->bundle, satchel_bundle_reader_free);
}

void
satchel_offer_free(SatchelOffer *self)
{
	g_clear_pointer(&self->targets, g_ptr_array_unref);
	g_clear_pointer(&self->bundle, satchel_bundle_reader_free);
	g_clear_pointer(&self->verdict, satchel_verdict_free);
	g_free(self->bundle_sha256);
	g_free(self->current_name);
	g_free(self->running_commit);
	g_free(self->app_work);
	g_free(self);
}
