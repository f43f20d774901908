#include "device_apps.h"
#include "device_parts.h"

/* SatchelDeviceTarget is how others see a SatchelStateTarget; it is never defined. */
static const SatchelDeviceTarget *
to_public(const SatchelStateTarget *target)
{
	return (const SatchelDeviceTarget *)target;
}

static const SatchelStateTarget *
from_public(const SatchelDeviceTarget *target)
{
	return (const SatchelStateTarget *)target;
}

const char *
satchel_device_target_get_name(const SatchelDeviceTarget *self)
{
	return from_public(self)->name;
}

gint64
satchel_device_target_get_version(const SatchelDeviceTarget *self)
{
	return from_public(self)->version;
}

const char *
satchel_device_target_get_commit(const SatchelDeviceTarget *self)
{
	return from_public(self)->commit;
}

guint
satchel_device_target_get_n_apps(const SatchelDeviceTarget *self)
{
	return from_public(self)->apps->len;
}

SatchelTargetApp
satchel_device_target_get_app(const SatchelDeviceTarget *self, guint index)
{
	const SatchelStateApp *app = g_ptr_array_index(from_public(self)->apps, index);

	return (SatchelTargetApp){.name = app->name, .uri = app->uri};
}

void
satchel_device_set_progress(SatchelDevice *self, const SatchelProgressSink *sink)
{
	self->sink = sink != NULL ? *sink : (SatchelProgressSink){0};
}

void
satchel_device_delay_apps(SatchelDevice *self)
{
	self->delay_apps = TRUE;
}

gboolean
satchel_device_app_is_on(const SatchelDevice *self, const char *app)
{
	return self->settings->apps == NULL ||
	       satchel_apps_settings_runs(self->settings->apps, app);
}

gboolean
satchel_device_app_is_running(const SatchelDevice *self, const SatchelTargetApp *app)
{
	return satchel_device_apps_is_running(self, app->name, app->uri);
}

GStrv
satchel_device_take_remarks(SatchelDevice *self)
{
	GPtrArray *taken = g_steal_pointer(&self->remarks);

	self->remarks = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(taken, NULL);
	return (GStrv)g_ptr_array_free(taken, FALSE);
}

const char *
satchel_device_get_uuid(const SatchelDevice *self)
{
	return self->identity.uuid;
}

const char *const *
satchel_device_get_tags(const SatchelDevice *self)
{
	return (const char *const *)self->settings->tags;
}

const char *
satchel_device_get_source(const SatchelDevice *self)
{
	return self->settings->source;
}

guint
satchel_device_get_polling_s(const SatchelDevice *self)
{
	return (guint)self->settings->polling_s;
}

const SatchelDeviceTarget *
satchel_device_get_current(const SatchelDevice *self)
{
	return to_public(satchel_device_get_running_target(self));
}

const SatchelDeviceTarget *
satchel_device_get_pending(const SatchelDevice *self)
{
	return to_public(self->state->pending);
}

const SatchelDeviceTarget *
satchel_device_get_rollback(const SatchelDevice *self)
{
	return to_public(self->state->rollback);
}

guint
satchel_device_get_n_failing(const SatchelDevice *self)
{
	return self->state->failing->len;
}

const SatchelDeviceTarget *
satchel_device_get_failing(const SatchelDevice *self, guint index)
{
	return to_public(g_ptr_array_index(self->state->failing, index));
}

guint
satchel_device_get_n_events(const SatchelDevice *self)
{
	return self->state->events->len;
}

static SatchelDeviceEventKind
event_kind(SatchelStateEventKind kind)
{
	switch (kind) {
	case SATCHEL_STATE_EVENT_DEPLOYED:
		return SATCHEL_DEVICE_EVENT_DEPLOYED;
	case SATCHEL_STATE_EVENT_WORKING:
		return SATCHEL_DEVICE_EVENT_WORKING;
	case SATCHEL_STATE_EVENT_FAILED:
		break;
	}
	return SATCHEL_DEVICE_EVENT_FAILED;
}

SatchelDeviceEvent
satchel_device_get_event(const SatchelDevice *self, guint index)
{
	const SatchelStateEvent *event = g_ptr_array_index(self->state->events, index);

	return (SatchelDeviceEvent){
		.kind = event_kind(event->kind),
		.at_s = event->at_s,
		.name = event->name,
		.version = event->version,
		.commit = event->commit,
		.reason = event->reason,
		.bundle = event->bundle,
	};
}
