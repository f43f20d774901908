#include "../../verify/earliest_expiry.h"

/* 2030-01-01 */
#define EXPIRES_S G_GINT64_CONSTANT(1893456000)

static const SatchelEarliestExpiry earliest = {"snapshot", EXPIRES_S};

static void
test_time_before_the_expiry_is_fine(void)
{
	g_autoptr(GError) error = NULL;

	g_assert_true(satchel_earliest_expiry_check(&earliest, EXPIRES_S - 1, "the bundle", "sign",
						    &error));
	g_assert_no_error(error);
}

static void
test_time_of_the_expiry_is_refused(void)
{
	g_autoptr(GError) error = NULL;

	g_assert_false(satchel_earliest_expiry_check(&earliest, EXPIRES_S, "the bundle",
						     "publish again", &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_BUNDLE_INVALID);
	g_assert_cmpstr(
		error->message, ==,
		"the bundle is dated 2030-01-01T00:00:00Z, but the snapshot role expires at "
		"2030-01-01T00:00:00Z; publish again");
}

static void
test_time_that_cannot_be_written_is_refused(void)
{
	g_autoptr(GError) error = NULL;

	g_assert_false(satchel_earliest_expiry_check(&earliest, G_MAXINT64, "the commit",
						     "mend its clock", &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_BUNDLE_INVALID);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/earliest-expiry/time before the expiry is fine",
			test_time_before_the_expiry_is_fine);
	g_test_add_func("/earliest-expiry/time of the expiry is refused",
			test_time_of_the_expiry_is_refused);
	g_test_add_func("/earliest-expiry/time that cannot be written is refused",
			test_time_that_cannot_be_written_is_refused);
	return g_test_run();
}
