#include "../../installer/deploy_list.h"

#define OS "lmp"

/* The indexes that stay, as text, where @commit becomes the default. */
static char *
keep_of(const SatchelDeploySlot *present, guint n, guint chosen, const char *commit,
	const char *const *keep)
{
	g_autoptr(GArray) kept = satchel_deploy_list_kept(present, n, chosen, OS, commit, keep);
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < kept->len; i++)
		g_string_append_printf(text, "%u ", g_array_index(kept, guint, i));
	return g_string_free(text, FALSE);
}

static void
assert_kept(const SatchelDeploySlot *present, guint n, const char *commit, const char *const *keep,
	    const char *expected)
{
	g_autofree char *kept = keep_of(present, n, n, commit, keep);

	g_assert_cmpstr(kept, ==, expected);
}

static void
test_what_runs_and_where_a_rollback_leads_stay(void)
{
	const SatchelDeploySlot present[] = {
		{OS, "b", .booted = TRUE, .merge = TRUE}, {OS, "a"}, {OS, "x"}};
	const char *const keep[] = {"b", "a", NULL};

	assert_kept(present, 3, "c", keep, "0 1 ");
	assert_kept(present, 3, "c", NULL, "0 ");
}

static void
test_the_present_default_stays_though_nobody_asked_for_it(void)
{
	const SatchelDeploySlot present[] = {{OS, "pending"},
					     {OS, "a", .booted = TRUE, .merge = TRUE}};

	assert_kept(present, 2, "c", NULL, "1 0 ");
	/* Also where it is of the same commit. */
	assert_kept(present, 2, "pending", NULL, "1 0 ");
}

static void
test_what_runs_is_the_second_entry(void)
{
	const SatchelDeploySlot present[] = {
		{OS, "failing"}, {OS, "a"}, {OS, "b", .booted = TRUE, .merge = TRUE}};
	const char *const keep[] = {"a", NULL};

	assert_kept(present, 3, "c", keep, "2 0 1 ");
}

static void
test_what_runs_and_what_is_continued_stay_without_being_asked_for(void)
{
	const SatchelDeploySlot present[] = {
		{OS, "first"}, {OS, "a", .merge = TRUE}, {OS, "b", .booted = TRUE}, {OS, "x"}};

	assert_kept(present, 4, "c", NULL, "2 0 1 ");
}

static void
test_pinned_ones_and_other_systems_stay(void)
{
	const SatchelDeploySlot present[] = {{OS, "a", .merge = TRUE},
					     {OS, "old", .pinned = TRUE},
					     {"other", "c"},
					     {OS, "older"}};

	assert_kept(present, 4, "c", NULL, "0 1 2 ");
}

static void
test_an_older_deployment_of_the_same_commit_goes(void)
{
	const SatchelDeploySlot present[] = {{OS, "a", .merge = TRUE}, {OS, "c"}};
	const char *const keep[] = {"c", NULL};

	assert_kept(present, 2, "c", keep, "0 ");
}

static void
test_one_that_is_there_is_moved_and_not_doubled(void)
{
	const SatchelDeploySlot present[] = {
		{OS, "b", .booted = TRUE, .merge = TRUE}, {OS, "a"}, {OS, "x"}};
	g_autofree char *back = keep_of(present, 3, 1, "a", NULL);
	g_autofree char *same = keep_of(present, 3, 0, "b", NULL);

	g_assert_cmpstr(back, ==, "0 ");
	g_assert_cmpstr(same, ==, "");
}

static void
test_in_an_empty_sysroot_nothing_stays(void)
{
	assert_kept(NULL, 0, "c", NULL, "");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/deploy-list/kept", test_what_runs_and_where_a_rollback_leads_stay);
	g_test_add_func("/deploy-list/default",
			test_the_present_default_stays_though_nobody_asked_for_it);
	g_test_add_func("/deploy-list/second", test_what_runs_is_the_second_entry);
	g_test_add_func("/deploy-list/running",
			test_what_runs_and_what_is_continued_stay_without_being_asked_for);
	g_test_add_func("/deploy-list/pinned", test_pinned_ones_and_other_systems_stay);
	g_test_add_func("/deploy-list/same", test_an_older_deployment_of_the_same_commit_goes);
	g_test_add_func("/deploy-list/existing", test_one_that_is_there_is_moved_and_not_doubled);
	g_test_add_func("/deploy-list/empty", test_in_an_empty_sysroot_nothing_stays);
	return g_test_run();
}
