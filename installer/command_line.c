#include "command_line.h"
#include "../verify/cli.h"

/* A log level above "info" leaves nothing to say but results and errors. */
#define LOG_LEVEL_INFO 2
#define LOG_LEVEL_FATAL 5

static struct {
	char **config_paths;
	char *src_dir;
	char *update_name;
	char *json;
	int log_level;
} values = {.log_level = -1};

const GOptionEntry satchel_command_line_options[] = {
	{"config", 'c', 0, G_OPTION_ARG_FILENAME_ARRAY, &values.config_paths,
	 "Configuration file, or folder of *.toml files; may be repeated", "PATH"},
	{"src-dir", 0, 0, G_OPTION_ARG_FILENAME, &values.src_dir,
	 "The bundle; not of status, run and finalize", "DIR"},
	{"update-name", 0, 0, G_OPTION_ARG_STRING, &values.update_name,
	 "Name or version of the target, the newest by default; not of status, run and finalize",
	 "TARGET"},
	{"json", 0, 0, G_OPTION_ARG_STRING, &values.json,
	 "1: print the result as JSON, and nothing else", "0|1"},
	{"loglevel", 0, 0, G_OPTION_ARG_INT, &values.log_level,
	 "0 to 5: trace, debug, info, warning, error, fatal", "N"},
	{NULL, 0, 0, 0, NULL, NULL, NULL},
};

static gboolean
parse_json(gboolean *json, GError **error)
{
	static const char *const yes[] = {"1", "true", "yes", "on", NULL};
	static const char *const no[] = {"0", "false", "no", "off", NULL};

	*json = values.json != NULL && g_strv_contains(yes, values.json);
	if (values.json == NULL || *json || g_strv_contains(no, values.json))
		return TRUE;
	return satchel_cli_usage_error(error, "--json is '%s', neither 0 nor 1", values.json);
}

static gboolean
apply_log_level(gboolean json, GError **error)
{
	int level = values.log_level;

	if (level == -1)
		level = json ? LOG_LEVEL_FATAL : LOG_LEVEL_INFO;
	if (level < 0 || level > LOG_LEVEL_FATAL)
		return satchel_cli_usage_error(error, "--loglevel is %d, not 0 to 5", level);
	if (level > LOG_LEVEL_INFO)
		satchel_cli_set_quiet(TRUE);
	return TRUE;
}

/* What would be dropped silently is refused: nobody shall believe that it had an effect. */
static gboolean
check_no_target(const char *command, GError **error)
{
	if (values.src_dir != NULL)
		return satchel_cli_usage_error(error, "'%s' takes no --src-dir", command);
	if (values.update_name != NULL)
		return satchel_cli_usage_error(error, "'%s' takes no --update-name", command);
	return TRUE;
}

gboolean
satchel_command_line_parse(int argc, char **argv, gboolean takes_target, SatchelCommandLine *line,
			   GError **error)
{
	if (!satchel_cli_parse(NULL, &argc, &argv, error) || !parse_json(&line->json, error) ||
	    !apply_log_level(line->json, error))
		return FALSE;
	if (argc > (takes_target ? 2 : 1))
		return satchel_cli_usage_error(error, "'%s' is one word too many", argv[argc - 1]);
	if (!takes_target && !check_no_target(argv[0], error))
		return FALSE;
	if (argc > 1 && values.update_name != NULL)
		return satchel_cli_usage_error(error, "the target is given twice: '%s' and '%s'",
					       values.update_name, argv[1]);
	if (argc > 1)
		values.update_name = g_strdup(argv[1]);
	line->config_paths = values.config_paths;
	line->src_dir = values.src_dir;
	line->target = values.update_name;
	return TRUE;
}

SatchelDevice *
satchel_command_line_open(const SatchelCommandLine *line, SatchelDeviceMode mode, GError **error)
{
	SatchelDevice *device =
		satchel_device_open((const char *const *)line->config_paths, mode, error);

	if (device != NULL && device->remark != NULL)
		satchel_cli_note("%s", device->remark);
	return device;
}

gboolean
satchel_command_line_need_bundle(const SatchelCommandLine *line, GError **error)
{
	return line->src_dir != NULL ||
	       satchel_cli_usage_error(error, "--src-dir is missing: where is the bundle?");
}
