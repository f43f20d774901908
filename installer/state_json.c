#include "../verify/hex.h"
#include "../verify/json.h"
#include "../verify/utc_time.h"
#include "state.h"

static const char *const root_members[] = {
	"format",      "lowest_version", "current", "rollback", "installing", "pending",
	"from_commit", "bundle",	 "failing", "events",	NULL};
static const char *const target_members[] = {
	"name", "version", "lowest_version", "commit", "apps", "untried", NULL};
static const char *const app_members[] = {"name", "uri", NULL};
static const char *const event_members[] = {"at",     "event",	"name",	  "version",
					    "commit", "reason", "bundle", NULL};

static const char *const event_names[] = {
	[SATCHEL_STATE_EVENT_DEPLOYED] = "deployed",
	[SATCHEL_STATE_EVENT_WORKING] = "working",
	[SATCHEL_STATE_EVENT_FAILED] = "failed",
};

static gboolean
state_fail(GError **error, const char *what)
{
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED, "%s", what);
	return FALSE;
}

/* An object without members that this version does not know: they would be lost when it is
 * written. */
static gboolean
check_object(const json_t *object, const char *const *known, const char *what, GError **error)
{
	gsize n_known = 0;

	if (!json_is_object(object)) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED, "%s is no object", what);
		return FALSE;
	}
	for (guint i = 0; known[i] != NULL; i++)
		n_known += json_object_get(object, known[i]) != NULL;
	if (n_known == json_object_size(object))
		return TRUE;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
		    "%s has a member that does not belong there", what);
	return FALSE;
}

/* A member that is a SHA-256 in hex. Borrowed from @object. */
static const char *
get_checksum(const json_t *object, const char *member, GError **error)
{
	const char *text = satchel_json_get_string(object, member, error);

	if (text == NULL || satchel_hex_is_sha256(text))
		return text;
	state_fail(error, "a checksum is not 64 hex digits");
	return NULL;
}

/* An optional one: NULL without error where it is absent. */
static gboolean
get_optional_checksum(const json_t *object, const char *member, char **checksum, GError **error)
{
	const char *text = NULL;

	if (json_object_get(object, member) == NULL)
		return TRUE;
	text = get_checksum(object, member, error);
	*checksum = g_strdup(text);
	return text != NULL;
}

/* An optional floor: 0 where it is absent. */
static gboolean
get_floor(const json_t *object, gint64 *lowest_version, GError **error)
{
	return json_object_get(object, "lowest_version") == NULL ||
	       satchel_json_get_int(object, "lowest_version", 1, G_MAXINT64, lowest_version, error);
}

/* There where it is true. */
static gboolean
get_untried(const json_t *object, gboolean *untried, GError **error)
{
	const json_t *value = json_object_get(object, "untried");

	*untried = value != NULL;
	return value == NULL || json_is_true(value) ||
	       state_fail(error, "'untried' is something else than true");
}

static void
set_floor(json_t *object, gint64 lowest_version)
{
	if (lowest_version > 0)
		json_object_set_new(object, "lowest_version", json_integer(lowest_version));
}

static gboolean
parse_apps(SatchelStateTarget *target, const json_t *object, GError **error)
{
	const json_t *apps = satchel_json_get_array(object, "apps", error);
	gsize index = 0;
	const json_t *value = NULL;

	if (apps == NULL)
		return FALSE;
	json_array_foreach(apps, index, value)
	{
		const char *name = NULL;
		const char *uri = NULL;

		if (!check_object(value, app_members, "an app", error))
			return FALSE;
		name = satchel_json_get_string(value, "name", error);
		uri = name == NULL ? NULL : satchel_json_get_string(value, "uri", error);
		if (uri == NULL)
			return FALSE;
		satchel_state_target_add_app(target, name, uri);
	}
	return TRUE;
}

/* (transfer full) */
static SatchelStateTarget *
parse_target(const json_t *object, GError **error)
{
	g_autoptr(SatchelStateTarget) target = NULL;
	const char *name = NULL;
	const char *commit = NULL;
	gint64 version = -1;

	if (!check_object(object, target_members, "a target", error))
		return NULL;
	name = satchel_json_get_string(object, "name", error);
	commit = name == NULL ? NULL : get_checksum(object, "commit", error);
	if (commit == NULL ||
	    !satchel_json_get_int(object, "version", -1, G_MAXINT64, &version, error))
		return NULL;
	target = satchel_state_target_new_from_parts(name, version, commit);
	if (!get_floor(object, &target->lowest_version, error) ||
	    !get_untried(object, &target->untried, error) || !parse_apps(target, object, error))
		return NULL;
	return g_steal_pointer(&target);
}

static gboolean
parse_optional_target(const json_t *root, const char *member, SatchelStateTarget **target,
		      GError **error)
{
	const json_t *object = json_object_get(root, member);

	if (object == NULL)
		return TRUE;
	*target = parse_target(object, error);
	return *target != NULL;
}

static gboolean
parse_failing(SatchelState *state, const json_t *root, GError **error)
{
	const json_t *list = satchel_json_get_array(root, "failing", error);
	gsize index = 0;
	const json_t *value = NULL;

	if (list == NULL)
		return FALSE;
	if (json_array_size(list) > SATCHEL_STATE_MAX_FAILING)
		return state_fail(error, "too many failing targets");
	json_array_foreach(list, index, value)
	{
		SatchelStateTarget *target = parse_target(value, error);

		if (target == NULL)
			return FALSE;
		g_ptr_array_add(state->failing, target);
	}
	return TRUE;
}

static gboolean
parse_event_kind(const json_t *object, SatchelStateEventKind *kind, GError **error)
{
	const char *name = satchel_json_get_string(object, "event", error);

	if (name == NULL)
		return FALSE;
	for (guint i = 0; i < G_N_ELEMENTS(event_names); i++) {
		if (g_str_equal(name, event_names[i])) {
			*kind = (SatchelStateEventKind)i;
			return TRUE;
		}
	}
	return state_fail(error, "an event is of no known kind");
}

static gboolean
parse_event_into(SatchelStateEvent *event, const json_t *object, GError **error)
{
	const char *text = NULL;

	if (!check_object(object, event_members, "an event", error))
		return FALSE;
	text = satchel_json_get_string(object, "name", error);
	if (text == NULL)
		return FALSE;
	event->name = g_strdup(text);
	text = get_checksum(object, "commit", error);
	if (text == NULL)
		return FALSE;
	event->commit = g_strdup(text);
	if (json_object_get(object, "reason") != NULL) {
		text = satchel_json_get_string(object, "reason", error);
		if (text == NULL)
			return FALSE;
		event->reason = g_strdup(text);
	}
	return parse_event_kind(object, &event->kind, error) &&
	       satchel_json_get_time(object, "at", &event->at_s, error) &&
	       satchel_json_get_int(object, "version", -1, G_MAXINT64, &event->version, error) &&
	       get_optional_checksum(object, "bundle", &event->bundle, error);
}

static gboolean
parse_events(SatchelState *state, const json_t *root, GError **error)
{
	const json_t *list = satchel_json_get_array(root, "events", error);
	gsize index = 0;
	const json_t *value = NULL;

	if (list == NULL)
		return FALSE;
	if (json_array_size(list) > SATCHEL_STATE_MAX_EVENTS)
		return state_fail(error, "too many events");
	json_array_foreach(list, index, value)
	{
		SatchelStateEvent *event = g_new0(SatchelStateEvent, 1);

		g_ptr_array_add(state->events, event);
		if (!parse_event_into(event, value, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean
parse_members(SatchelState *state, const json_t *root, GError **error)
{
	gint64 format = 0;

	if (!check_object(root, root_members, "the document", error) ||
	    !satchel_json_get_int(root, "format", SATCHEL_STATE_FORMAT, SATCHEL_STATE_FORMAT,
				  &format, error) ||
	    !parse_optional_target(root, "current", &state->current, error) ||
	    !parse_optional_target(root, "rollback", &state->rollback, error) ||
	    !parse_optional_target(root, "installing", &state->installing, error) ||
	    !parse_optional_target(root, "pending", &state->pending, error) ||
	    !get_optional_checksum(root, "from_commit", &state->from_commit, error) ||
	    !get_optional_checksum(root, "bundle", &state->bundle, error) ||
	    !get_floor(root, &state->lowest_version, error) || !parse_failing(state, root, error) ||
	    !parse_events(state, root, error))
		return FALSE;
	if (state->installing != NULL && state->pending != NULL)
		return state_fail(error, "both installing and pending");
	if (state->from_commit == NULL && (state->installing != NULL || state->pending != NULL))
		return state_fail(error, "an installation without from_commit");
	return TRUE;
}

gint64
satchel_state_read_format(GBytes *document)
{
	g_autoptr(SatchelJson) root = satchel_json_parse(document, NULL);
	gint64 format = 0;

	if (root == NULL || !json_is_object(root) ||
	    !satchel_json_get_int(root, "format", 1, G_MAXINT64, &format, NULL))
		return 0;
	return format;
}

SatchelState *
satchel_state_parse(GBytes *document, GError **error)
{
	g_autoptr(SatchelState) state = satchel_state_new();
	g_autoptr(GError) local_error = NULL;
	g_autoptr(SatchelJson) root = satchel_json_parse(document, &local_error);

	if (root != NULL && parse_members(state, root, &local_error))
		return g_steal_pointer(&state);
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED, "%s", local_error->message);
	return NULL;
}

static json_t *
write_apps(const GPtrArray *apps)
{
	json_t *list = json_array();

	for (guint i = 0; i < apps->len; i++) {
		const SatchelStateApp *app = g_ptr_array_index(apps, i);

		json_array_append_new(list,
				      json_pack("{s:s, s:s}", "name", app->name, "uri", app->uri));
	}
	return list;
}

static json_t *
write_target(const SatchelStateTarget *target)
{
	json_t *object = json_pack("{s:s, s:I, s:s, s:o}", "name", target->name, "version",
				   (json_int_t)target->version, "commit", target->commit, "apps",
				   write_apps(target->apps));

	set_floor(object, target->lowest_version);
	if (target->untried)
		json_object_set_new(object, "untried", json_true());
	return object;
}

static void
set_target(json_t *root, const char *member, const SatchelStateTarget *target)
{
	if (target != NULL)
		json_object_set_new(root, member, write_target(target));
}

static void
set_text(json_t *object, const char *member, const char *text)
{
	if (text != NULL)
		json_object_set_new(object, member, json_string(text));
}

static json_t *
write_event(const SatchelStateEvent *event)
{
	g_autofree char *at = satchel_utc_time_format(event->at_s);
	json_t *object = json_pack("{s:s, s:s, s:s, s:I, s:s}", "at", at, "event",
				   event_names[event->kind], "name", event->name, "version",
				   (json_int_t)event->version, "commit", event->commit);

	set_text(object, "reason", event->reason);
	set_text(object, "bundle", event->bundle);
	return object;
}

GBytes *
satchel_state_serialize(const SatchelState *self)
{
	g_autoptr(SatchelJson) root = json_pack("{s:i}", "format", SATCHEL_STATE_FORMAT);
	json_t *failing = json_array();
	json_t *events = json_array();
	char *text = NULL;

	set_target(root, "current", self->current);
	set_target(root, "rollback", self->rollback);
	set_target(root, "installing", self->installing);
	set_target(root, "pending", self->pending);
	set_text(root, "from_commit", self->from_commit);
	set_text(root, "bundle", self->bundle);
	set_floor(root, self->lowest_version);
	for (guint i = 0; i < self->failing->len; i++)
		json_array_append_new(failing, write_target(g_ptr_array_index(self->failing, i)));
	for (guint i = 0; i < self->events->len; i++)
		json_array_append_new(events, write_event(g_ptr_array_index(self->events, i)));
	json_object_set_new(root, "failing", failing);
	json_object_set_new(root, "events", events);
	text = json_dumps(root, JSON_SORT_KEYS | JSON_INDENT(2));
	return g_bytes_new_with_free_func(text, strlen(text), free, text);
}
