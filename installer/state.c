#include "state.h"

static void
state_app_free(gpointer data)
{
	SatchelStateApp *app = data;

	g_free(app->name);
	g_free(app->uri);
	g_free(app);
}

static void
state_event_free(gpointer data)
{
	SatchelStateEvent *event = data;

	g_free(event->name);
	g_free(event->commit);
	g_free(event->reason);
	g_free(event->bundle);
	g_free(event);
}

SatchelStateTarget *
satchel_state_target_new_from_parts(const char *name, gint64 version, const char *commit)
{
	SatchelStateTarget *self = g_new0(SatchelStateTarget, 1);

	self->name = g_strdup(name);
	self->version = version;
	self->commit = g_strdup(commit);
	self->apps = g_ptr_array_new_with_free_func(state_app_free);
	return self;
}

void
satchel_state_target_add_app(SatchelStateTarget *self, const char *name, const char *uri)
{
	SatchelStateApp *app = g_new0(SatchelStateApp, 1);

	app->name = g_strdup(name);
	app->uri = g_strdup(uri);
	g_ptr_array_add(self->apps, app);
}

SatchelStateTarget *
satchel_state_target_new(const SatchelOstreeTarget *target)
{
	SatchelStateTarget *self = satchel_state_target_new_from_parts(
		satchel_ostree_target_get_name(target), satchel_ostree_target_get_version(target),
		satchel_ostree_target_get_commit(target));

	self->lowest_version = satchel_ostree_target_get_lowest_version(target);
	for (guint i = 0; i < satchel_ostree_target_get_n_apps(target); i++) {
		const SatchelTargetApp *app = satchel_ostree_target_get_app(target, i);

		/* What no bundle may hold is nothing for a device without a network. */
		if (app->is_bundled)
			satchel_state_target_add_app(self, app->name, app->uri);
	}
	return self;
}

SatchelStateTarget *
satchel_state_target_copy(const SatchelStateTarget *self)
{
	SatchelStateTarget *copy =
		satchel_state_target_new_from_parts(self->name, self->version, self->commit);

	copy->lowest_version = self->lowest_version;
	copy->untried = self->untried;
	for (guint i = 0; i < self->apps->len; i++) {
		const SatchelStateApp *app = g_ptr_array_index(self->apps, i);

		satchel_state_target_add_app(copy, app->name, app->uri);
	}
	return copy;
}

void
satchel_state_target_free(SatchelStateTarget *self)
{
	g_free(self->name);
	g_free(self->commit);
	g_ptr_array_unref(self->apps);
	g_free(self);
}

static void
target_destroy(gpointer data)
{
	satchel_state_target_free(data);
}

SatchelState *
satchel_state_new(void)
{
	SatchelState *self = g_new0(SatchelState, 1);

	self->failing = g_ptr_array_new_with_free_func(target_destroy);
	self->events = g_ptr_array_new_with_free_func(state_event_free);
	return self;
}

static void
forget_oldest(GPtrArray *list, guint max)
{
	if (list->len > max)
		g_ptr_array_remove_range(list, 0, list->len - max);
}

void
satchel_state_add_event(SatchelState *self, SatchelStateEventKind kind, gint64 at_s,
			const SatchelStateTarget *target, const char *reason)
{
	SatchelStateEvent *event = g_new0(SatchelStateEvent, 1);

	event->kind = kind;
	event->at_s = at_s;
	event->name = g_strdup(target->name);
	event->version = target->version;
	event->commit = g_strdup(target->commit);
	event->reason = g_strdup(reason);
	event->bundle = g_strdup(self->bundle);
	g_ptr_array_add(self->events, event);
	forget_oldest(self->events, SATCHEL_STATE_MAX_EVENTS);
}

static void
forget_installation(SatchelState *self)
{
	g_clear_pointer(&self->installing, satchel_state_target_free);
	g_clear_pointer(&self->pending, satchel_state_target_free);
	g_clear_pointer(&self->from_commit, g_free);
	g_clear_pointer(&self->bundle, g_free);
}

static gboolean
has_app(const SatchelStateTarget *target, const SatchelStateApp *wanted)
{
	for (guint i = 0; i < target->apps->len; i++) {
		const SatchelStateApp *app = g_ptr_array_index(target->apps, i);

		if (g_str_equal(app->name, wanted->name) && g_str_equal(app->uri, wanted->uri))
			return TRUE;
	}
	return FALSE;
}

gboolean
satchel_state_target_has_same_apps(const SatchelStateTarget *one, const SatchelStateTarget *other)
{
	for (guint i = 0; i < one->apps->len; i++) {
		if (!has_app(other, g_ptr_array_index(one->apps, i)))
			return FALSE;
	}
	return one->apps->len == other->apps->len;
}

static gboolean
same_target(const SatchelStateTarget *target, const char *name, const char *commit)
{
	return g_str_equal(target->name, name) && g_str_equal(target->commit, commit);
}

/* A target that works is not failing any more, whatever it did before. */
static void
forgive(SatchelState *self, const SatchelStateTarget *target)
{
	for (guint i = self->failing->len; i > 0; i--) {
		if (same_target(g_ptr_array_index(self->failing, i - 1), target->name,
				target->commit))
			g_ptr_array_remove_index(self->failing, i - 1);
	}
}

/* What the device came with counts as having worked, although nobody knows its name. */
static SatchelStateTarget *
initial_target(const SatchelState *self)
{
	if (self->from_commit == NULL)
		return NULL;
	return satchel_state_target_new_from_parts(SATCHEL_STATE_INITIAL_NAME, -1,
						   self->from_commit);
}

/* Takes @target: the new current one. */
static void
take_current(SatchelState *self, SatchelStateTarget *target)
{
	SatchelStateTarget *old =
		self->current != NULL ? g_steal_pointer(&self->current) : initial_target(self);

	self->current = target;
	/* What it named holds for good, whatever comes after it. */
	self->lowest_version = MAX(self->lowest_version, target->lowest_version);
	if (old == NULL)
		return;
	if (g_str_equal(old->commit, target->commit)) {
		satchel_state_target_free(old);
		return;
	}
	g_clear_pointer(&self->rollback, satchel_state_target_free);
	/* What was left because it did not do is nothing to go back to. */
	if (satchel_state_is_failing(self, old->name, old->commit))
		satchel_state_target_free(old);
	else
		self->rollback = old;
}

void
satchel_state_begin(SatchelState *self, const SatchelStateTarget *target, const char *from_commit,
		    const char *bundle)
{
	SatchelStateTarget *copy = satchel_state_target_copy(target);
	char *from = g_strdup(from_commit);
	char *origin = g_strdup(bundle);

	forget_installation(self);
	self->installing = copy;
	self->from_commit = from;
	self->bundle = origin;
}

void
satchel_state_deployed(SatchelState *self, gint64 now_s)
{
	g_return_if_fail(self->installing != NULL);
	self->pending = g_steal_pointer(&self->installing);
	satchel_state_add_event(self, SATCHEL_STATE_EVENT_DEPLOYED, now_s, self->pending, NULL);
}

void
satchel_state_working(SatchelState *self, gint64 now_s)
{
	g_return_if_fail(self->pending != NULL);
	satchel_state_add_event(self, SATCHEL_STATE_EVENT_WORKING, now_s, self->pending, NULL);
	forgive(self, self->pending);
	/* It may be a copy of what was found running, to which a rollback led. */
	self->pending->untried = FALSE;
	take_current(self, g_steal_pointer(&self->pending));
	forget_installation(self);
}

void
satchel_state_reject(SatchelState *self, const SatchelStateTarget *target, gint64 now_s,
		     const char *reason)
{
	SatchelStateTarget *copy = satchel_state_target_copy(target);

	satchel_state_add_event(self, SATCHEL_STATE_EVENT_FAILED, now_s, copy, reason);
	forgive(self, copy);
	g_ptr_array_add(self->failing, copy);
	forget_oldest(self->failing, SATCHEL_STATE_MAX_FAILING);
}

void
satchel_state_failed(SatchelState *self, gint64 now_s, const char *reason)
{
	const SatchelStateTarget *target = self->pending != NULL ? self->pending : self->installing;

	g_return_if_fail(target != NULL);
	satchel_state_reject(self, target, now_s, reason);
	forget_installation(self);
}

void
satchel_state_put_off(SatchelState *self, gint64 now_s, const char *reason)
{
	const SatchelStateTarget *target = self->pending != NULL ? self->pending : self->installing;

	g_return_if_fail(target != NULL);
	satchel_state_add_event(self, SATCHEL_STATE_EVENT_FAILED, now_s, target, reason);
	forget_installation(self);
}

void
satchel_state_abandon(SatchelState *self)
{
	forget_installation(self);
}

void
satchel_state_adopt(SatchelState *self, const SatchelStateTarget *target, gint64 now_s)
{
	g_return_if_fail(self->pending == NULL);
	if (self->current != NULL && same_target(self->current, target->name, target->commit)) {
		self->current->untried = self->current->untried && target->untried;
		return;
	}
	satchel_state_add_event(self, SATCHEL_STATE_EVENT_WORKING, now_s, target, NULL);
	forgive(self, target);
	take_current(self, satchel_state_target_copy(target));
	forget_installation(self);
}

gboolean
satchel_state_is_failing(const SatchelState *self, const char *name, const char *commit)
{
	for (guint i = 0; i < self->failing->len; i++) {
		if (same_target(g_ptr_array_index(self->failing, i), name, commit))
			return TRUE;
	}
	return FALSE;
}

void
satchel_state_free(SatchelState *self)
{
	forget_installation(self);
	g_clear_pointer(&self->current, satchel_state_target_free);
	g_clear_pointer(&self->rollback, satchel_state_target_free);
	g_ptr_array_unref(self->failing);
	g_ptr_array_unref(self->events);
	g_free(self);
}
