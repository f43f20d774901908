#include "../../installer/deployed_release.h"

#define COMMIT_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define COMMIT_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define COMMIT_C "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

static SatchelState *
rebuilt(const char *booted, const char *next, const char *fallback)
{
	SatchelState *state = satchel_state_new();
	SatchelDeployed deployed = {booted, next, fallback};

	satchel_deployed_release_rebuild(state, &deployed, NULL, "board");
	return state;
}

static void
test_a_sysroot_without_deployments_tells_nothing(void)
{
	g_autoptr(SatchelState) state = rebuilt(NULL, NULL, NULL);

	g_assert_null(state->current);
	g_assert_null(state->installing);
	g_assert_null(state->rollback);
}

static void
test_what_runs_without_a_name_is_unknown(void)
{
	g_autoptr(SatchelState) state = rebuilt(COMMIT_A, COMMIT_A, NULL);

	g_assert_null(state->current);
	g_assert_null(state->installing);
	g_assert_null(state->from_commit);
}

static void
test_what_the_next_boot_takes_is_an_installation_that_was_begun(void)
{
	g_autoptr(SatchelState) state = rebuilt(COMMIT_A, COMMIT_B, COMMIT_C);

	g_assert_cmpstr(state->installing->commit, ==, COMMIT_B);
	g_assert_cmpstr(state->installing->name, ==, SATCHEL_STATE_UNKNOWN_NAME);
	g_assert_cmpint(state->installing->version, ==, -1);
	g_assert_cmpstr(state->from_commit, ==, COMMIT_A);
	g_assert_cmpstr(state->rollback->commit, ==, COMMIT_C);
}

static void
test_without_a_role_no_name_changes(void)
{
	g_autoptr(SatchelState) state = rebuilt(COMMIT_A, COMMIT_B, COMMIT_C);

	g_assert_false(satchel_deployed_release_name_all(state, NULL, "board"));
	g_assert_cmpstr(state->installing->name, ==, SATCHEL_STATE_UNKNOWN_NAME);
}

#define ADD(name) g_test_add_func("/deployed_release/" #name, test_##name)

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD(a_sysroot_without_deployments_tells_nothing);
	ADD(what_runs_without_a_name_is_unknown);
	ADD(what_the_next_boot_takes_is_an_installation_that_was_begun);
	ADD(without_a_role_no_name_changes);
	return g_test_run();
}
