#include "apps_settings.h"
#include <string.h>

#define DEFAULT_START_S 300u
#define DEFAULT_ENGINE_WAIT_S 15u
#define DEFAULT_SETTLE_S 5u
#define DEFAULT_LOAD_S 3600u
#define MAX_LIMIT_S 86400u

static char *
get_folder(const SatchelConfig *config, const char *key, const char *fallback, GError **error)
{
	const char *text = satchel_config_get_text(config, key, fallback);

	if (g_path_is_absolute(text))
		return g_strdup(text);
	satchel_config_set_value_error(config, key, "an absolute path", error);
	return NULL;
}

/* Quotes keep blanks together; nothing else has a meaning, for there is no shell. `docker` alone
 * is what aktualizr-lite calls `docker compose`. */
static gboolean
read_program(SatchelAppsSettings *self, const SatchelConfig *config, GError **error)
{
	const char *text =
		satchel_config_get_text(config, "pacman.docker_compose_bin", "/usr/bin/docker");
	g_auto(GStrv) words = NULL;
	g_autofree char *name = NULL;
	g_autoptr(GStrvBuilder) program = g_strv_builder_new();

	/* An empty word is no program. */
	if (!g_shell_parse_argv(text, NULL, &words, NULL) || *words[0] == '\0') {
		satchel_config_set_value_error(config, "pacman.docker_compose_bin",
					       "a program and its arguments", error);
		return FALSE;
	}
	for (char **word = words; *word != NULL; word++)
		g_strv_builder_add(program, *word);
	name = g_path_get_basename(words[0]);
	if (words[1] == NULL && (g_str_equal(name, "docker") || g_str_equal(name, "podman")))
		g_strv_builder_add(program, "compose");
	self->program = g_strv_builder_end(program);
	return TRUE;
}

static gboolean
read_numbers(SatchelAppsSettings *self, const SatchelConfig *config, GError **error)
{
	return satchel_config_get_number(config, "pacman.storage_watermark", 20, 95, 80,
					 &self->watermark, error) &&
	       satchel_config_get_number(config, "satchel.apps_start_timeout_s", 1, MAX_LIMIT_S,
					 DEFAULT_START_S, &self->start_s, error) &&
	       satchel_config_get_number(config, "satchel.apps_engine_wait_s", 0, MAX_LIMIT_S,
					 DEFAULT_ENGINE_WAIT_S, &self->engine_wait_s, error) &&
	       satchel_config_get_number(config, "satchel.apps_settle_s", 0, MAX_LIMIT_S,
					 DEFAULT_SETTLE_S, &self->settle_s, error) &&
	       satchel_config_get_number(config, "satchel.apps_load_timeout_s", 1, MAX_LIMIT_S,
					 DEFAULT_LOAD_S, &self->load_s, error);
}

static gboolean
read_flags(SatchelAppsSettings *self, const SatchelConfig *config, GError **error)
{
	return satchel_config_get_bool(config, "pacman.docker_prune", TRUE, &self->prune, error) &&
	       satchel_config_get_bool(config, "pacman.create_containers_before_reboot", TRUE,
				       &self->create, error) &&
	       satchel_config_get_bool(config, "pacman.stop_apps_before_update", TRUE, &self->stop,
				       error);
}

SatchelAppsSettings *
satchel_apps_settings_new(const SatchelConfig *config, GError **error)
{
	g_autoptr(SatchelAppsSettings) self = g_new0(SatchelAppsSettings, 1);

	self->enabled = satchel_config_get_list(config, "pacman.compose_apps");
	self->kept = satchel_config_get_list(config, "pacman.reset_apps");
	self->store = get_folder(config, "pacman.reset_apps_root", "/var/sota/reset-apps", error);
	if (self->store == NULL)
		return NULL;
	self->folder =
		get_folder(config, "pacman.compose_apps_root", "/var/sota/compose-apps", error);
	if (self->folder == NULL || !read_program(self, config, error) ||
	    !read_numbers(self, config, error) || !read_flags(self, config, error))
		return NULL;
	return g_steal_pointer(&self);
}

gboolean
satchel_apps_settings_runs(const SatchelAppsSettings *self, const char *app)
{
	return self->enabled == NULL || g_strv_contains((const char *const *)self->enabled, app);
}

gboolean
satchel_apps_settings_keeps(const SatchelAppsSettings *self, const char *app)
{
	const char *const *kept = (const char *const *)self->kept;

	return satchel_apps_settings_runs(self, app) ||
	       (kept != NULL && (g_strv_contains(kept, app) || g_strv_contains(kept, "*")));
}

void
satchel_apps_settings_free(SatchelAppsSettings *self)
{
	g_strfreev(self->enabled);
	g_strfreev(self->kept);
	g_strfreev(self->program);
	g_free(self->store);
	g_free(self->folder);
	g_free(self);
}
