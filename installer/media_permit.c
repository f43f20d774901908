#include "media_permit.h"
#include "../verify/path_safety.h"
#include "run_command.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What a kernel tells in a file is a line. */
#define MAX_LINE_BYTES 4096u

/* The content without blanks around it. *@line: (transfer full) */
static gboolean
read_line(const char *path, char **line, GError **error)
{
	char bytes[MAX_LINE_BYTES];
	FILE *file = fopen(path, "re");
	g_autofree char *quoted = NULL;
	size_t n = 0;

	/* Files of the kernel's have a size of 4096, or none. */
	if (file != NULL) {
		n = fread(bytes, 1, sizeof bytes, file);
		(void)fclose(file);
		*line = g_strstrip(g_strndup(bytes, n));
		return TRUE;
	}
	quoted = satchel_path_quote(path);
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED, "%s: %s", quoted,
		    g_strerror(errno));
	return FALSE;
}

/* (transfer full) (nullable) */
static char *
check_battery(const SatchelMediaSettings *settings)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *charge = NULL;
	guint64 percent = 0;

	if (settings->battery_file == NULL)
		return NULL;
	if (!read_line(settings->battery_file, &charge, &error))
		return g_strdup_printf("the battery's charge is unknown: %s", error->message);
	if (!g_ascii_string_to_unsigned(charge, 10, 0, 100, &percent, NULL))
		return g_strdup_printf("the battery's charge is unknown: %s holds no percentage",
				       settings->battery_file);
	if (percent >= settings->battery_percent)
		return NULL;
	return g_strdup_printf("the battery is at %" G_GUINT64_FORMAT
			       " percent, less than %" G_GUINT64_FORMAT,
			       percent, settings->battery_percent);
}

static char *
check_switch(const SatchelMediaSettings *settings)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *value = NULL;

	if (settings->approval_switch == NULL)
		return NULL;
	if (!read_line(settings->approval_switch, &value, &error))
		return g_strdup_printf("not approved: %s", error->message);
	if (g_str_equal(value, settings->approval_switch_value))
		return NULL;
	return g_strdup_printf("not approved: the switch %s is off", settings->approval_switch);
}

static char *
check_file(const SatchelMediaSettings *settings)
{
	if (settings->approval_file == NULL || access(settings->approval_file, F_OK) == 0)
		return NULL;
	return g_strdup_printf("not approved: %s is not there", settings->approval_file);
}

/* @argv: (nullable): not asked then. */
static char *
check_command(const SatchelMediaSettings *settings, GStrv argv, const char *what,
	      GCancellable *cancellable)
{
	SatchelCommand command = {
		.argv = (const char *const *)argv,
		.limit_s = (guint)settings->command_limit_s,
		.cancellable = cancellable,
	};
	g_auto(SatchelCommandResult) result = {0};
	g_autoptr(GError) error = NULL;
	g_autofree char *why = NULL;

	if (argv == NULL)
		return NULL;
	if (!satchel_run_command(&command, &result, &error))
		return g_strdup_printf("%s: %s", what, error->message);
	if (result.exit_status == 0)
		return NULL;
	why = satchel_command_result_explain(&result, argv[0]);
	return g_strdup_printf("%s: %s", what, why);
}

char *
satchel_media_permit_check(const SatchelMediaSettings *settings, guint min,
			   GCancellable *cancellable)
{
	char *why = NULL;

	if (!settings->automatic)
		return g_strdup("it is only offered (media.install)");
	if (satchel_quiet_hours_contain(&settings->quiet, min))
		return g_strdup_printf("quiet hours until %02u:%02u", settings->quiet.end_min / 60,
				       settings->quiet.end_min % 60);
	why = check_battery(settings);
	if (why == NULL)
		why = check_file(settings);
	if (why == NULL)
		why = check_switch(settings);
	if (why == NULL)
		why = check_command(settings, settings->approval_command, "not approved",
				    cancellable);
	if (why == NULL)
		why = check_command(settings, settings->check_command, "the check says no",
				    cancellable);
	return why;
}
