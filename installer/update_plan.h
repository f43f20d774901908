#pragma once
#include "state.h"

/* What state and sysroot together mean: decisions, no deeds. Pure. */

/* What the sysroot says of itself. Strings are borrowed. */
typedef struct {
	const char *booted_commit;  /* (nullable): of a sysroot that does not run: as default */
	const char *default_commit; /* (nullable): what the next boot takes */
	gboolean rebooted;	    /* since the installation; TRUE where nothing runs */
	gboolean runs;		    /* FALSE: a sysroot that does not run */
} SatchelSysrootFacts;

typedef enum {
	SATCHEL_RECONCILE_NOTHING,
	SATCHEL_RECONCILE_DEPLOYED, /* what was begun got deployed; finish it and note it */
	SATCHEL_RECONCILE_ABANDON,  /* what was begun left no trace */
} SatchelReconcile;

/* What an installation that was cut off came to. Commits are compared, nothing is assumed: after a
 * power cut a device may boot the old one once and the new one next. */
SatchelReconcile satchel_update_plan_reconcile(const SatchelState *state,
					       const SatchelSysrootFacts *facts);

typedef enum {
	SATCHEL_FINALIZE_NOTHING,      /* none is pending */
	SATCHEL_FINALIZE_NOT_REBOOTED, /* the old one still runs */
	SATCHEL_FINALIZE_WORKING,      /* booted into it */
	SATCHEL_FINALIZE_ROLLED_BACK,  /* booted, but not into it */
} SatchelFinalize;

SatchelFinalize satchel_update_plan_finalize(const SatchelState *state,
					     const SatchelSysrootFacts *facts);

typedef enum {
	SATCHEL_ROLLBACK_NOTHING, /* nothing to go back to */
	SATCHEL_ROLLBACK_CANCEL,  /* what is pending was never booted: the one that runs stays */
	SATCHEL_ROLLBACK_LEAVE,	  /* what runs is left for another one */
} SatchelRollback;

/* What a rollback by hand does. @target: (out) (transfer full): for LEAVE the one to go to: the
 * newest that has worked, does not run and is not failing. Not one from before the current one that
 * is below @lowest_version (0: any): to leave what was not confirmed yet is no downgrade. */
SatchelRollback satchel_update_plan_rollback(const SatchelState *state,
					     const SatchelSysrootFacts *facts,
					     gint64 lowest_version, SatchelStateTarget **target);

/* The commit that runs. In a sysroot that does not run, what is deployed runs only once it was
 * finalized. NULL: there is no deployment. Borrowed from @state or @facts. */
const char *satchel_update_plan_running_commit(const SatchelState *state,
					       const SatchelSysrootFacts *facts);

/* The target of which that is the commit; NULL: unknown. Borrowed from @state. */
const SatchelStateTarget *satchel_update_plan_running_target(const SatchelState *state,
							     const SatchelSysrootFacts *facts);
