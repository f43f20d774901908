#include "../../installer/pull_space.h"

static void
test_each_object_takes_more_than_its_content(void)
{
	SatchelPullSpace space = {0};

	satchel_pull_space_add(&space, 0);
	satchel_pull_space_add(&space, 1000);
	g_assert_cmpuint(satchel_pull_space_total_bytes(&space), ==, 1000 + 2 * 4096);
}

static void
test_claims_of_any_size_do_not_wrap(void)
{
	SatchelPullSpace space = {0};

	satchel_pull_space_add(&space, G_MAXUINT64 - 10);
	satchel_pull_space_add(&space, 100);
	satchel_pull_space_add(&space, G_MAXUINT64);
	g_assert_cmpuint(satchel_pull_space_total_bytes(&space), ==, G_MAXUINT64);
	space.n_objects = G_MAXUINT64 / 2;
	space.content_bytes = 0;
	g_assert_cmpuint(satchel_pull_space_total_bytes(&space), ==, G_MAXUINT64);
}

static void
test_the_larger_reserve_counts(void)
{
	SatchelPullSpace space = {0};

	g_assert_cmpuint(satchel_pull_space_reserve_bytes(&space, 10000, 7), ==, 7);
	space.reserved_percent = 5;
	g_assert_cmpuint(satchel_pull_space_reserve_bytes(&space, 10000, 7), ==, 500);
	g_assert_cmpuint(satchel_pull_space_reserve_bytes(&space, 10000, 501), ==, 501);
	space.reserved_percent = 50;
	g_assert_cmpuint(satchel_pull_space_reserve_bytes(&space, G_MAXUINT64, 0), ==,
			 G_MAXUINT64 / 100 * 50);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/pull_space/each_object_takes_more_than_its_content",
			test_each_object_takes_more_than_its_content);
	g_test_add_func("/pull_space/claims_of_any_size_do_not_wrap",
			test_claims_of_any_size_do_not_wrap);
	g_test_add_func("/pull_space/the_larger_reserve_counts", test_the_larger_reserve_counts);
	return g_test_run();
}
