#include "../../installer/apps_settings.h"
#include <string.h>

static SatchelAppsSettings *
settings_of(const char *text, GError **error)
{
	g_autoptr(SatchelConfig) config = satchel_config_new();
	g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));

	g_assert_true(satchel_config_merge(config, "f", bytes, error));
	return satchel_apps_settings_new(config, error);
}

static SatchelAppsSettings *
good_settings_of(const char *text)
{
	g_autoptr(GError) error = NULL;
	SatchelAppsSettings *self = settings_of(text, &error);

	g_assert_no_error(error);
	g_assert_nonnull(self);
	return self;
}

/* The program's words, each with a bar behind it, so that their bounds show. (transfer full) */
static char *
program_of(const char *value)
{
	g_autofree char *text = g_strdup_printf("[pacman]\ndocker_compose_bin = %s\n", value);
	g_autoptr(SatchelAppsSettings) self = good_settings_of(text);
	g_autofree char *words = g_strjoinv("|", self->program);

	return g_strconcat(words, "|", NULL);
}

static void
test_without_a_section_the_defaults_are_aktualizr_lites(void)
{
	g_autoptr(SatchelAppsSettings) self = good_settings_of("");
	const char *const compose[] = {"/usr/bin/docker", "compose", NULL};

	g_assert_null(self->enabled);
	g_assert_null(self->kept);
	g_assert_cmpstr(self->store, ==, "/var/sota/reset-apps");
	g_assert_cmpstr(self->folder, ==, "/var/sota/compose-apps");
	g_assert_true(g_strv_equal((const char *const *)self->program, compose));
	g_assert_true(self->prune);
	g_assert_true(self->create);
	g_assert_true(self->stop);
	g_assert_cmpuint(self->watermark, ==, 80);
	g_assert_cmpuint(self->start_s, ==, 300);
	g_assert_cmpuint(self->engine_wait_s, ==, 15);
	g_assert_cmpuint(self->settle_s, ==, 5);
	g_assert_cmpuint(self->load_s, ==, 3600);
}

static void
test_each_key_sets_its_own_field(void)
{
	g_autoptr(SatchelAppsSettings) self = good_settings_of("[pacman]\n"
							       "reset_apps_root = \"/store\"\n"
							       "compose_apps_root = \"/apps\"\n"
							       "storage_watermark = 60\n"
							       "[satchel]\n"
							       "apps_start_timeout_s = 11\n"
							       "apps_settle_s = 12\n"
							       "apps_load_timeout_s = 13\n"
							       "apps_engine_wait_s = 14\n");

	g_assert_cmpstr(self->store, ==, "/store");
	g_assert_cmpstr(self->folder, ==, "/apps");
	g_assert_cmpuint(self->watermark, ==, 60);
	g_assert_cmpuint(self->start_s, ==, 11);
	g_assert_cmpuint(self->settle_s, ==, 12);
	g_assert_cmpuint(self->load_s, ==, 13);
	g_assert_cmpuint(self->engine_wait_s, ==, 14);
}

static void
test_each_flag_turns_off_alone(void)
{
	g_autoptr(SatchelAppsSettings) no_prune =
		good_settings_of("[pacman]\ndocker_prune = \"0\"\n");
	g_autoptr(SatchelAppsSettings) no_create =
		good_settings_of("[pacman]\ncreate_containers_before_reboot = false\n");
	g_autoptr(SatchelAppsSettings) no_stop =
		good_settings_of("[pacman]\nstop_apps_before_update = false\n");

	g_assert_false(no_prune->prune);
	g_assert_true(no_prune->create && no_prune->stop);
	g_assert_false(no_create->create);
	g_assert_true(no_create->prune && no_create->stop);
	g_assert_false(no_stop->stop);
	g_assert_true(no_stop->prune && no_stop->create);
}

static void
test_numbers_reach_to_their_limits(void)
{
	g_autoptr(SatchelAppsSettings) least = good_settings_of("[pacman]\n"
								"storage_watermark = 20\n"
								"[satchel]\n"
								"apps_start_timeout_s = 1\n"
								"apps_settle_s = 0\n"
								"apps_load_timeout_s = 1\n");
	g_autoptr(SatchelAppsSettings) most = good_settings_of("[pacman]\n"
							       "storage_watermark = 95\n"
							       "[satchel]\n"
							       "apps_start_timeout_s = 86400\n"
							       "apps_settle_s = 86400\n"
							       "apps_load_timeout_s = 86400\n");

	g_assert_cmpuint(least->watermark, ==, 20);
	g_assert_cmpuint(least->start_s, ==, 1);
	g_assert_cmpuint(least->settle_s, ==, 0);
	g_assert_cmpuint(least->load_s, ==, 1);
	g_assert_cmpuint(most->watermark, ==, 95);
	g_assert_cmpuint(most->start_s, ==, 86400);
	g_assert_cmpuint(most->settle_s, ==, 86400);
	g_assert_cmpuint(most->load_s, ==, 86400);
}

static void
test_an_engine_alone_stands_for_its_compose_command(void)
{
	g_autofree char *docker = program_of("\"docker\"");
	g_autofree char *podman = program_of("\"/opt/bin/podman\"");

	g_assert_cmpstr(docker, ==, "docker|compose|");
	g_assert_cmpstr(podman, ==, "/opt/bin/podman|compose|");
}

static void
test_any_other_program_is_taken_as_it_stands(void)
{
	g_autofree char *alone = program_of("\"/usr/bin/docker-compose\"");
	g_autofree char *longer = program_of("\"docker compose --ansi never\"");

	g_assert_cmpstr(alone, ==, "/usr/bin/docker-compose|");
	g_assert_cmpstr(longer, ==, "docker|compose|--ansi|never|");
}

static void
test_quotes_keep_blanks_and_a_shells_signs_mean_nothing(void)
{
	g_autofree char *words = program_of("\"'/opt/my docker' $HOME *;true\"");

	g_assert_cmpstr(words, ==, "/opt/my docker|$HOME|*;true|");
}

static void
test_wrong_values_are_refused_with_their_line(void)
{
	static const struct {
		const char *key;
		const char *value;
		const char *expected;
	} wrong[] = {
		{"pacman.reset_apps_root", "store", "an absolute path"},
		{"pacman.reset_apps_root", "", "an absolute path"},
		{"pacman.compose_apps_root", "./apps", "an absolute path"},
		{"pacman.docker_compose_bin", "", "a program and its arguments"},
		{"pacman.docker_compose_bin", "docker 'compose", "a program and its arguments"},
		{"pacman.docker_compose_bin", "''", "a program and its arguments"},
		{"pacman.docker_compose_bin", "'' compose", "a program and its arguments"},
		{"pacman.storage_watermark", "19", "a whole number from 20 to 95"},
		{"pacman.storage_watermark", "96", "a whole number from 20 to 95"},
		{"satchel.apps_start_timeout_s", "0", "a whole number from 1 to 86400"},
		{"satchel.apps_start_timeout_s", "86401", "a whole number from 1 to 86400"},
		{"satchel.apps_settle_s", "-1", "a whole number from 0 to 86400"},
		{"satchel.apps_settle_s", "86401", "a whole number from 0 to 86400"},
		{"satchel.apps_load_timeout_s", "0", "a whole number from 1 to 86400"},
		{"satchel.apps_load_timeout_s", "86401", "a whole number from 1 to 86400"},
		{"satchel.apps_engine_wait_s", "-1", "a whole number from 0 to 86400"},
		{"satchel.apps_engine_wait_s", "86401", "a whole number from 0 to 86400"},
		{"pacman.docker_prune", "yes", "true or false"},
		{"pacman.create_containers_before_reboot", "2", "true or false"},
		{"pacman.stop_apps_before_update", "", "true or false"},
	};

	for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_auto(GStrv) parts = g_strsplit(wrong[i].key, ".", 2);
		g_autofree char *text =
			g_strdup_printf("[%s]\n%s = \"%s\"\n", parts[0], parts[1], wrong[i].value);
		g_autofree char *message =
			g_strdup_printf("f:2: %s is \"%s\"; expected %s", wrong[i].key,
					wrong[i].value, wrong[i].expected);
		g_autoptr(GError) error = NULL;

		g_assert_null(settings_of(text, &error));
		g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE);
		g_assert_cmpstr(error->message, ==, message);
	}
}

static void
test_without_a_list_every_app_runs(void)
{
	g_autoptr(SatchelAppsSettings) self = good_settings_of("");

	g_assert_true(satchel_apps_settings_runs(self, "a"));
	g_assert_true(satchel_apps_settings_keeps(self, "a"));
}

static void
test_an_empty_list_runs_and_keeps_no_app(void)
{
	g_autoptr(SatchelAppsSettings) self = good_settings_of("[pacman]\ncompose_apps = \"\"\n");

	g_assert_false(satchel_apps_settings_runs(self, "a"));
	g_assert_false(satchel_apps_settings_runs(self, ""));
	g_assert_false(satchel_apps_settings_keeps(self, "a"));
}

static void
test_only_listed_apps_run_and_further_ones_are_kept(void)
{
	g_autoptr(SatchelAppsSettings) self =
		good_settings_of("[pacman]\ncompose_apps = \"a, b\"\nreset_apps = \"c\"\n");

	g_assert_true(satchel_apps_settings_runs(self, "a"));
	g_assert_true(satchel_apps_settings_runs(self, "b"));
	g_assert_false(satchel_apps_settings_runs(self, "c"));
	g_assert_false(satchel_apps_settings_runs(self, "ab"));
	g_assert_true(satchel_apps_settings_keeps(self, "a"));
	g_assert_true(satchel_apps_settings_keeps(self, "c"));
	g_assert_false(satchel_apps_settings_keeps(self, "d"));
}

static void
test_a_star_keeps_every_app_and_runs_none(void)
{
	g_autoptr(SatchelAppsSettings) self =
		good_settings_of("[pacman]\ncompose_apps = \"\"\nreset_apps = \"*\"\n");

	g_assert_true(satchel_apps_settings_keeps(self, "a"));
	g_assert_false(satchel_apps_settings_runs(self, "a"));
}

static void
test_a_star_among_the_running_apps_is_a_name(void)
{
	g_autoptr(SatchelAppsSettings) self = good_settings_of("[pacman]\ncompose_apps = \"*\"\n");

	g_assert_false(satchel_apps_settings_runs(self, "a"));
	g_assert_false(satchel_apps_settings_keeps(self, "a"));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/apps-settings/defaults",
			test_without_a_section_the_defaults_are_aktualizr_lites);
	g_test_add_func("/apps-settings/keys", test_each_key_sets_its_own_field);
	g_test_add_func("/apps-settings/flags", test_each_flag_turns_off_alone);
	g_test_add_func("/apps-settings/limits", test_numbers_reach_to_their_limits);
	g_test_add_func("/apps-settings/engine",
			test_an_engine_alone_stands_for_its_compose_command);
	g_test_add_func("/apps-settings/program", test_any_other_program_is_taken_as_it_stands);
	g_test_add_func("/apps-settings/quotes",
			test_quotes_keep_blanks_and_a_shells_signs_mean_nothing);
	g_test_add_func("/apps-settings/wrong", test_wrong_values_are_refused_with_their_line);
	g_test_add_func("/apps-settings/all", test_without_a_list_every_app_runs);
	g_test_add_func("/apps-settings/empty", test_an_empty_list_runs_and_keeps_no_app);
	g_test_add_func("/apps-settings/listed",
			test_only_listed_apps_run_and_further_ones_are_kept);
	g_test_add_func("/apps-settings/star", test_a_star_keeps_every_app_and_runs_none);
	g_test_add_func("/apps-settings/name", test_a_star_among_the_running_apps_is_a_name);
	return g_test_run();
}
