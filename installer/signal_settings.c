#include "signal_settings.h"
#include <string.h>

/* "": none. */
static gboolean
read_path(const SatchelConfig *config, const char *key, const char *fallback, char **path,
	  GError **error)
{
	const char *text = satchel_config_get_text(config, key, fallback);

	if (*text == '\0')
		return TRUE;
	if (!g_path_is_absolute(text)) {
		satchel_config_set_value_error(config, key, "an absolute path", error);
		return FALSE;
	}
	*path = g_strdup(text);
	return TRUE;
}

static gboolean
read_led(const SatchelConfig *config, const char *key, char **led, GError **error)
{
	const char *text = satchel_config_get_text(config, key, "");

	if (*text == '\0')
		return TRUE;
	if (strchr(text, '/') != NULL || *text == '.') {
		satchel_config_set_value_error(config, key, "the name of a light", error);
		return FALSE;
	}
	*led = g_strdup(text);
	return TRUE;
}

static gboolean
read_command(SatchelSignalSettings *self, const SatchelConfig *config, GError **error)
{
	const char *text = satchel_config_get_text(config, "signals.command", "");

	if (*text == '\0' || g_shell_parse_argv(text, NULL, &self->command, NULL))
		return TRUE;
	satchel_config_set_value_error(config, "signals.command", "a program and its arguments",
				       error);
	return FALSE;
}

SatchelSignalSettings *
satchel_signal_settings_new(const SatchelConfig *config, GError **error)
{
	g_autoptr(SatchelSignalSettings) self = g_new0(SatchelSignalSettings, 1);

	if (!read_led(config, "signals.led_working", &self->leds[SATCHEL_LIGHT_WORKING], error) ||
	    !read_led(config, "signals.led_safe", &self->leds[SATCHEL_LIGHT_SAFE], error) ||
	    !read_led(config, "signals.led_failed", &self->leds[SATCHEL_LIGHT_FAILED], error) ||
	    !read_path(config, "signals.leds_path", "/sys/class/leds", &self->leds_path, error) ||
	    !read_path(config, "signals.status_file", "", &self->status_file, error) ||
	    !read_path(config, "signals.socket", "", &self->socket, error) ||
	    !read_path(config, "signals.journal", "/run/systemd/journal/socket", &self->journal,
		       error) ||
	    !satchel_config_get_bool(config, "signals.bus", FALSE, &self->bus, error) ||
	    !read_command(self, config, error))
		return NULL;
	return g_steal_pointer(&self);
}

void
satchel_signal_settings_free(SatchelSignalSettings *self)
{
	for (guint i = 0; i < SATCHEL_N_LIGHTS; i++)
		g_free(self->leds[i]);
	g_free(self->leds_path);
	g_strfreev(self->command);
	g_free(self->status_file);
	g_free(self->socket);
	g_free(self->journal);
	g_free(self);
}
