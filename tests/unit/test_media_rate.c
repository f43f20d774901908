#include "../../installer/media_rate.h"

static void
test_the_start_after_too_many_waits_until_the_first_of_them_is_old(void)
{
	g_autofree char *one = satchel_media_rate_add("", 100);
	g_autofree char *two = satchel_media_rate_add(one, 110);
	g_autofree char *three = satchel_media_rate_add(two, 120);

	g_assert_cmpint(satchel_media_rate_wait_s("", 100), ==, 0);
	g_assert_cmpint(satchel_media_rate_wait_s(one, 110), ==, 0);
	g_assert_cmpint(satchel_media_rate_wait_s(two, 120), ==, 0);
	g_assert_cmpint(satchel_media_rate_wait_s(three, 121), ==, 39);
	g_assert_cmpint(satchel_media_rate_wait_s(three, 159), ==, 1);
	g_assert_cmpint(satchel_media_rate_wait_s(three, 160), ==, 0);
}

static void
test_old_starts_are_forgotten(void)
{
	g_autofree char *next = satchel_media_rate_add("1\n2\n100\n", 130);

	g_assert_cmpstr(next, ==, "100\n130\n");
}

static void
test_garbage_and_the_future_hold_nobody_up(void)
{
	const char *record = "x\n-3\n\n999999\n999999\n999999\n99999999999999999999\n";
	g_autofree char *next = satchel_media_rate_add(record, 50);

	g_assert_cmpint(satchel_media_rate_wait_s(record, 50), ==, 0);
	g_assert_cmpstr(next, ==, "50\n");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/media-rate/waits",
			test_the_start_after_too_many_waits_until_the_first_of_them_is_old);
	g_test_add_func("/media-rate/forgotten", test_old_starts_are_forgotten);
	g_test_add_func("/media-rate/garbage", test_garbage_and_the_future_hold_nobody_up);
	return g_test_run();
}
