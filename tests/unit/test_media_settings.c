#include "../../installer/media_settings.h"
#include <string.h>

static SatchelMediaSettings *
settings_of(const char *text, GError **error)
{
	g_autoptr(SatchelConfig) config = satchel_config_new();
	g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));

	g_assert_true(satchel_config_merge(config, "f", bytes, error));
	return satchel_media_settings_new(config, error);
}

static void
test_without_a_section_sticks_are_served(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelMediaSettings) self = settings_of("", &error);

	g_assert_no_error(error);
	g_assert_true(self->enabled && self->automatic && self->reboot);
	g_assert_true(g_strv_contains((const char *const *)self->file_systems, "exfat"));
	g_assert_cmpuint(g_strv_length(self->file_systems), ==, 4);
	g_assert_false(satchel_quiet_hours_contain(&self->quiet, 0));
	g_assert_null(self->approval_command);
}

static void
test_wrong_values_are_refused(void)
{
	static const char *const wrong[] = {
		"enabled = \"perhaps\"",
		"install = \"never\"",
		"reboot = \"1\"",
		"quiet_hours = \"22-06\"",
		"quiet_hours = \"24:00-06:00\"",
		"quiet_hours = \"x\"",
		"quiet_hours = \"1:00-2:00\"",
		"quiet_hours = \"22:00-06:00 \"",
		"file_systems = \"a;b\"",
		"approval_file = \"here\"",
		"battery_percent = 101",
		"approval_command = \"'\"",
		"run_path = \"run\"",
		"command_timeout_s = 0",
	};

	for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_autofree char *text = g_strconcat("[media]\n", wrong[i], "\n", NULL);
		g_autoptr(GError) error = NULL;

		g_assert_null(settings_of(text, &error));
		g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE);
	}
}

static void
test_quiet_hours_may_reach_over_midnight(void)
{
	SatchelQuietHours quiet = {0};

	g_assert_true(satchel_quiet_hours_parse("22:00-06:30", &quiet));
	g_assert_true(satchel_quiet_hours_contain(&quiet, 22 * 60));
	g_assert_true(satchel_quiet_hours_contain(&quiet, 0));
	g_assert_true(satchel_quiet_hours_contain(&quiet, 6 * 60 + 29));
	g_assert_false(satchel_quiet_hours_contain(&quiet, 6 * 60 + 30));
	g_assert_false(satchel_quiet_hours_contain(&quiet, 21 * 60 + 59));
	g_assert_true(satchel_quiet_hours_parse("08:00-09:00", &quiet));
	g_assert_true(satchel_quiet_hours_contain(&quiet, 8 * 60));
	g_assert_false(satchel_quiet_hours_contain(&quiet, 9 * 60));
	g_assert_true(satchel_quiet_hours_parse("08:00-08:00", &quiet));
	g_assert_false(satchel_quiet_hours_contain(&quiet, 8 * 60));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/media-settings/none", test_without_a_section_sticks_are_served);
	g_test_add_func("/media-settings/wrong", test_wrong_values_are_refused);
	g_test_add_func("/media-settings/quiet", test_quiet_hours_may_reach_over_midnight);
	return g_test_run();
}
