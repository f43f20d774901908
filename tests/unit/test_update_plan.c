#include "../../installer/update_plan.h"

#define COMMIT_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define COMMIT_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define COMMIT_C "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

/* A runs; the installation of B was begun. */
static SatchelState *
begun(void)
{
	SatchelState *state = satchel_state_new();
	g_autoptr(SatchelStateTarget) a = satchel_state_target_new_from_parts("a", 1, COMMIT_A);
	g_autoptr(SatchelStateTarget) b = satchel_state_target_new_from_parts("b", 2, COMMIT_B);

	satchel_state_adopt(state, a, 1);
	satchel_state_begin(state, b, COMMIT_A, NULL);
	return state;
}

static SatchelState *
pending(void)
{
	SatchelState *state = begun();

	satchel_state_deployed(state, 2);
	return state;
}

static SatchelSysrootFacts
facts(gboolean runs, const char *booted, const char *first, gboolean rebooted)
{
	return (SatchelSysrootFacts){.runs = runs,
				     .booted_commit = booted,
				     .default_commit = first,
				     .rebooted = rebooted};
}

static void
test_nothing_begun_needs_no_reconciling(void)
{
	g_autoptr(SatchelState) state = pending();
	SatchelSysrootFacts f = facts(TRUE, COMMIT_A, COMMIT_B, FALSE);

	g_assert_cmpint(satchel_update_plan_reconcile(state, &f), ==, SATCHEL_RECONCILE_NOTHING);
}

static void
test_what_was_begun_and_is_the_default_is_deployed(void)
{
	g_autoptr(SatchelState) state = begun();
	SatchelSysrootFacts f = facts(TRUE, COMMIT_A, COMMIT_B, FALSE);

	g_assert_cmpint(satchel_update_plan_reconcile(state, &f), ==, SATCHEL_RECONCILE_DEPLOYED);
}

static void
test_what_was_begun_and_runs_is_deployed(void)
{
	g_autoptr(SatchelState) state = begun();
	SatchelSysrootFacts f = facts(TRUE, COMMIT_B, COMMIT_A, TRUE);

	g_assert_cmpint(satchel_update_plan_reconcile(state, &f), ==, SATCHEL_RECONCILE_DEPLOYED);
}

static void
test_what_was_begun_and_is_nowhere_is_abandoned(void)
{
	g_autoptr(SatchelState) state = begun();
	SatchelSysrootFacts f = facts(TRUE, COMMIT_A, COMMIT_A, FALSE);
	SatchelSysrootFacts none = facts(FALSE, NULL, NULL, TRUE);

	g_assert_cmpint(satchel_update_plan_reconcile(state, &f), ==, SATCHEL_RECONCILE_ABANDON);
	g_assert_cmpint(satchel_update_plan_reconcile(state, &none), ==, SATCHEL_RECONCILE_ABANDON);
}

static void
test_finalizing_compares_what_was_booted(void)
{
	g_autoptr(SatchelState) idle = satchel_state_new();
	g_autoptr(SatchelState) state = pending();
	SatchelSysrootFacts before = facts(TRUE, COMMIT_A, COMMIT_B, FALSE);
	SatchelSysrootFacts into_new = facts(TRUE, COMMIT_B, COMMIT_B, TRUE);
	SatchelSysrootFacts into_old = facts(TRUE, COMMIT_A, COMMIT_B, TRUE);
	SatchelSysrootFacts into_third = facts(TRUE, COMMIT_C, COMMIT_B, TRUE);

	g_assert_cmpint(satchel_update_plan_finalize(idle, &into_new), ==,
			SATCHEL_FINALIZE_NOTHING);
	g_assert_cmpint(satchel_update_plan_finalize(state, &before), ==,
			SATCHEL_FINALIZE_NOT_REBOOTED);
	g_assert_cmpint(satchel_update_plan_finalize(state, &into_new), ==,
			SATCHEL_FINALIZE_WORKING);
	g_assert_cmpint(satchel_update_plan_finalize(state, &into_old), ==,
			SATCHEL_FINALIZE_ROLLED_BACK);
	g_assert_cmpint(satchel_update_plan_finalize(state, &into_third), ==,
			SATCHEL_FINALIZE_ROLLED_BACK);
}

static void
test_in_a_staged_sysroot_the_old_one_runs_until_finalized(void)
{
	g_autoptr(SatchelState) state = pending();
	SatchelSysrootFacts f = facts(FALSE, COMMIT_B, COMMIT_B, TRUE);

	g_assert_cmpstr(satchel_update_plan_running_commit(state, &f), ==, COMMIT_A);
	g_assert_cmpstr(satchel_update_plan_running_target(state, &f)->name, ==, "a");
	satchel_state_working(state, 3);
	g_assert_cmpstr(satchel_update_plan_running_commit(state, &f), ==, COMMIT_B);
	g_assert_cmpstr(satchel_update_plan_running_target(state, &f)->name, ==, "b");
}

static void
test_the_running_target_is_known_by_its_commit(void)
{
	g_autoptr(SatchelState) state = pending();
	SatchelSysrootFacts old = facts(TRUE, COMMIT_A, COMMIT_B, TRUE);
	SatchelSysrootFacts failing = facts(TRUE, COMMIT_B, COMMIT_B, TRUE);
	SatchelSysrootFacts stranger = facts(TRUE, COMMIT_C, COMMIT_C, TRUE);

	satchel_state_failed(state, 3, "no");
	g_assert_cmpstr(satchel_update_plan_running_target(state, &old)->name, ==, "a");
	g_assert_cmpstr(satchel_update_plan_running_target(state, &failing)->name, ==, "b");
	g_assert_null(satchel_update_plan_running_target(state, &stranger));
}

static void
assert_rollback(const SatchelState *state, const SatchelSysrootFacts *f, SatchelRollback wanted,
		const char *name)
{
	g_autoptr(SatchelStateTarget) target = NULL;

	g_assert_cmpint(satchel_update_plan_rollback(state, f, state->lowest_version, &target), ==,
			wanted);
	g_assert_cmpstr(target != NULL ? target->name : NULL, ==, name);
}

static void
test_rollback_calls_off_what_was_not_booted(void)
{
	g_autoptr(SatchelState) state = pending();
	SatchelSysrootFacts before = facts(TRUE, COMMIT_A, COMMIT_B, FALSE);
	SatchelSysrootFacts went_back = facts(TRUE, COMMIT_A, COMMIT_B, TRUE);
	SatchelSysrootFacts staged = facts(FALSE, COMMIT_B, COMMIT_B, TRUE);

	assert_rollback(state, &before, SATCHEL_ROLLBACK_CANCEL, NULL);
	assert_rollback(state, &went_back, SATCHEL_ROLLBACK_CANCEL, NULL);
	assert_rollback(state, &staged, SATCHEL_ROLLBACK_CANCEL, NULL);
}

static void
test_rollback_leaves_what_was_booted_and_not_confirmed(void)
{
	g_autoptr(SatchelState) state = pending();
	SatchelSysrootFacts f = facts(TRUE, COMMIT_B, COMMIT_B, TRUE);

	assert_rollback(state, &f, SATCHEL_ROLLBACK_LEAVE, "a");
	g_clear_pointer(&state->current, satchel_state_target_free);
	assert_rollback(state, &f, SATCHEL_ROLLBACK_LEAVE, SATCHEL_STATE_INITIAL_NAME);
	/* As a cut behind the note and before the deployment leaves it. */
	satchel_state_failed(state, 3, "left");
	assert_rollback(state, &f, SATCHEL_ROLLBACK_NOTHING, NULL);
}

static void
test_rollback_leads_to_what_worked_before(void)
{
	g_autoptr(SatchelState) state = pending();
	SatchelSysrootFacts f = facts(TRUE, COMMIT_B, COMMIT_B, TRUE);
	SatchelSysrootFacts other = facts(TRUE, COMMIT_C, COMMIT_C, TRUE);

	satchel_state_working(state, 3);
	assert_rollback(state, &f, SATCHEL_ROLLBACK_LEAVE, "a");
	/* What runs now is none of ours: the newest that worked is current. */
	assert_rollback(state, &other, SATCHEL_ROLLBACK_LEAVE, "b");
	satchel_state_reject(state, state->rollback, 4, "no");
	assert_rollback(state, &f, SATCHEL_ROLLBACK_NOTHING, NULL);
}

static void
test_rollback_stays_above_the_floor(void)
{
	g_autoptr(SatchelState) state = pending();
	SatchelSysrootFacts f = facts(TRUE, COMMIT_B, COMMIT_B, TRUE);

	/* What is not confirmed may be left for what was there before it. */
	state->lowest_version = 2;
	assert_rollback(state, &f, SATCHEL_ROLLBACK_LEAVE, "a");
	satchel_state_working(state, 3);
	assert_rollback(state, &f, SATCHEL_ROLLBACK_NOTHING, NULL);
	state->lowest_version = 1;
	assert_rollback(state, &f, SATCHEL_ROLLBACK_LEAVE, "a");
}

static void
test_rollback_of_a_first_release_leads_nowhere(void)
{
	g_autoptr(SatchelState) state = satchel_state_new();
	g_autoptr(SatchelStateTarget) a = satchel_state_target_new_from_parts("a", 1, COMMIT_A);
	SatchelSysrootFacts f = facts(TRUE, COMMIT_A, COMMIT_A, TRUE);
	SatchelSysrootFacts nothing = facts(FALSE, NULL, NULL, TRUE);

	assert_rollback(state, &f, SATCHEL_ROLLBACK_NOTHING, NULL);
	satchel_state_adopt(state, a, 1);
	assert_rollback(state, &f, SATCHEL_ROLLBACK_NOTHING, NULL);
	assert_rollback(state, &nothing, SATCHEL_ROLLBACK_NOTHING, NULL);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/update_plan/nothing_begun_needs_no_reconciling",
			test_nothing_begun_needs_no_reconciling);
	g_test_add_func("/update_plan/what_was_begun_and_is_the_default_is_deployed",
			test_what_was_begun_and_is_the_default_is_deployed);
	g_test_add_func("/update_plan/what_was_begun_and_runs_is_deployed",
			test_what_was_begun_and_runs_is_deployed);
	g_test_add_func("/update_plan/what_was_begun_and_is_nowhere_is_abandoned",
			test_what_was_begun_and_is_nowhere_is_abandoned);
	g_test_add_func("/update_plan/finalizing_compares_what_was_booted",
			test_finalizing_compares_what_was_booted);
	g_test_add_func("/update_plan/in_a_staged_sysroot_the_old_one_runs_until_finalized",
			test_in_a_staged_sysroot_the_old_one_runs_until_finalized);
	g_test_add_func("/update_plan/the_running_target_is_known_by_its_commit",
			test_the_running_target_is_known_by_its_commit);
	g_test_add_func("/update_plan/rollback calls off what was not booted",
			test_rollback_calls_off_what_was_not_booted);
	g_test_add_func("/update_plan/rollback leaves what was booted and not confirmed",
			test_rollback_leaves_what_was_booted_and_not_confirmed);
	g_test_add_func("/update_plan/rollback leads to what worked before",
			test_rollback_leads_to_what_worked_before);
	g_test_add_func("/update_plan/rollback stays above the floor",
			test_rollback_stays_above_the_floor);
	g_test_add_func("/update_plan/rollback of a first release leads nowhere",
			test_rollback_of_a_first_release_leads_nowhere);
	return g_test_run();
}
