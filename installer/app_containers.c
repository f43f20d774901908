#include "app_containers.h"
#include "../verify/path_safety.h"

#define PROJECT_LABEL "com.docker.compose.project"
#define SERVICE_LABEL "com.docker.compose.service"
/* A service may ask for minutes to end; after that the engine kills it. */
#define STOP_LIMIT_S 900u
#define REMOVE_LIMIT_S 300u

static const char *
get_text(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));

	return text == NULL ? "" : text;
}

/* What has the project's label: containers, networks. (transfer full) */
static SatchelJson *
list_labelled(SatchelEngine *engine, const char *path, const char *project, GError **error)
{
	g_autofree char *label = g_strconcat(PROJECT_LABEL "=", project, NULL);
	g_autoptr(SatchelJson) filter = json_pack("{s:[s]}", "label", label);
	char *dumped = json_dumps(filter, JSON_COMPACT);
	g_autofree char *escaped = satchel_engine_escape(dumped);
	g_autofree char *query = g_strconcat(path, escaped, NULL);
	g_autoptr(SatchelJson) list = NULL;

	free(dumped);
	list = satchel_engine_get(engine, query, NULL, error);
	if (list == NULL || json_is_array(list))
		return g_steal_pointer(&list);
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED, "the engine gives no list for %s",
		    path);
	return NULL;
}

static SatchelJson *
list_containers(SatchelEngine *engine, const char *project, GError **error)
{
	return list_labelled(engine, "/containers/json?all=1&filters=", project, error);
}

static void
note_service(SatchelAppView *view, SatchelAppHealth health, const char *service, const char *what)
{
	g_autofree char *quoted = satchel_path_quote(service);

	if (health <= view->health && view->why != NULL)
		return;
	view->health = health;
	g_free(view->why);
	view->why = g_strdup_printf("service %s %s", quoted, what);
}

static void
note(SatchelAppView *view, SatchelAppHealth health, const json_t *labels, const char *what)
{
	note_service(view, health, get_text(labels, SERVICE_LABEL), what);
}

static void
note_exited(SatchelAppView *view, const json_t *details, const json_t *labels)
{
	json_int_t status =
		json_integer_value(json_object_get(json_object_get(details, "State"), "ExitCode"));
	const char *policy = get_text(
		json_object_get(json_object_get(details, "HostConfig"), "RestartPolicy"), "Name");
	gboolean for_good = *policy == '\0' || g_str_equal(policy, "no");
	g_autofree char *what =
		g_strdup_printf("has ended with status %" JSON_INTEGER_FORMAT, status);

	/* A service that sets something up and ends is as it should be. */
	if (status != 0 || !(for_good || g_str_equal(policy, "on-failure")))
		note(view, for_good ? SATCHEL_APP_FAILED : SATCHEL_APP_WAITING, labels, what);
}

static void
note_running(SatchelAppView *view, const json_t *state, const json_t *labels)
{
	const char *health = get_text(json_object_get(state, "Health"), "Status");

	if (g_str_equal(health, "starting"))
		note(view, SATCHEL_APP_WAITING, labels, "is not healthy yet");
	else if (g_str_equal(health, "unhealthy"))
		note(view, SATCHEL_APP_FAILED, labels, "is unhealthy");
}

static void
judge(SatchelAppView *view, const json_t *details, const json_t *labels, GString *mark)
{
	const json_t *state = json_object_get(details, "State");
	const char *status = get_text(state, "Status");

	g_string_append_printf(mark, "%s %s %" JSON_INTEGER_FORMAT "\n", get_text(details, "Id"),
			       get_text(state, "StartedAt"),
			       json_integer_value(json_object_get(details, "RestartCount")));
	if (g_str_equal(status, "running")) {
		view->n_running++;
		note_running(view, state, labels);
	} else if (g_str_equal(status, "exited") || g_str_equal(status, "stopped")) {
		note_exited(view, details, labels);
	} else if (g_str_equal(status, "dead") || g_str_equal(status, "removing")) {
		note(view, SATCHEL_APP_FAILED, labels, "is dead");
	} else if (g_str_equal(status, "restarting")) {
		note(view, SATCHEL_APP_WAITING, labels, "ends and is started again");
	} else {
		note(view, SATCHEL_APP_WAITING, labels, "was not started");
	}
}

/* @seen: the services of which there are containers; borrowed. */
static gboolean
look_into(SatchelEngine *engine, const json_t *container, SatchelAppView *view, GString *mark,
	  GHashTable *seen, GError **error)
{
	const json_t *labels = json_object_get(container, "Labels");
	g_autofree char *id = satchel_engine_escape(get_text(container, "Id"));
	g_autofree char *path = g_strdup_printf("/containers/%s/json", id);
	gboolean absent = FALSE;
	g_autoptr(SatchelJson) details = satchel_engine_get(engine, path, &absent, error);

	if (details == NULL)
		return absent; /* it went away since it was listed */
	g_hash_table_add(seen, (gpointer)(guintptr)get_text(labels, SERVICE_LABEL));
	judge(view, details, labels, mark);
	return TRUE;
}

/* A Compose program that was cut off has made some and not the others. */
static void
note_missing(SatchelAppView *view, const char *const *services, GHashTable *seen)
{
	for (; *services != NULL; services++) {
		if (!g_hash_table_contains(seen, *services))
			note_service(view, SATCHEL_APP_WAITING, *services, "has no container");
	}
}

gboolean
satchel_app_containers_look(SatchelEngine *engine, const char *project, const char *sha256,
			    const char *const *services, SatchelAppView *view, GError **error)
{
	g_autoptr(SatchelJson) list = list_containers(engine, project, error);
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	GString *mark = NULL;
	gsize index = 0;
	const json_t *container = NULL;
	gboolean good = TRUE;

	if (list == NULL)
		return FALSE;
	*view = (SatchelAppView){0};
	mark = g_string_new(NULL);
	json_array_foreach(list, index, container)
	{
		const json_t *labels = json_object_get(container, "Labels");

		if (good && g_str_equal(get_text(labels, SATCHEL_APP_LABEL), sha256))
			good = look_into(engine, container, view, mark, seen, error);
	}
	if (good && mark->len == 0) {
		view->health = SATCHEL_APP_WAITING;
		view->why = g_strdup("it has no containers of this version");
	}
	note_missing(view, services, seen);
	view->mark = g_string_free(mark, FALSE);
	return good;
}

static gboolean
stop_one(SatchelEngine *engine, const json_t *container, GError **error)
{
	const char *state = get_text(container, "State");
	g_autofree char *id = satchel_engine_escape(get_text(container, "Id"));
	g_autofree char *path = g_strdup_printf("/containers/%s/stop", id);

	return g_str_equal(state, "exited") || g_str_equal(state, "created") ||
	       satchel_engine_post(engine, path, STOP_LIMIT_S, error);
}

static gboolean
remove_one(SatchelEngine *engine, const json_t *container, GError **error)
{
	g_autofree char *id = satchel_engine_escape(get_text(container, "Id"));
	g_autofree char *path = g_strdup_printf("/containers/%s?force=1", id);

	return stop_one(engine, container, error) &&
	       satchel_engine_delete(engine, path, REMOVE_LIMIT_S, error);
}

static gboolean
remove_network(SatchelEngine *engine, const json_t *network, GError **error)
{
	g_autofree char *id = satchel_engine_escape(get_text(network, "Id"));
	g_autofree char *path = g_strdup_printf("/networks/%s", id);

	return satchel_engine_delete(engine, path, REMOVE_LIMIT_S, error);
}

static gboolean
for_each(SatchelEngine *engine, const json_t *list,
	 gboolean (*work)(SatchelEngine *, const json_t *, GError **), GError **error)
{
	for (gsize i = 0; i < json_array_size(list); i++) {
		if (!work(engine, json_array_get(list, i), error))
			return FALSE;
	}
	return list != NULL;
}

gboolean
satchel_app_containers_stop(SatchelEngine *engine, const char *project, GError **error)
{
	g_autoptr(SatchelJson) list = list_containers(engine, project, error);

	return for_each(engine, list, stop_one, error);
}

gboolean
satchel_app_containers_remove(SatchelEngine *engine, const char *project, GError **error)
{
	g_autoptr(SatchelJson) list = list_containers(engine, project, error);
	g_autoptr(SatchelJson) networks = NULL;

	if (!for_each(engine, list, remove_one, error))
		return FALSE;
	networks = list_labelled(engine, "/networks?filters=", project, error);
	return for_each(engine, networks, remove_network, error);
}

void
satchel_app_view_clear(SatchelAppView *self)
{
	g_clear_pointer(&self->why, g_free);
	g_clear_pointer(&self->mark, g_free);
}
