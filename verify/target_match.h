#pragma once
#include <satchel/target_choice.h>

/*
 * Which targets a device could take, and which one it does take: pure decisions over verified
 * targets. Callable from any thread.
 */

/* What a device can take. Borrowed; zero is a device that takes anything. */
typedef struct {
	const char *hardware_id; /* (nullable): NULL: any */
	/* (nullable): of further computers in the device, which are not updated from here: their
	 * targets are passed over, and it is known why */
	const char *const *secondary_hardware_ids;
	const char *const *tags; /* (nullable): NULL or empty: any */
} SatchelTargetFilter;

/**
 * satchel_target_match:
 * @targets: the verified role, borrowed
 * @names: (nullable): the bundle's list, NULL-terminated; NULL: every target of the role
 * @filter: borrowed
 * @ignored: (out) (optional) (transfer full): one line for each named target that was passed over,
 *   NULL-terminated
 *
 * A target counts when the role has it, its format is OSTREE, it names exactly one hardware id and
 * that is the device's, and it carries one of the device's tags.
 *
 * Errors: SATCHEL_ERROR_NO_MATCHING_TARGET, saying why none is left;
 * SATCHEL_ERROR_TARGET_NOT_FOUND where there were some for secondary hardware ids alone.
 *
 * Returns: (transfer full) (element-type SatchelOstreeTarget): by ascending version, then name
 */
G_GNUC_WARN_UNUSED_RESULT
GPtrArray *satchel_target_match(const SatchelTargets *targets, const char *const *names,
				const SatchelTargetFilter *filter, GStrv *ignored, GError **error);

/* The highest of the lowest versions that the role's targets for this device name, whether or not a
 * bundle carries them; 0: none names one. */
gint64 satchel_target_lowest_version(const SatchelTargets *targets,
				     const SatchelTargetFilter *filter);

/* What runs already is not barred: to take it changes nothing.
 * @lowest_version: 0: any. A target whose version is no number is below all others
 * @running_commit: (nullable)
 *
 * Error: SATCHEL_ERROR_DOWNGRADE_REFUSED where @target is below. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_target_check_floor(const SatchelOstreeTarget *target, gint64 lowest_version,
				    const char *running_commit, GError **error);

/* What the choice depends on. All borrowed; zero is a device that knows nothing of itself. */
typedef struct {
	GPtrArray *candidates;	  /* of SatchelOstreeTarget, as satchel_target_match() gives them */
	const char *current_name; /* (nullable): what runs now, where that is known */
	gint64 current_version;	  /* -1: unknown; ignored without current_name */
	const char *const *failing_names; /* (nullable): targets that were tried and never worked */
	const char *wanted; /* (nullable): a target's name, else its version, as the user gave it */
	/* (nullable): the newest target before the current one that has worked, by name */
	const char *rollback_name;
	const char *running_commit; /* (nullable) */
	gint64 lowest_version;	    /* what has a lower one is not taken, named or not; 0: all is */
	gboolean auto_downgrade;    /* an older one than the current is taken by itself, too */
} SatchelTargetQuestion;

/**
 * satchel_target_choose:
 * @choice: (out caller-allocates): cleared by the caller with satchel_target_choice_clear()
 *
 * By itself: the newest candidate, unless it is failing or, without @auto_downgrade, older than the
 * current one. By name or version: that one, failing or older as it may be. Either way nothing
 * below @lowest_version, unless it is what runs. "A name that begins with digits is a name": the
 * exact name first, then a version if all characters are digits.
 *
 * Errors: SATCHEL_ERROR_TARGET_NOT_FOUND where @wanted is no candidate;
 * SATCHEL_ERROR_ROLLBACK_TARGET_NOT_FOUND where the current target is failing, is the newest, and
 * there is nothing to go back to.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_target_choose(const SatchelTargetQuestion *question, SatchelTargetChoice *choice,
			       GError **error);
