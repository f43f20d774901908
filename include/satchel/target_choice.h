#pragma once
#include <satchel/ostree_target.h>
#pragma GCC visibility push(default)

/* Which of its targets a device takes, and why: a value. */

typedef enum {
	SATCHEL_TARGET_CHOICE_NOTHING,	   /* nothing to do; the text says why */
	SATCHEL_TARGET_CHOICE_NEW_VERSION, /* another target than the current one */
	SATCHEL_TARGET_CHOICE_SYNC,	   /* the current one; its apps may need work */
	SATCHEL_TARGET_CHOICE_ROLLBACK,	   /* the current one is failing: back to what worked */
	SATCHEL_TARGET_CHOICE_TOO_OLD,	   /* below the lowest version; the text says so */
} SatchelTargetChoiceKind;

typedef struct {
	SatchelTargetChoiceKind kind;
	/* Borrowed from the candidates; NULL for NOTHING and TOO_OLD. For SYNC the current target.
	 */
	const SatchelOstreeTarget *selected;
	char *text; /* one line for people */
} SatchelTargetChoice;

/* For whoever acts on @self. Error: SATCHEL_ERROR_DOWNGRADE_REFUSED where it is TOO_OLD. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_target_choice_check(const SatchelTargetChoice *self, GError **error);

void satchel_target_choice_clear(SatchelTargetChoice *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SatchelTargetChoice, satchel_target_choice_clear)

#pragma GCC visibility pop
