#include "../../installer/config.h"
#include "../../installer/settings.h"
#include <string.h>

static gboolean
merge(SatchelConfig *config, const char *file, const char *text, GError **error)
{
	g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));

	return satchel_config_merge(config, file, bytes, error);
}

static SatchelConfig *
parsed(const char *text)
{
	SatchelConfig *config = satchel_config_new();
	g_autoptr(GError) error = NULL;

	g_assert_true(merge(config, "a.toml", text, &error));
	g_assert_no_error(error);
	return config;
}

/* @text is refused with exactly @message, and sets nothing. */
static void
assert_refused(const char *text, const char *message)
{
	g_autoptr(SatchelConfig) config = satchel_config_new();
	g_autoptr(GError) error = NULL;

	g_assert_false(merge(config, "a.toml", text, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE);
	g_assert_cmpstr(error->message, ==, message);
	g_assert_null(satchel_config_get_text(config, "s.good", NULL));
}

static void
test_values_of_all_types_are_read(void)
{
	g_autoptr(SatchelConfig) config =
		parsed("[s]\na = \"text\"\nb = 12\nc = true\nz='x\\y'\ne = -3\r\n\tf=\"\"\n");

	g_assert_cmpstr(satchel_config_get_text(config, "s.a", NULL), ==, "text");
	g_assert_cmpstr(satchel_config_get_text(config, "s.b", NULL), ==, "12");
	g_assert_cmpstr(satchel_config_get_text(config, "s.c", NULL), ==, "true");
	g_assert_cmpstr(satchel_config_get_text(config, "s.z", NULL), ==, "x\\y");
	g_assert_cmpstr(satchel_config_get_text(config, "s.e", NULL), ==, "-3");
	g_assert_cmpstr(satchel_config_get_text(config, "s.f", "?"), ==, "");
	g_assert_cmpstr(satchel_config_get_text(config, "s.g", "fallback"), ==, "fallback");
}

static void
test_comments_and_blank_lines_are_passed_over(void)
{
	g_autoptr(SatchelConfig) config =
		parsed("# one\n; two\n\n  \t\n[s] # three\na = \"#;\" ; four\nb = 1# five");

	g_assert_cmpstr(satchel_config_get_text(config, "s.a", NULL), ==, "#;");
	g_assert_cmpstr(satchel_config_get_text(config, "s.b", NULL), ==, "1");
}

static void
test_escapes_are_resolved(void)
{
	g_autoptr(SatchelConfig) config =
		parsed("[s]\na = \"q\\\" b\\\\ t\\t n\\n u\\u00e9 U\\U0001F600\"\n");

	g_assert_cmpstr(satchel_config_get_text(config, "s.a", NULL), ==,
			"q\" b\\ t\t n\n u\xc3\xa9 U\xf0\x9f\x98\x80");
}

static void
test_malformed_lines_are_refused_with_their_number(void)
{
	static const char value[] = "a quoted string, a whole number, true or false";
	g_autofree char *unquoted =
		g_strdup_printf("a.toml:3: the value is not quoted; expected %s", value);
	g_autofree char *missing =
		g_strdup_printf("a.toml:1: the value is missing; expected %s", value);
	g_autofree char *array = g_strdup_printf(
		"a.toml:1: arrays and inline tables are not supported; expected %s", value);

	assert_refused("[s]\ngood = 1\na = word\n", unquoted);
	assert_refused("a = 1.5\n", "a.toml:1: the value is not quoted; expected a quoted "
				    "string, a whole number, true or false");
	assert_refused("a =\n", missing);
	assert_refused("a = [1]\n", array);
	assert_refused("nonsense\n", "a.toml:1: this line is neither section, key nor comment; "
				     "expected key = \"value\"");
	assert_refused("[s\n", "a.toml:1: this is no section; expected [section]");
	assert_refused("[[s]]\n",
		       "a.toml:1: arrays of tables are not supported; expected [section]");
	assert_refused("a = \"open\n",
		       "a.toml:1: the string does not end; expected a closing quote");
	assert_refused("a = \"\"\"x\"\"\"\n", "a.toml:1: strings over several lines are not "
					      "supported; expected a string on one line");
	assert_refused("a = \"x\" y\n", "a.toml:1: there is more text after the value; expected "
					"the end of the line or a comment");
	assert_refused("a = \"\\u00\"\n",
		       "a.toml:1: this escape is too short; expected \\uXXXX or \\UXXXXXXXX");
	assert_refused("a = \"\\ud800\"\n",
		       "a.toml:1: this escape is no character; expected a Unicode character");
	assert_refused("a = \"\\q\"\n", "a.toml:1: unknown escape; expected one of \\\" \\\\ \\b "
					"\\f \\n \\r \\t \\uXXXX");
}

static void
test_duplicates_within_a_file_are_refused(void)
{
	assert_refused("[s]\ngood = 1\ngood = 2\n", "a.toml:3: s.good stands twice, first in line "
						    "2; expected each key once in a file");
	assert_refused("[s]\n[t]\n[s]\n", "a.toml:3: section [s] stands twice; expected each "
					  "section once in a file");
}

static void
test_binary_files_are_refused(void)
{
	g_autoptr(SatchelConfig) config = satchel_config_new();
	g_autoptr(GBytes) bytes = g_bytes_new("[s]\0a", 5);
	g_autoptr(GError) error = NULL;

	g_assert_false(satchel_config_merge(config, "a.toml", bytes, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE);
	assert_refused("a = \"\xff\"\n",
		       "a.toml: not a text file; expected UTF-8 without NUL bytes");
}

static void
test_a_later_file_replaces_key_by_key(void)
{
	g_autoptr(SatchelConfig) config = parsed("[s]\na = 1\nb = 2\n");
	g_autoptr(GError) error = NULL;

	g_assert_true(merge(config, "b.toml", "[s]\nb = \"x\"\n", &error));
	g_assert_cmpstr(satchel_config_get_text(config, "s.a", NULL), ==, "1");
	g_assert_cmpstr(satchel_config_get_text(config, "s.b", NULL), ==, "x");
}

static void
test_a_refused_file_adds_nothing(void)
{
	g_autoptr(SatchelConfig) config = parsed("[s]\na = 1\n");
	g_autoptr(GError) error = NULL;

	g_assert_false(merge(config, "b.toml", "[s]\na = 2\nrubbish\n", &error));
	g_assert_cmpstr(satchel_config_get_text(config, "s.a", NULL), ==, "1");
}

static void
test_booleans_are_read_in_all_spellings(void)
{
	g_autoptr(SatchelConfig) config =
		parsed("[s]\na = true\nb = \"1\"\nc = \"false\"\nx = 0\ne = \"maybe\"\n");
	g_autoptr(GError) error = NULL;
	gboolean value = FALSE;

	g_assert_true(satchel_config_get_bool(config, "s.a", FALSE, &value, &error) && value);
	g_assert_true(satchel_config_get_bool(config, "s.b", FALSE, &value, &error) && value);
	g_assert_true(satchel_config_get_bool(config, "s.c", TRUE, &value, &error) && !value);
	g_assert_true(satchel_config_get_bool(config, "s.x", TRUE, &value, &error) && !value);
	g_assert_true(satchel_config_get_bool(config, "s.z", TRUE, &value, &error) && value);
	g_assert_false(satchel_config_get_bool(config, "s.e", TRUE, &value, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE);
	g_assert_cmpstr(error->message, ==, "a.toml:6: s.e is \"maybe\"; expected true or false");
}

static void
test_numbers_stay_within_their_bounds(void)
{
	g_autoptr(SatchelConfig) config =
		parsed("[s]\na = 3\nb = \"50\"\nc = 2\nx = 51\ne = -3\nf = \"\"\n");
	static const char *const wrong[] = {"s.c", "s.x", "s.e", "s.f"};
	g_autoptr(GError) error = NULL;
	guint64 value = 0;

	g_assert_true(satchel_config_get_number(config, "s.a", 3, 50, 9, &value, &error));
	g_assert_cmpuint(value, ==, 3);
	g_assert_true(satchel_config_get_number(config, "s.b", 3, 50, 9, &value, &error));
	g_assert_cmpuint(value, ==, 50);
	g_assert_true(satchel_config_get_number(config, "s.z", 3, 50, 9, &value, &error));
	g_assert_cmpuint(value, ==, 9);
	for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_assert_false(
			satchel_config_get_number(config, wrong[i], 3, 50, 9, &value, &error));
		g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE);
		g_assert_nonnull(strstr(error->message, "expected a whole number from 3 to 50"));
		g_clear_error(&error);
	}
}

static void
test_lists_are_split_at_commas_and_blanks(void)
{
	g_autoptr(SatchelConfig) config = parsed("[s]\na = \"x, y  z,\"\nb = \"\"\n");
	g_auto(GStrv) list = satchel_config_get_list(config, "s.a");
	g_auto(GStrv) empty = satchel_config_get_list(config, "s.b");
	const char *const expected[] = {"x", "y", "z", NULL};

	g_assert_true(g_strv_equal((const char *const *)list, expected));
	g_assert_cmpuint(g_strv_length(empty), ==, 0);
	g_assert_null(satchel_config_get_list(config, "s.c"));
}

static void
test_settings_have_the_defaults_of_aktualizr_lite(void)
{
	g_autoptr(SatchelConfig) config = satchel_config_new();
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelSettings) settings = satchel_settings_new(config, "host", &error);

	g_assert_no_error(error);
	g_assert_cmpstr(settings->hardware_id, ==, "host");
	g_assert_cmpstr(settings->storage_path, ==, "/var/sota");
	g_assert_cmpstr(settings->foreign_lock, ==, "/var/lock/aklite.lock");
	g_assert_cmpstr(settings->database_path, ==, "/var/sota/sql.db");
	g_assert_cmpstr(settings->import_dir, ==, "/var/sota/import");
	g_assert_cmpstr(settings->root_dir, ==, "/usr/lib/sota/tuf");
	g_assert_cmpstr(settings->client_cert, ==, "/var/sota/client.pem");
	g_assert_cmpstr(settings->sysroot, ==, "/");
	g_assert_cmpstr(settings->os, ==, "lmp");
	g_assert_true(settings->booted);
	g_assert_null(settings->tags);
	g_assert_cmpstr(settings->reboot_sentinel_dir, ==, "/var/run/aktualizr-session");
	g_assert_cmpstr(settings->reboot_sentinel_name, ==, "need_reboot");
	g_assert_cmpstr(settings->reboot_command[0], ==, "/sbin/reboot");
	g_assert_null(settings->reboot_command[1]);
	g_assert_null(settings->source);
	g_assert_cmpuint(settings->polling_s, ==, 300);
	g_assert_cmpint(settings->rollback_mode, ==, SATCHEL_ROLLBACK_MODE_NONE);
	g_assert_true(settings->ostree_update_block);
	g_assert_false(settings->trust_on_first_use);
	g_assert_true(settings->require_bundle_metadata);
	g_assert_cmpuint(settings->reserved_percent, ==, 0);
	g_assert_null(settings->callback_program);
	g_assert_cmpuint(settings->callback_limit_s, ==, 300);
	g_assert_false(settings->callback_veto);
	g_assert_false(settings->auto_downgrade);
	g_assert_cmpuint(settings->lowest_version, ==, 0);
	g_assert_null(settings->secondary_hardware_ids);
}

static void
test_settings_are_those_of_the_file(void)
{
	g_autoptr(SatchelConfig) config =
		parsed("[pacman]\ncallback_program = \"/bin/true\"\n"
		       "sysroot_ostree_reserved_space_percentage = \"5\"\n[satchel]\n"
		       "callback_timeout_s = 7\ncallback_veto = true\nauto_downgrade = true\n"
		       "lowest_version = 12\nsecondary_hardware_ids = \"mcu, dsp\"\n");
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelSettings) settings = satchel_settings_new(config, "host", &error);

	g_assert_no_error(error);
	g_assert_cmpstr(settings->callback_program, ==, "/bin/true");
	g_assert_cmpuint(settings->reserved_percent, ==, 5);
	g_assert_cmpuint(settings->callback_limit_s, ==, 7);
	g_assert_true(settings->callback_veto);
	g_assert_true(settings->auto_downgrade);
	g_assert_cmpuint(settings->lowest_version, ==, 12);
	g_assert_cmpuint(g_strv_length(settings->secondary_hardware_ids), ==, 2);
}

static void
test_settings_of_a_wrong_kind_are_refused_with_file_and_line(void)
{
	static const struct {
		const char *text;
		const char *message;
	} cases[] = {
		{"[pacman]\ntype = \"debian\"\n", "a.toml:2: pacman.type is \"debian\"; expected "
						  "\"ostree\" or \"ostree+compose_apps\""},
		{"[pacman]\nbooted = \"2\"\n",
		 "a.toml:2: pacman.booted is \"2\"; expected \"1\", \"0\" or \"staged\""},
		{"[pacman]\nsysroot = \"rel\"\n",
		 "a.toml:2: pacman.sysroot is \"rel\"; expected an absolute path"},
		{"[pacman]\nos = \"../x\"\n", "a.toml:2: pacman.os is \"../x\"; expected a name "
					      "without / that begins with no dot"},
		{"[storage]\npath = \"\"\n",
		 "a.toml:2: storage.path is \"\"; expected an absolute path"},
		{"[pacman]\nos = \"\"\n", "a.toml:2: pacman.os is \"\"; expected a name"},
		{"[bootloader]\nreboot_sentinel_dir = \"run\"\n",
		 "a.toml:2: bootloader.reboot_sentinel_dir is \"run\"; expected an absolute path"},
		{"[bootloader]\nreboot_sentinel_name = \"a/b\"\n",
		 "a.toml:2: bootloader.reboot_sentinel_name is \"a/b\"; expected a name without / "
		 "that begins with no dot"},
		{"[bootloader]\nreboot_command = \"\"\n",
		 "a.toml:2: bootloader.reboot_command is \"\"; expected a program and its "
		 "arguments"},
		{"[pacman]\ncallback_program = \"handler --now\"\n",
		 "a.toml:2: pacman.callback_program is \"handler --now\"; expected an absolute "
		 "path"},
		{"[pacman]\nsysroot_ostree_reserved_space_percentage = 2\n",
		 "a.toml:2: pacman.sysroot_ostree_reserved_space_percentage is \"2\"; expected a "
		 "whole number from 3 to 50"},
		{"[satchel]\nlowest_version = \"v2\"\n",
		 "a.toml:2: satchel.lowest_version is \"v2\"; expected a whole number from 0 to "
		 "9223372036854775807"},
		{"[satchel]\ncallback_timeout_s = 0\n",
		 "a.toml:2: satchel.callback_timeout_s is \"0\"; expected a whole number from 1 to "
		 "86400"},
		{"[satchel]\ncallback_veto = 2\n",
		 "a.toml:2: satchel.callback_veto is \"2\"; expected true or false"},
		{"[satchel]\nauto_downgrade = \"no\"\n",
		 "a.toml:2: satchel.auto_downgrade is \"no\"; expected true or false"},
		{"[uptane]\npolling_sec = \"0\"\n",
		 "a.toml:2: uptane.polling_sec is \"0\"; expected a whole number from 1 to 86400"},
		{"[satchel]\nsource = \"stick\"\n",
		 "a.toml:2: satchel.source is \"stick\"; expected an absolute path"},
		{"[bootloader]\nrollback_mode = \"grub\"\n",
		 "a.toml:2: bootloader.rollback_mode is \"grub\"; expected \"none\", "
		 "\"uboot_generic\", \"uboot_masked\", \"fiovb\" or \"fioefi\""},
		{"[pacman]\nostree_update_block = \"si\"\n",
		 "a.toml:2: pacman.ostree_update_block is \"si\"; expected true or false"},
		{"[satchel]\n\ntrust_on_first_use = \"si\"\n",
		 "a.toml:3: satchel.trust_on_first_use is \"si\"; expected true or false"},
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(SatchelConfig) config = parsed(cases[i].text);
		g_autoptr(GError) error = NULL;
		g_autoptr(SatchelSettings) settings = satchel_settings_new(config, "host", &error);

		g_assert_null(settings);
		g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE);
		g_assert_cmpstr(error->message, ==, cases[i].message);
	}
}

static void
test_unknown_keys_are_tolerated(void)
{
	g_autoptr(SatchelConfig) config =
		parsed("top = 1\n[uptane]\nkey_source = \"file\"\n[nobody.knows]\nthis = true\n");
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelSettings) settings = satchel_settings_new(config, "host", &error);

	g_assert_nonnull(settings);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/config/values_of_all_types_are_read", test_values_of_all_types_are_read);
	g_test_add_func("/config/comments_and_blank_lines_are_passed_over",
			test_comments_and_blank_lines_are_passed_over);
	g_test_add_func("/config/escapes_are_resolved", test_escapes_are_resolved);
	g_test_add_func("/config/malformed_lines_are_refused_with_their_number",
			test_malformed_lines_are_refused_with_their_number);
	g_test_add_func("/config/duplicates_within_a_file_are_refused",
			test_duplicates_within_a_file_are_refused);
	g_test_add_func("/config/binary_files_are_refused", test_binary_files_are_refused);
	g_test_add_func("/config/a_later_file_replaces_key_by_key",
			test_a_later_file_replaces_key_by_key);
	g_test_add_func("/config/a_refused_file_adds_nothing", test_a_refused_file_adds_nothing);
	g_test_add_func("/config/booleans_are_read_in_all_spellings",
			test_booleans_are_read_in_all_spellings);
	g_test_add_func("/config/numbers_stay_within_their_bounds",
			test_numbers_stay_within_their_bounds);
	g_test_add_func("/config/lists_are_split_at_commas_and_blanks",
			test_lists_are_split_at_commas_and_blanks);
	g_test_add_func("/settings/have_the_defaults_of_aktualizr_lite",
			test_settings_have_the_defaults_of_aktualizr_lite);
	g_test_add_func("/settings/are_those_of_the_file", test_settings_are_those_of_the_file);
	g_test_add_func("/settings/of_a_wrong_kind_are_refused_with_file_and_line",
			test_settings_of_a_wrong_kind_are_refused_with_file_and_line);
	g_test_add_func("/settings/unknown_keys_are_tolerated", test_unknown_keys_are_tolerated);
	return g_test_run();
}
