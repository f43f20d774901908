#pragma once
#include "state.h"

/* Which release a commit of the sysroot is. Pure. */

/* The newest target of @role with @commit that is for this hardware, whatever its tags and whether
 * or not a bundle carries it; NULL where there is none. @role: (nullable). (transfer full) */
SatchelStateTarget *satchel_deployed_release_find(const SatchelTargets *role,
						  const char *hardware_id, const char *commit);

/* Gives the targets of @state that have no version the name and version that @role has for their
 * commits; what the device came with keeps its name. TRUE where that changed something. */
gboolean satchel_deployed_release_name_all(SatchelState *state, const SatchelTargets *role,
					   const char *hardware_id);

/* Commits of the sysroot in the order in which it would boot them. Borrowed for the call. */
typedef struct {
	const char *booted;   /* (nullable) */
	const char *next;     /* (nullable): what the next boot takes */
	const char *fallback; /* (nullable): deployed besides these two */
} SatchelDeployed;

/**
 * satchel_deployed_release_rebuild:
 * @state: an empty one
 * @deployed: borrowed
 * @role: (nullable): verified, for the names
 *
 * What the sysroot tells of a device whose state is lost: what runs, if it has a name; where a
 * rollback leads; and, where the next boot takes another deployment than the one that runs, that
 * one as an installation that was begun, so that nobody takes it for confirmed or deploys over it.
 */
void satchel_deployed_release_rebuild(SatchelState *state, const SatchelDeployed *deployed,
				      const SatchelTargets *role, const char *hardware_id);
