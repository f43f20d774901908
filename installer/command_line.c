#include "command_line.h"
#include "../verify/cli.h"

/* A log level above "info" leaves nothing to say but results and errors. */
#define LOG_LEVEL_INFO 2
#define LOG_LEVEL_FATAL 5

/* A day, as for uptane.polling_sec. */
#define MAX_INTERVAL_S 86400

static struct {
	char **config_paths;
	char *src_dir;
	char *update_name;
	char *command;
	char *install_mode;
	char *json;
	gboolean watch;
	gboolean reboot;
	char *place; /* no option */
	int interval_s;
	int log_level;
} values = {.interval_s = -1, .log_level = -1};

const GOptionEntry satchel_command_line_options[] = {
	{"config", 'c', 0, G_OPTION_ARG_FILENAME_ARRAY, &values.config_paths,
	 "Configuration file, or folder of *.toml files; may be repeated", "PATH"},
	{"src-dir", 0, 0, G_OPTION_ARG_FILENAME, &values.src_dir,
	 "The bundle, a folder that holds one, or where daemon waits for one", "DIR"},
	{"update-name", 0, 0, G_OPTION_ARG_STRING, &values.update_name,
	 "Name or version of the target, the newest by default", "TARGET"},
	{"install-mode", 0, 0, G_OPTION_ARG_STRING, &values.install_mode,
	 "install, update, rollback, daemon: delay-app-install, start apps with 'run' only",
	 "MODE"},
	{"interval", 0, 0, G_OPTION_ARG_INT, &values.interval_s,
	 "daemon: seconds between two looks, instead of uptane.polling_sec", "SECONDS"},
	{"watch", 0, 0, G_OPTION_ARG_NONE, &values.watch,
	 "media: wait for sticks, instead of serving one", NULL},
	{"reboot", 0, 0, G_OPTION_ARG_NONE, &values.reboot,
	 "run: reboot where that is left to do, unless media.reboot says never", NULL},
	{"command", 0, 0, G_OPTION_ARG_STRING, &values.command,
	 "The command, instead of the word in its place", "COMMAND"},
	{"json", 0, 0, G_OPTION_ARG_STRING, &values.json,
	 "check, list, status, history: 1 prints the result as JSON, and nothing else", "0|1"},
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

static gboolean
refuse_option(const char *command, const char *option, GError **error)
{
	return satchel_cli_usage_error(error, "'%s' takes no %s", command, option);
}

static gboolean
check_taken(const char *command, SatchelCommandTakes takes, GError **error)
{
	if (values.src_dir != NULL && (takes & SATCHEL_COMMAND_TAKES_BUNDLE) == 0)
		return refuse_option(command, "--src-dir", error);
	if (values.update_name != NULL && (takes & SATCHEL_COMMAND_TAKES_TARGET) == 0)
		return refuse_option(command, "--update-name", error);
	if (values.install_mode != NULL && (takes & SATCHEL_COMMAND_TAKES_INSTALL_MODE) == 0)
		return refuse_option(command, "--install-mode", error);
	if (values.watch && (takes & SATCHEL_COMMAND_TAKES_PLACE) == 0)
		return refuse_option(command, "--watch", error);
	if (values.reboot && (takes & SATCHEL_COMMAND_TAKES_REBOOT) == 0)
		return refuse_option(command, "--reboot", error);
	if (values.interval_s != -1 && (takes & SATCHEL_COMMAND_TAKES_INTERVAL) == 0)
		return refuse_option(command, "--interval", error);
	return TRUE;
}

static gboolean
check_values(GError **error)
{
	if (values.install_mode != NULL && !g_str_equal(values.install_mode, "delay-app-install"))
		return satchel_cli_usage_error(
			error, "--install-mode is \"%s\"; expected \"delay-app-install\"",
			values.install_mode);
	if (values.interval_s != -1 &&
	    (values.interval_s < 1 || values.interval_s > MAX_INTERVAL_S))
		return satchel_cli_usage_error(
			error, "--interval is %d; expected a number of seconds from 1 to %d",
			values.interval_s, MAX_INTERVAL_S);
	return TRUE;
}

gboolean
satchel_command_line_parse(int argc, char **argv, SatchelCommandTakes takes,
			   SatchelCommandLine *line, GError **error)
{
	const guint takes_word = SATCHEL_COMMAND_TAKES_TARGET | SATCHEL_COMMAND_TAKES_PLACE;
	int max_words = (takes & takes_word) != 0 ? 2 : 1;

	if (!satchel_cli_parse(NULL, &argc, &argv, error) || !parse_json(&line->json, error) ||
	    !apply_log_level(line->json, error))
		return FALSE;
	/* The first one was taken for the command's name. */
	if (values.command != NULL)
		return satchel_cli_usage_error(error, "the command is given twice: '%s' and '%s'",
					       argv[0], values.command);
	if (argc > max_words)
		return satchel_cli_usage_error(error, "'%s' is one word too many", argv[argc - 1]);
	if (!check_taken(argv[0], takes, error) || !check_values(error))
		return FALSE;
	if (argc > 1 && values.update_name != NULL)
		return satchel_cli_usage_error(error, "the target is given twice: '%s' and '%s'",
					       values.update_name, argv[1]);
	if (argc > 1 && (takes & SATCHEL_COMMAND_TAKES_PLACE) != 0)
		values.place = g_strdup(argv[1]);
	else if (argc > 1)
		values.update_name = g_strdup(argv[1]);
	line->config_paths = values.config_paths;
	line->src_dir = values.src_dir;
	line->target = values.update_name;
	line->place = values.place;
	line->watch = values.watch;
	line->reboot = values.reboot;
	line->delay_apps = values.install_mode != NULL;
	line->interval_s = MAX(values.interval_s, 0);
	return TRUE;
}
