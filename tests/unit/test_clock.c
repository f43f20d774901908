#include "../../verify/clock.h"
#include <satchel/error.h>

/* 2020-01-01: nothing of this was built before. */
#define LONG_AGO_S G_GINT64_CONSTANT(1577836800)

static void
test_program_was_built_in_the_past(void)
{
	g_assert_cmpint(satchel_clock_program_built_s(), >, LONG_AGO_S);
	g_assert_cmpint(satchel_clock_program_built_s(), <=, satchel_clock_now_s());
}

static void
test_build_time_follows_the_epoch_of_the_environment(void)
{
	g_autoptr(GError) error = NULL;
	gint64 now_s = -1;

	g_setenv("SOURCE_DATE_EPOCH", "1700000000", TRUE);
	g_assert_true(satchel_clock_build_now_s(&now_s, &error));
	g_assert_no_error(error);
	g_assert_cmpint(now_s, ==, 1700000000);
}

static void
test_epoch_of_the_environment_does_not_move_the_clock(void)
{
	g_setenv("SOURCE_DATE_EPOCH", "1", TRUE);
	g_assert_cmpint(satchel_clock_now_s(), >, LONG_AGO_S);
}

static void
test_build_time_without_an_epoch_is_the_clock(void)
{
	g_autoptr(GError) error = NULL;
	gint64 now_s = -1;

	g_unsetenv("SOURCE_DATE_EPOCH");
	g_assert_true(satchel_clock_build_now_s(&now_s, &error));
	g_assert_no_error(error);
	g_assert_cmpint(now_s, >, LONG_AGO_S);
}

static void
test_epoch_that_is_no_number_is_refused(void)
{
	static const char *const wrong[] = {
		"", "x", "1x", "-1", "1.5", "253402300800", "99999999999999999999"};

	for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_autoptr(GError) error = NULL;
		gint64 now_s = -1;

		g_setenv("SOURCE_DATE_EPOCH", wrong[i], TRUE);
		g_assert_false(satchel_clock_build_now_s(&now_s, &error));
		g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE);
		g_assert_cmpint(now_s, ==, -1);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/clock/program was built in the past", test_program_was_built_in_the_past);
	g_test_add_func("/clock/build time follows the epoch of the environment",
			test_build_time_follows_the_epoch_of_the_environment);
	g_test_add_func("/clock/epoch of the environment does not move the clock",
			test_epoch_of_the_environment_does_not_move_the_clock);
	g_test_add_func("/clock/build time without an epoch is the clock",
			test_build_time_without_an_epoch_is_the_clock);
	g_test_add_func("/clock/epoch that is no number is refused",
			test_epoch_that_is_no_number_is_refused);
	return g_test_run();
}
