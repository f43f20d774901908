#include "deployed_release.h"
#include "../verify/target_match.h"

SatchelStateTarget *
satchel_deployed_release_find(const SatchelTargets *role, const char *hardware_id,
			      const char *commit)
{
	SatchelTargetFilter filter = {.hardware_id = hardware_id};
	g_autoptr(GPtrArray) releases = NULL;

	if (role != NULL)
		releases = satchel_target_match(role, NULL, &filter, NULL, NULL);
	for (guint i = releases != NULL ? releases->len : 0; i > 0; i--) {
		const SatchelOstreeTarget *target = g_ptr_array_index(releases, i - 1);

		if (g_str_equal(satchel_ostree_target_get_commit(target), commit))
			return satchel_state_target_new(target);
	}
	return NULL;
}

/* Replaces *@target by what @role has for its commit. */
static gboolean
name_target(SatchelStateTarget **target, const SatchelTargets *role, const char *hardware_id)
{
	SatchelStateTarget *named = NULL;

	if (*target == NULL || (*target)->version >= 0 ||
	    g_str_equal((*target)->name, SATCHEL_STATE_INITIAL_NAME))
		return FALSE;
	named = satchel_deployed_release_find(role, hardware_id, (*target)->commit);
	if (named == NULL)
		return FALSE;
	satchel_state_target_free(*target);
	*target = named;
	return TRUE;
}

gboolean
satchel_deployed_release_name_all(SatchelState *state, const SatchelTargets *role,
				  const char *hardware_id)
{
	SatchelStateTarget **const places[] = {&state->current, &state->rollback,
					       &state->installing, &state->pending};
	gboolean changed = FALSE;

	for (guint i = 0; i < G_N_ELEMENTS(places); i++)
		changed = name_target(places[i], role, hardware_id) || changed;
	for (guint i = 0; i < state->failing->len; i++)
		changed = name_target((SatchelStateTarget **)&state->failing->pdata[i], role,
				      hardware_id) ||
			  changed;
	return changed;
}

/* With its name, or with the one for what has none. (transfer full) */
static SatchelStateTarget *
target_of(const char *commit, const SatchelTargets *role, const char *hardware_id)
{
	SatchelStateTarget *target = satchel_deployed_release_find(role, hardware_id, commit);

	if (target != NULL)
		return target;
	return satchel_state_target_new_from_parts(SATCHEL_STATE_UNKNOWN_NAME, -1, commit);
}

void
satchel_deployed_release_rebuild(SatchelState *state, const SatchelDeployed *deployed,
				 const SatchelTargets *role, const char *hardware_id)
{
	if (deployed->booted == NULL)
		return;
	/* Without a name it stays unknown until one is found: "Unknown Target" would be one. */
	state->current = satchel_deployed_release_find(role, hardware_id, deployed->booted);
	if (state->current != NULL)
		state->lowest_version = state->current->lowest_version;
	if (deployed->fallback != NULL)
		state->rollback = target_of(deployed->fallback, role, hardware_id);
	if (deployed->next == NULL || g_str_equal(deployed->next, deployed->booted))
		return;
	state->installing = target_of(deployed->next, role, hardware_id);
	state->from_commit = g_strdup(deployed->booted);
}
