#include "update_plan.h"

SatchelReconcile
satchel_update_plan_reconcile(const SatchelState *state, const SatchelSysrootFacts *facts)
{
	if (state->installing == NULL)
		return SATCHEL_RECONCILE_NOTHING;
	if (g_strcmp0(facts->default_commit, state->installing->commit) == 0 ||
	    g_strcmp0(facts->booted_commit, state->installing->commit) == 0)
		return SATCHEL_RECONCILE_DEPLOYED;
	return SATCHEL_RECONCILE_ABANDON;
}

SatchelFinalize
satchel_update_plan_finalize(const SatchelState *state, const SatchelSysrootFacts *facts)
{
	if (state->pending == NULL)
		return SATCHEL_FINALIZE_NOTHING;
	if (g_strcmp0(facts->booted_commit, state->pending->commit) == 0)
		return SATCHEL_FINALIZE_WORKING;
	return facts->rebooted ? SATCHEL_FINALIZE_ROLLED_BACK : SATCHEL_FINALIZE_NOT_REBOOTED;
}

const char *
satchel_update_plan_running_commit(const SatchelState *state, const SatchelSysrootFacts *facts)
{
	if (!facts->runs && state->from_commit != NULL)
		return state->from_commit;
	return facts->booted_commit;
}

static gboolean
has_commit(const SatchelStateTarget *target, const char *commit)
{
	return target != NULL && g_strcmp0(target->commit, commit) == 0;
}

const SatchelStateTarget *
satchel_update_plan_running_target(const SatchelState *state, const SatchelSysrootFacts *facts)
{
	const char *commit = satchel_update_plan_running_commit(state, facts);

	if (has_commit(state->current, commit))
		return state->current;
	if (has_commit(state->rollback, commit))
		return state->rollback;
	for (guint i = state->failing->len; i > 0; i--) {
		if (has_commit(g_ptr_array_index(state->failing, i - 1), commit))
			return g_ptr_array_index(state->failing, i - 1);
	}
	return NULL;
}

static gboolean
can_go_to(const SatchelState *state, const SatchelStateTarget *target, const char *running)
{
	return target != NULL && g_strcmp0(target->commit, running) != 0 &&
	       !satchel_state_is_failing(state, target->name, target->commit);
}

SatchelRollback
satchel_update_plan_rollback(const SatchelState *state, const SatchelSysrootFacts *facts,
			     gint64 lowest_version, SatchelStateTarget **target)
{
	const char *running = satchel_update_plan_running_commit(state, facts);
	/* New apps on the system that runs are not booted into. */
	gboolean in_pending = facts->runs && has_commit(state->pending, facts->booted_commit) &&
			      !has_commit(state->pending, state->from_commit);

	*target = NULL;
	if (running == NULL)
		return SATCHEL_ROLLBACK_NOTHING;
	if (state->pending != NULL && !in_pending)
		return SATCHEL_ROLLBACK_CANCEL;
	if (can_go_to(state, state->current, running))
		*target = satchel_state_target_copy(state->current);
	else if (can_go_to(state, state->rollback, running) &&
		 (lowest_version == 0 || state->rollback->version >= lowest_version))
		*target = satchel_state_target_copy(state->rollback);
	else if (in_pending && state->current == NULL && state->from_commit != NULL)
		*target = satchel_state_target_new_from_parts(SATCHEL_STATE_INITIAL_NAME, -1,
							      state->from_commit);
	return *target != NULL ? SATCHEL_ROLLBACK_LEAVE : SATCHEL_ROLLBACK_NOTHING;
}
