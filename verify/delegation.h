#pragma once
#include "threshold.h"
#include <satchel/metadata.h>

/*
 * To whom a targets role delegates, and in which order a search asks them. Pure. TUF 4.5, 5.6.7.
 */

/* One delegated role. Borrowed from its SatchelDelegations. */
typedef struct {
	char *name;
	SatchelRoleKeys *keys;
	/* Exactly one of them is not NULL. */
	GStrv paths;		  /* patterns */
	GStrv path_hash_prefixes; /* of the target path's SHA-256, lower-case hex */
	gboolean terminating;
} SatchelDelegation;

/* The `delegations` of one targets role. Immutable. */
typedef struct SatchelDelegations SatchelDelegations;

/* Errors: SATCHEL_ERROR_METADATA_INVALID. (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
SatchelDelegations *satchel_delegations_parse(json_t *delegations, SatchelDialect dialect,
					      GError **error);
/* In the order in which they are listed, which is that of trust. */
guint satchel_delegations_get_n_roles(const SatchelDelegations *self);
const SatchelDelegation *satchel_delegations_get_role(const SatchelDelegations *self, guint index);
/* NULL where @name is not delegated to. */
const SatchelDelegation *satchel_delegations_lookup(const SatchelDelegations *self,
						    const char *name);
/* @path_sha256: of @path, lower-case hex */
gboolean satchel_delegation_matches(const SatchelDelegation *self, const char *path,
				    const char *path_sha256);
void satchel_delegations_free(SatchelDelegations *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelDelegations, satchel_delegations_free)

/* One search for one path. */
typedef struct SatchelDelegationWalk SatchelDelegationWalk;

/**
 * satchel_delegation_walk_new:
 * @targets: the top-level targets role, whose own entries the caller has looked at; it and all that
 *   are entered must outlive the walk, as the roles of a trusted set do
 * @path: the target path that is searched for
 *
 * The search is an explicit stack, in pre-order; the caller drives it: ask for the next role,
 * verify that role for its delegator, look at its entries, and enter it to go on below it.
 * Neither loads nor verifies anything by itself. Not thread-safe. (transfer full)
 */
SatchelDelegationWalk *satchel_delegation_walk_new(const SatchelTargets *targets, const char *path);

/**
 * satchel_delegation_walk_next:
 * @role: (out): the role to verify and look at next, NULL when the search is over; borrowed until
 *   the walk is freed
 * @delegator: (out): the role that delegates to it, whose keys must have signed it; borrowed
 *
 * One role is given once for each role that delegates to it, so that a cycle ends. A terminating
 * delegation has already ended what stood behind it.
 *
 * Errors: SATCHEL_ERROR_METADATA_INVALID past SATCHEL_LIMIT_DELEGATIONS roles.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_delegation_walk_next(SatchelDelegationWalk *self, const char **role,
				      const SatchelTargets **delegator, GError **error);

/* @delegated: the role that was given last, verified, and without the path among its entries. */
void satchel_delegation_walk_enter(SatchelDelegationWalk *self, const SatchelTargets *delegated);

void satchel_delegation_walk_free(SatchelDelegationWalk *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelDelegationWalk, satchel_delegation_walk_free)
