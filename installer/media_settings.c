#include "media_settings.h"
#include <string.h>

/* What cameras and computers format sticks with, and what is burnt or copied onto them as it is. */
#define DEFAULT_FILE_SYSTEMS "vfat, exfat, ext4, iso9660"

#define COMMAND_DEFAULT_S 300
#define COMMAND_MAX_S 86400

#define MINUTES_OF_DAY (24u * 60u)

/* "HH:MM" at *@at, which moves behind it. */
static gboolean
take_minute(const char **at, guint *min)
{
	const char *text = *at;
	guint hour;
	guint minute;

	for (guint i = 0; i < 5; i++) {
		if (i == 2 ? text[i] != ':' : !g_ascii_isdigit(text[i]))
			return FALSE;
	}
	hour = (guint)(text[0] - '0') * 10 + (guint)(text[1] - '0');
	minute = (guint)(text[3] - '0') * 10 + (guint)(text[4] - '0');
	*min = hour * 60 + minute;
	*at = text + 5;
	return hour < 24 && minute < 60;
}

gboolean
satchel_quiet_hours_parse(const char *text, SatchelQuietHours *quiet)
{
	*quiet = (SatchelQuietHours){0};
	if (*text == '\0')
		return TRUE;
	if (!take_minute(&text, &quiet->begin_min) || *text++ != '-')
		return FALSE;
	return take_minute(&text, &quiet->end_min) && *text == '\0';
}

gboolean
satchel_quiet_hours_contain(const SatchelQuietHours *quiet, guint min)
{
	/* Counted from the beginning, there is no midnight. */
	guint length = (quiet->end_min + MINUTES_OF_DAY - quiet->begin_min) % MINUTES_OF_DAY;

	return (min + MINUTES_OF_DAY - quiet->begin_min) % MINUTES_OF_DAY < length;
}

/* (nullable): an absolute path. */
static gboolean
read_path(const SatchelConfig *config, const char *key, char **path, GError **error)
{
	const char *text = satchel_config_get_text(config, key, "");

	if (*text == '\0')
		return TRUE;
	if (!g_path_is_absolute(text)) {
		satchel_config_set_value_error(config, key, "an absolute path", error);
		return FALSE;
	}
	*path = g_strdup(text);
	return TRUE;
}

/* Quotes keep blanks together; nothing else has a meaning, for there is no shell. */
static gboolean
read_command(const SatchelConfig *config, const char *key, GStrv *argv, GError **error)
{
	const char *text = satchel_config_get_text(config, key, "");

	if (*text == '\0' || g_shell_parse_argv(text, NULL, argv, NULL))
		return TRUE;
	satchel_config_set_value_error(config, key, "a program and its arguments", error);
	return FALSE;
}

/* One of two words. */
static gboolean
read_either(const SatchelConfig *config, const char *key, const char *yes, const char *no,
	    gboolean *value, GError **error)
{
	const char *text = satchel_config_get_text(config, key, yes);
	g_autofree char *expected = NULL;

	*value = g_str_equal(text, yes);
	if (*value || g_str_equal(text, no))
		return TRUE;
	expected = g_strdup_printf("\"%s\" or \"%s\"", yes, no);
	satchel_config_set_value_error(config, key, expected, error);
	return FALSE;
}

static gboolean
read_file_systems(SatchelMediaSettings *self, const SatchelConfig *config, GError **error)
{
	self->file_systems = satchel_config_get_list(config, "media.file_systems");
	if (self->file_systems == NULL)
		self->file_systems = g_strsplit(DEFAULT_FILE_SYSTEMS, ", ", -1);
	for (guint i = 0; self->file_systems[i] != NULL; i++) {
		/* They become arguments of mount(2). */
		if (strspn(self->file_systems[i], "abcdefghijklmnopqrstuvwxyz0123456789_-") ==
		    strlen(self->file_systems[i]))
			continue;
		satchel_config_set_value_error(config, "media.file_systems",
					       "names of file systems", error);
		return FALSE;
	}
	return TRUE;
}

static gboolean
read_approval(SatchelMediaSettings *self, const SatchelConfig *config, GError **error)
{
	self->approval_switch_value =
		g_strdup(satchel_config_get_text(config, "media.approval_switch_value", "1"));
	return read_path(config, "media.approval_file", &self->approval_file, error) &&
	       read_path(config, "media.approval_switch", &self->approval_switch, error) &&
	       read_command(config, "media.approval_command", &self->approval_command, error) &&
	       read_command(config, "media.check_command", &self->check_command, error) &&
	       satchel_config_get_number(config, "media.command_timeout_s", 1, COMMAND_MAX_S,
					 COMMAND_DEFAULT_S, &self->command_limit_s, error);
}

static gboolean
read_times(SatchelMediaSettings *self, const SatchelConfig *config, GError **error)
{
	const char *quiet = satchel_config_get_text(config, "media.quiet_hours", "");

	if (!satchel_quiet_hours_parse(quiet, &self->quiet)) {
		satchel_config_set_value_error(config, "media.quiet_hours", "\"HH:MM-HH:MM\"",
					       error);
		return FALSE;
	}
	return read_path(config, "media.battery_file", &self->battery_file, error) &&
	       satchel_config_get_number(config, "media.battery_percent", 0, 100, 30,
					 &self->battery_percent, error);
}

SatchelMediaSettings *
satchel_media_settings_new(const SatchelConfig *config, GError **error)
{
	g_autoptr(SatchelMediaSettings) self = g_new0(SatchelMediaSettings, 1);

	self->user = g_strdup(satchel_config_get_text(config, "media.user", "satchel-media"));
	self->signers = satchel_config_get_list(config, "media.signers");
	if (!satchel_config_get_bool(config, "media.enabled", TRUE, &self->enabled, error) ||
	    !read_either(config, "media.install", "auto", "offer", &self->automatic, error) ||
	    !read_either(config, "media.reboot", "auto", "never", &self->reboot, error) ||
	    !satchel_config_get_bool(config, "media.receipt", TRUE, &self->receipt, error) ||
	    !read_path(config, "media.run_path", &self->run_dir, error) ||
	    !read_file_systems(self, config, error) || !read_approval(self, config, error) ||
	    !read_times(self, config, error))
		return NULL;
	if (self->run_dir == NULL)
		self->run_dir = g_strdup("/run/satchel");
	return g_steal_pointer(&self);
}

void
satchel_media_settings_free(SatchelMediaSettings *self)
{
	g_strfreev(self->file_systems);
	g_strfreev(self->signers);
	g_free(self->user);
	g_free(self->run_dir);
	g_free(self->approval_file);
	g_free(self->approval_switch);
	g_free(self->approval_switch_value);
	g_strfreev(self->approval_command);
	g_strfreev(self->check_command);
	g_free(self->battery_file);
	g_free(self);
}
