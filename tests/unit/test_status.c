#include <satchel/status.h>

/* The contract: what each code comes to. A new code must get its row here. */
static const struct {
	SatchelError code;
	int status;
} rows[] = {
	{SATCHEL_ERROR_FAILED, 1},
	{SATCHEL_ERROR_USAGE, 1},
	{SATCHEL_ERROR_BUSY, 1},
	{SATCHEL_ERROR_METADATA_FAILURE, 4},
	{SATCHEL_ERROR_METADATA_INVALID, 11},
	{SATCHEL_ERROR_METADATA_EXPIRED, 12},
	{SATCHEL_ERROR_METADATA_DOWNLOAD, 13},
	{SATCHEL_ERROR_METADATA_NOT_FOUND, 14},
	{SATCHEL_ERROR_BUNDLE_INVALID, 15},
	{SATCHEL_ERROR_NO_MATCHING_TARGET, 6},
	{SATCHEL_ERROR_NO_TARGET_CONTENT, 8},
	{SATCHEL_ERROR_TARGET_NOT_FOUND, 20},
	{SATCHEL_ERROR_ROLLBACK_TARGET_NOT_FOUND, 21},
	{SATCHEL_ERROR_INSTALLATION_IN_PROGRESS, 30},
	{SATCHEL_ERROR_NO_PENDING_INSTALLATION, 40},
	{SATCHEL_ERROR_DOWNLOAD_FAILED, 50},
	{SATCHEL_ERROR_NO_SPACE, 60},
	{SATCHEL_ERROR_CONTENT_INVALID, 70},
	{SATCHEL_ERROR_DOWNGRADE_REFUSED, 102},
	{SATCHEL_ERROR_ROLLED_BACK, 110},
	{SATCHEL_ERROR_ROLLBACK_FAILED, 130},
	{SATCHEL_ERROR_TARGET_UNREADABLE, 80},
	{SATCHEL_ERROR_REBOOT_FOR_BOOT_FIRMWARE, 90},
	{SATCHEL_ERROR_ROLLBACK_NEEDS_REBOOT, 120},
	{SATCHEL_ERROR_CANCELLED, 1},
	{SATCHEL_ERROR_OTHER_TAG, 15},
	{SATCHEL_ERROR_ENGINE_UNREACHABLE, 1},
};

static void
test_each_error_has_its_documented_status(void)
{
	g_assert_cmpuint(G_N_ELEMENTS(rows), ==, SATCHEL_ERROR_LAST + 1);
	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error =
			g_error_new_literal(SATCHEL_ERROR, (int)rows[i].code, "no");

		g_assert_cmpint((int)rows[i].code, ==, (int)i);
		g_assert_cmpint(satchel_status_from_result(SATCHEL_OUTCOME_DONE, error), ==,
				rows[i].status);
	}
}

static void
test_each_outcome_has_its_documented_status(void)
{
	g_assert_cmpint(satchel_status_from_result(SATCHEL_OUTCOME_DONE, NULL), ==, 0);
	g_assert_cmpint(satchel_status_from_result(SATCHEL_OUTCOME_CACHED, NULL), ==, 3);
	g_assert_cmpint(satchel_status_from_result(SATCHEL_OUTCOME_UPDATE_NEW_VERSION, NULL), ==,
			16);
	g_assert_cmpint(satchel_status_from_result(SATCHEL_OUTCOME_UPDATE_ROLLBACK, NULL), ==, 18);
	g_assert_cmpint(satchel_status_from_result(SATCHEL_OUTCOME_NEEDS_REBOOT, NULL), ==, 100);
	g_assert_cmpint(satchel_status_from_result(SATCHEL_OUTCOME_REBOOT_FOR_BOOT_FIRMWARE, NULL),
			==, 5);
	g_assert_cmpint(satchel_status_from_result(SATCHEL_OUTCOME_APPS_NEED_FINALIZATION, NULL),
			==, 10);
	g_assert_cmpint(satchel_status_from_result(SATCHEL_OUTCOME_UPDATE_SYNC_APPS, NULL), ==, 17);
}

static void
test_error_wins_over_outcome(void)
{
	g_autoptr(GError) error =
		g_error_new_literal(SATCHEL_ERROR, SATCHEL_ERROR_NO_SPACE, "full");

	g_assert_cmpint(satchel_status_from_result(SATCHEL_OUTCOME_NEEDS_REBOOT, error), ==, 60);
}

static void
test_foreign_error_has_no_number_of_its_own(void)
{
	g_autoptr(GError) error =
		g_error_new_literal(G_FILE_ERROR, SATCHEL_ERROR_BUNDLE_INVALID, "foreign");

	g_assert_cmpint(satchel_status_from_result(SATCHEL_OUTCOME_DONE, error), ==, 1);
}

static void
test_unknown_code_is_a_plain_error(void)
{
	g_autoptr(GError) error = g_error_new_literal(SATCHEL_ERROR, 9999, "unknown");

	g_assert_cmpint(satchel_status_from_result(SATCHEL_OUTCOME_DONE, error), ==, 1);
}

static void
test_unknown_outcome_is_no_success(void)
{
	g_assert_cmpint(satchel_status_from_result((SatchelOutcome)9999, NULL), ==, 1);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/status/each error has its documented status",
			test_each_error_has_its_documented_status);
	g_test_add_func("/status/each outcome has its documented status",
			test_each_outcome_has_its_documented_status);
	g_test_add_func("/status/error wins over outcome", test_error_wins_over_outcome);
	g_test_add_func("/status/foreign error has no number of its own",
			test_foreign_error_has_no_number_of_its_own);
	g_test_add_func("/status/unknown code is a plain error",
			test_unknown_code_is_a_plain_error);
	g_test_add_func("/status/unknown outcome is no success",
			test_unknown_outcome_is_no_success);
	return g_test_run();
}
