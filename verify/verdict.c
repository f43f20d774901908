#include "verdict.h"
#include "utc_time.h"

static void
verdict_free_target(gpointer target)
{
	satchel_ostree_target_unref(target);
}

static void
verdict_free_reason(gpointer reason)
{
	g_error_free(reason);
}

SatchelVerdict *
satchel_verdict_new(void)
{
	SatchelVerdict *self = g_new0(SatchelVerdict, 1);

	self->reasons = g_ptr_array_new_with_free_func(verdict_free_reason);
	self->notes = g_ptr_array_new_with_free_func(g_free);
	self->targets = g_ptr_array_new_with_free_func(verdict_free_target);
	return self;
}

gint64
satchel_device_profile_now_s(const SatchelDeviceProfile *profile)
{
	return MAX(profile->clock_s, profile->floor_s);
}

SatchelTargetFilter
satchel_device_profile_filter(const SatchelDeviceProfile *profile)
{
	return (SatchelTargetFilter){
		.hardware_id = profile->hardware_id,
		.secondary_hardware_ids = profile->secondary_hardware_ids,
		.tags = profile->tags,
	};
}

static gboolean
verdict_has_reason(const SatchelVerdict *self, const GError *reason)
{
	for (guint i = 0; i < self->reasons->len; i++) {
		const GError *present = self->reasons->pdata[i];

		/* Each step that meets the same fault says the same; what the first one made of it
		 * counts. */
		if (g_strcmp0(present->message, reason->message) == 0)
			return TRUE;
	}
	return FALSE;
}

void
satchel_verdict_explain_expiry(GError **reason, gint64 clock_s, gint64 floor_s)
{
	g_autoptr(GError) expired = NULL;
	g_autofree char *clock = NULL;
	g_autofree char *floor = NULL;

	if (reason == NULL ||
	    !g_error_matches(*reason, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_EXPIRED))
		return;
	expired = g_steal_pointer(reason);
	clock = satchel_utc_time_format(clock_s);
	floor = satchel_utc_time_format(floor_s);
	g_set_error(reason, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_EXPIRED,
		    "%s; the clock says %s, the time floor is %s", expired->message, clock, floor);
}

void
satchel_verdict_add_reason(SatchelVerdict *self, const SatchelDeviceProfile *profile,
			   GError *reason)
{
	if (reason == NULL)
		return;
	satchel_verdict_explain_expiry(&reason, profile->clock_s, profile->floor_s);
	if (verdict_has_reason(self, reason))
		g_error_free(reason);
	else
		g_ptr_array_add(self->reasons, reason);
}

void
satchel_verdict_add_note(SatchelVerdict *self, char *note)
{
	g_ptr_array_add(self->notes, note);
}

gboolean
satchel_verdict_is_accepted(const SatchelVerdict *self)
{
	return self->reasons->len == 0;
}

guint
satchel_verdict_get_n_reasons(const SatchelVerdict *self)
{
	return self->reasons->len;
}

const GError *
satchel_verdict_get_reason(const SatchelVerdict *self, guint index)
{
	g_return_val_if_fail(index < self->reasons->len, NULL);
	return self->reasons->pdata[index];
}

guint
satchel_verdict_get_n_notes(const SatchelVerdict *self)
{
	return self->notes->len;
}

const char *
satchel_verdict_get_note(const SatchelVerdict *self, guint index)
{
	g_return_val_if_fail(index < self->notes->len, NULL);
	return self->notes->pdata[index];
}

guint
satchel_verdict_get_n_targets(const SatchelVerdict *self)
{
	return self->targets->len;
}

const SatchelOstreeTarget *
satchel_verdict_get_target(const SatchelVerdict *self, guint index)
{
	g_return_val_if_fail(index < self->targets->len, NULL);
	return self->targets->pdata[index];
}

gboolean
satchel_verdict_used_stored_metadata(const SatchelVerdict *self)
{
	return self->used_stored_metadata;
}

const SatchelTargets *
satchel_verdict_get_targets_role(const SatchelVerdict *self)
{
	return self->role;
}

const SatchelBundleMeta *
satchel_verdict_get_bundle_meta(const SatchelVerdict *self)
{
	return self->meta;
}

const char *
satchel_verdict_get_bundle_sha256(const SatchelVerdict *self)
{
	return self->meta_sha256;
}

void
satchel_verdict_free(SatchelVerdict *self)
{
	if (self == NULL)
		return;
	g_ptr_array_unref(self->reasons);
	g_ptr_array_unref(self->notes);
	g_ptr_array_unref(self->targets);
	g_clear_pointer(&self->role, satchel_targets_unref);
	g_clear_pointer(&self->meta, satchel_bundle_meta_free);
	g_free(self->meta_sha256);
	g_free(self);
}
