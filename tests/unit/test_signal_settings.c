#include "../../installer/signal_settings.h"
#include <string.h>

static SatchelSignalSettings *
settings_of(const char *text, GError **error)
{
	g_autoptr(SatchelConfig) config = satchel_config_new();
	g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));

	g_assert_true(satchel_config_merge(config, "f", bytes, error));
	return satchel_signal_settings_new(config, error);
}

static void
test_without_a_section_only_the_journal_is_told(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelSignalSettings) self = settings_of("", &error);

	g_assert_no_error(error);
	for (guint i = 0; i < SATCHEL_N_LIGHTS; i++)
		g_assert_null(self->leds[i]);
	g_assert_cmpstr(self->leds_path, ==, "/sys/class/leds");
	g_assert_cmpstr(self->journal, ==, "/run/systemd/journal/socket");
	g_assert_null(self->command);
	g_assert_null(self->status_file);
	g_assert_null(self->socket);
	g_assert_false(self->bus);
}

static void
test_each_value_goes_where_its_key_says(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelSignalSettings) self = settings_of("[signals]\n"
							    "led_working = \"blue:a\"\n"
							    "led_safe = \"green\"\n"
							    "led_failed = \"red\"\n"
							    "leds_path = \"/leds\"\n"
							    "status_file = \"/run/status\"\n"
							    "socket = \"/run/listener\"\n"
							    "journal = \"\"\n"
							    "bus = true\n"
							    "command = \"/bin/tell 'a b' c\"\n",
							    &error);

	g_assert_no_error(error);
	g_assert_cmpstr(self->leds[SATCHEL_LIGHT_WORKING], ==, "blue:a");
	g_assert_cmpstr(self->leds[SATCHEL_LIGHT_SAFE], ==, "green");
	g_assert_cmpstr(self->leds[SATCHEL_LIGHT_FAILED], ==, "red");
	g_assert_cmpstr(self->leds_path, ==, "/leds");
	g_assert_cmpstr(self->status_file, ==, "/run/status");
	g_assert_cmpstr(self->socket, ==, "/run/listener");
	g_assert_null(self->journal);
	g_assert_true(self->bus);
	g_assert_cmpuint(g_strv_length(self->command), ==, 3);
	g_assert_cmpstr(self->command[0], ==, "/bin/tell");
	g_assert_cmpstr(self->command[1], ==, "a b");
	g_assert_cmpstr(self->command[2], ==, "c");
}

static void
test_wrong_values_are_refused_by_file_and_line(void)
{
	static const struct {
		const char *line;
		const char *message;
	} wrong[] = {
		{"led_working = \"../x\"",
		 "f:2: signals.led_working is \"../x\"; expected the name of a light"},
		{"led_safe = \"a/b\"",
		 "f:2: signals.led_safe is \"a/b\"; expected the name of a light"},
		{"led_failed = \"..\"",
		 "f:2: signals.led_failed is \"..\"; expected the name of a light"},
		{"leds_path = \"leds\"",
		 "f:2: signals.leds_path is \"leds\"; expected an absolute path"},
		{"status_file = \"s\"",
		 "f:2: signals.status_file is \"s\"; expected an absolute path"},
		{"socket = \"s\"", "f:2: signals.socket is \"s\"; expected an absolute path"},
		{"journal = \"j\"", "f:2: signals.journal is \"j\"; expected an absolute path"},
		{"command = \"'\"",
		 "f:2: signals.command is \"'\"; expected a program and its arguments"},
		{"bus = \"perhaps\"", NULL},
	};

	for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_autofree char *text = g_strconcat("[signals]\n", wrong[i].line, "\n", NULL);
		g_autoptr(GError) error = NULL;

		g_assert_null(settings_of(text, &error));
		g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE);
		if (wrong[i].message != NULL)
			g_assert_cmpstr(error->message, ==, wrong[i].message);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/signal-settings/none", test_without_a_section_only_the_journal_is_told);
	g_test_add_func("/signal-settings/each", test_each_value_goes_where_its_key_says);
	g_test_add_func("/signal-settings/wrong", test_wrong_values_are_refused_by_file_and_line);
	return g_test_run();
}
