#include "../../installer/boot_rules.h"
#include <string.h>

static SatchelRollbackMode
mode_of(const char *name)
{
	SatchelRollbackMode mode = SATCHEL_ROLLBACK_MODE_NONE;

	g_assert_true(satchel_rollback_mode_parse(name, &mode));
	return mode;
}

/* "name=value " of each. */
static void
assert_flags(const SatchelBootFlag *flags, const char *expected)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (; flags->name != NULL; flags++)
		g_string_append_printf(text, "%s=%s ", flags->name, flags->value);
	g_assert_cmpstr(text->str, ==, expected);
}

static void
test_only_the_documented_modes_are_known(void)
{
	SatchelRollbackMode mode = SATCHEL_ROLLBACK_MODE_NONE;

	g_assert_cmpint(mode_of("none"), ==, SATCHEL_ROLLBACK_MODE_NONE);
	g_assert_cmpint(mode_of("uboot_generic"), ==, SATCHEL_ROLLBACK_MODE_UBOOT_GENERIC);
	g_assert_cmpint(mode_of("uboot_masked"), ==, SATCHEL_ROLLBACK_MODE_UBOOT_MASKED);
	g_assert_cmpint(mode_of("fiovb"), ==, SATCHEL_ROLLBACK_MODE_FIOVB);
	g_assert_cmpint(mode_of("fioefi"), ==, SATCHEL_ROLLBACK_MODE_FIOEFI);
	g_assert_false(satchel_rollback_mode_parse("", &mode));
	g_assert_false(satchel_rollback_mode_parse("UBOOT_MASKED", &mode));
	g_assert_false(satchel_rollback_mode_parse("fiovb ", &mode));
}

static void
test_each_mode_sets_what_it_has(void)
{
	static const char *const masked[] = {"uboot_masked", "fiovb", "fioefi"};

	assert_flags(satchel_boot_rules_get_armed(SATCHEL_ROLLBACK_MODE_NONE), "");
	assert_flags(satchel_boot_rules_get_deployed(SATCHEL_ROLLBACK_MODE_NONE), "");
	assert_flags(satchel_boot_rules_get_confirmed(SATCHEL_ROLLBACK_MODE_NONE), "");
	assert_flags(satchel_boot_rules_get_armed(mode_of("uboot_generic")), "bootcount=0 ");
	assert_flags(satchel_boot_rules_get_deployed(mode_of("uboot_generic")), "rollback=0 ");
	assert_flags(satchel_boot_rules_get_confirmed(mode_of("uboot_generic")), "bootcount=0 ");
	for (guint i = 0; i < G_N_ELEMENTS(masked); i++) {
		SatchelRollbackMode mode = mode_of(masked[i]);

		assert_flags(satchel_boot_rules_get_armed(mode),
			     "bootcount=0 upgrade_available=1 ");
		assert_flags(satchel_boot_rules_get_deployed(mode), "rollback=0 ");
		assert_flags(satchel_boot_rules_get_confirmed(mode),
			     "bootcount=0 upgrade_available=0 ");
	}
}

static void
test_each_mode_has_its_tools(void)
{
	static const struct {
		const char *mode;
		const char *reader;
		const char *argument;
		const char *writer;
		gboolean firmware;
		gboolean withdraws;
	} modes[] = {{"none", NULL, NULL, NULL, FALSE, FALSE},
		     {"uboot_generic", "fw_printenv", "-n", "fw_setenv", FALSE, FALSE},
		     {"uboot_masked", "fw_printenv", "-n", "fw_setenv", TRUE, TRUE},
		     {"fiovb", "fiovb_printenv", NULL, "fiovb_setenv", TRUE, TRUE},
		     {"fioefi", "fioefi_printenv", NULL, "fioefi_setenv", TRUE, FALSE}};

	for (guint i = 0; i < G_N_ELEMENTS(modes); i++) {
		SatchelRollbackMode mode = mode_of(modes[i].mode);
		const char *const *reader = satchel_boot_rules_get_reader(mode);

		g_assert_cmpstr(satchel_boot_rules_get_writer(mode), ==, modes[i].writer);
		g_assert_cmpint(satchel_boot_rules_has_firmware(mode), ==, modes[i].firmware);
		g_assert_cmpint(satchel_boot_rules_can_withdraw_firmware(mode), ==,
				modes[i].withdraws);
		if (modes[i].reader == NULL) {
			g_assert_null(reader);
			continue;
		}
		g_assert_cmpstr(reader[0], ==, modes[i].reader);
		g_assert_cmpstr(reader[1], ==, modes[i].argument);
	}
}

static void
test_a_variable_without_a_value_is_told_from_a_failure(void)
{
	const char *const uboot = "## Error: \"rollback\" not defined\n";
	const char *const fiovb = "Read persistent value for rollback failed: No such file or "
				  "directory\n";
	const char *const config = "Cannot parse config file '/etc/fw_env.config': No such file or "
				   "directory\n";

	g_assert_true(satchel_boot_rules_is_unset(mode_of("uboot_masked"), "rollback", uboot));
	g_assert_true(satchel_boot_rules_is_unset(mode_of("uboot_generic"), "rollback", uboot));
	g_assert_true(satchel_boot_rules_is_unset(mode_of("fiovb"), "rollback", fiovb));
	g_assert_false(satchel_boot_rules_is_unset(mode_of("uboot_masked"), "bootcount", uboot));
	g_assert_false(satchel_boot_rules_is_unset(mode_of("uboot_masked"), "rollback", config));
	g_assert_false(satchel_boot_rules_is_unset(mode_of("fiovb"), "rollback", config));
	g_assert_false(satchel_boot_rules_is_unset(mode_of("fioefi"), "rollback", uboot));
}

static void
test_the_version_stands_behind_its_name(void)
{
	static const char *const files[][2] = {
		{"bootfirmware_version=12\n", "12"},
		{"# made by CI\n  bootfirmware_version= 12 \r\nother=1\n", "12"},
		{"bootfirmware_version:1.1", "1.1"},
		{"bootfirmware_version=\"a b\"", "\"a b\""},
		{"bootfirmware_version=", NULL},
		{"bootfirmware_version", NULL},
		{"bootfirmware_versions=3", NULL},
		{"boot=100\n", NULL},
		{"", NULL},
	};

	for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *version = satchel_boot_rules_parse_version(files[i][0]);

		g_assert_cmpstr(version, ==, files[i][1]);
	}
}

static void
test_protection_refuses_what_is_older_or_cannot_be_compared(void)
{
	static const struct {
		const char *text;
		const char *current;
		const char *why; /* NULL: allowed */
	} cases[] = {
		{NULL, "5", NULL},
		{"bootfirmware_version=5", "5", NULL},
		{"bootfirmware_version=6", "5", NULL},
		{"bootfirmware_version=18446744073709551615", "18446744073709551614", NULL},
		{"bootfirmware_version=4", "5", "firmware 4 is older than 5"},
		{"bootfirmware_version=10", "9", NULL},
		{"bootfirmware_version=9", "10", "firmware 9 is older than 10"},
		{"bootfirmware_version=e3e7", "5", "'e3e7', which is no number"},
		{"bootfirmware_version=-1", "5", "'-1', which is no number"},
		{"bootfirmware_version=18446744073709551616", "5", "which is no number"},
		{"boot=100", "5", "'', which is no number"},
		{"", NULL, "which is no number"},
		{"bootfirmware_version=0", "e3e7", NULL},
		{"bootfirmware_version=0", NULL, NULL},
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		gboolean good =
			satchel_boot_rules_check_protected(cases[i].text, cases[i].current, &error);

		g_assert_cmpint(good, ==, cases[i].why == NULL);
		if (good) {
			g_assert_no_error(error);
			continue;
		}
		g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED);
		g_assert_nonnull(strstr(error->message, cases[i].why));
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/boot-rules/modes", test_only_the_documented_modes_are_known);
	g_test_add_func("/boot-rules/flags", test_each_mode_sets_what_it_has);
	g_test_add_func("/boot-rules/tools", test_each_mode_has_its_tools);
	g_test_add_func("/boot-rules/unset",
			test_a_variable_without_a_value_is_told_from_a_failure);
	g_test_add_func("/boot-rules/version", test_the_version_stands_behind_its_name);
	g_test_add_func("/boot-rules/protection",
			test_protection_refuses_what_is_older_or_cannot_be_compared);
	return g_test_run();
}
