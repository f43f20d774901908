#include "apps_start.h"
#include "../verify/cancel.h"
#include "../verify/compose_file.h"
#include "run_command.h"
#include <string.h>

#define POLL_MS 200
/* Starting a container may mean to wait for another one that is to be healthy first. */
#define PROGRAM_LIMIT_S 1800u

char *
satchel_compose_project(const char *app)
{
	GString *project = g_string_new(NULL);

	for (; *app != '\0'; app++) {
		char c = g_ascii_tolower(*app);

		if (g_ascii_isalnum(c) || (project->len > 0 && (c == '-' || c == '_')))
			g_string_append_c(project, c);
	}
	return g_string_free(project, project->len == 0);
}

/* In the words of the C library, of Go and of Python, whoever of them met it. */
static gboolean
tells_of_full_disk(const char *messages)
{
	g_autofree char *lower = g_ascii_strdown(messages, -1);

	return strstr(lower, "no space left on device") != NULL;
}

/* What says otherwise where the engine is and what to start does not reach the program.
 * (transfer full) */
static GStrv
make_environment(const SatchelCompose *self)
{
	g_auto(GStrv) names = g_listenv();
	GStrv environment = g_get_environ();

	for (char **name = names; *name != NULL; name++) {
		if (g_str_has_prefix(*name, "COMPOSE_") || g_str_has_prefix(*name, "DOCKER_"))
			environment = g_environ_unsetenv(environment, *name);
	}
	return g_environ_setenv(environment, "DOCKER_HOST", self->host, TRUE);
}

/* @words: what the program is to do, NULL-terminated. */
static gboolean
run(const SatchelCompose *self, const char *folder, const char *project, const char *const *words,
    SatchelError code, GError **error)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	g_autofree char *file = g_build_filename(folder, SATCHEL_COMPOSE_FILE, NULL);
	g_autofree char *override = g_build_filename(folder, SATCHEL_COMPOSE_OVERRIDE, NULL);
	const char *options[] = {"-p", project, "-f", file, "-f", override};
	g_auto(GStrv) environment = make_environment(self);
	g_auto(SatchelCommandResult) result = {0};
	g_autofree char *why = NULL;
	SatchelCommand command = {.limit_s = PROGRAM_LIMIT_S};

	for (gsize i = 0; self->program[i] != NULL; i++)
		g_ptr_array_add(argv, (gpointer)(guintptr)self->program[i]);
	for (gsize i = 0; i < G_N_ELEMENTS(options); i++)
		g_ptr_array_add(argv, (gpointer)(guintptr)options[i]);
	for (gsize i = 0; words[i] != NULL; i++)
		g_ptr_array_add(argv, (gpointer)(guintptr)words[i]);
	g_ptr_array_add(argv, NULL);
	command.argv = (const char *const *)argv->pdata;
	command.environment = (const char *const *)environment;
	if (!satchel_run_command(&command, &result, error))
		return FALSE;
	if (result.exit_status == 0)
		return TRUE;
	why = satchel_command_result_explain(&result, self->program[0]);
	if (tells_of_full_disk(result.messages))
		code = SATCHEL_ERROR_NO_SPACE;
	g_set_error(error, SATCHEL_ERROR, (int)code, "%s", why);
	return FALSE;
}

/* podman-compose has no `config`; a dry run of `ps` reads the files and does no more. */
gboolean
satchel_compose_check(const SatchelCompose *self, const char *folder, const char *project,
		      GError **error)
{
	static const char *const config[] = {"config", NULL};
	static const char *const dry_run[] = {"--dry-run", "ps", NULL};
	g_autofree char *name = g_path_get_basename(self->program[0]);

	return run(self, folder, project, g_str_equal(name, "podman-compose") ? dry_run : config,
		   SATCHEL_ERROR_CONTENT_INVALID, error);
}

gboolean
satchel_compose_create(const SatchelCompose *self, const char *folder, const char *project,
		       GError **error)
{
	static const char *const words[] = {"up", "--no-start", "--remove-orphans", "--no-build",
					    NULL};

	return run(self, folder, project, words, SATCHEL_ERROR_FAILED, error);
}

gboolean
satchel_compose_pause(GCancellable *cancellable, GError **error)
{
	GPollFD end = {0};

	if (g_cancellable_make_pollfd(cancellable, &end)) {
		(void)g_poll(&end, 1, POLL_MS);
		g_cancellable_release_fd(cancellable);
	} else {
		g_usleep(POLL_MS * 1000);
	}
	return satchel_cancel_check(cancellable, error);
}

static gboolean
fail_to_run(const SatchelComposeApp *app, const SatchelAppView *view, const char *late,
	    GError **error)
{
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED, "app %s: %s%s", app->name,
		    view->why != NULL ? view->why : "it does not stay up", late);
	return FALSE;
}

/* *@up: the same containers have run for settle_s. @late: (nullable): time is over. */
static gboolean
look_at(const SatchelCompose *self, SatchelEngine *engine, SatchelComposeApp *app, const char *late,
	gboolean *up, GError **error)
{
	g_auto(SatchelAppView) view = {0};
	gint64 now_us = 0;

	if (!satchel_app_containers_look(engine, app->project, app->sha256,
					 (const char *const *)app->services, &view, error))
		return FALSE;
	now_us = g_get_monotonic_time();
	if (view.health == SATCHEL_APP_WAITING || g_strcmp0(app->mark, view.mark) != 0)
		app->good_since_us = now_us;
	g_free(app->mark);
	app->mark = g_steal_pointer(&view.mark);
	*up = view.health == SATCHEL_APP_RUNS &&
	      now_us - app->good_since_us >= (gint64)self->settle_s * G_USEC_PER_SEC;
	if (view.health == SATCHEL_APP_FAILED || (late != NULL && !*up))
		return fail_to_run(app, &view, late != NULL ? late : "", error);
	return TRUE;
}

static gboolean
look_at_all(const SatchelCompose *self, SatchelEngine *engine, GArray *apps, const char *late,
	    gboolean *all_up, GError **error)
{
	*all_up = TRUE;
	for (guint i = 0; i < apps->len; i++) {
		gboolean up = FALSE;

		if (!look_at(self, engine, &g_array_index(apps, SatchelComposeApp, i), late, &up,
			     error))
			return FALSE;
		*all_up = *all_up && up;
	}
	return TRUE;
}

gboolean
satchel_compose_wait(const SatchelCompose *self, SatchelEngine *engine, GArray *apps,
		     GCancellable *cancellable, GError **error)
{
	const gint64 end_us = g_get_monotonic_time() + (gint64)self->limit_s * G_USEC_PER_SEC;
	g_autofree char *late = g_strdup_printf(", after %u s", self->limit_s);
	gboolean all_up = FALSE;

	for (;;) {
		gboolean over = g_get_monotonic_time() >= end_us;

		if (!look_at_all(self, engine, apps, over ? late : NULL, &all_up, error))
			return FALSE;
		if (all_up)
			return TRUE;
		if (!satchel_compose_pause(cancellable, error))
			return FALSE;
	}
}

gboolean
satchel_compose_up(const SatchelCompose *self, const char *folder, const char *project,
		   GError **error)
{
	static const char *const words[] = {"up", "-d", "--remove-orphans", "--no-build", NULL};

	return run(self, folder, project, words, SATCHEL_ERROR_FAILED, error);
}
