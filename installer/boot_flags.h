#pragma once
#include "boot_rules.h"

/*
 * The boot loader's variables, through its own tools on the device (boot_rules.h says which): they
 * are looked for in PATH and run without a shell. With SATCHEL_ROLLBACK_MODE_NONE nothing is run.
 * Errors are SATCHEL_ERROR_FAILED and name tool, variable and reason.
 */

/* *@value (transfer full): without blanks at its ends; NULL: it has none. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_boot_flags_read(SatchelRollbackMode mode, const char *name, char **value,
				 GError **error);

/* TRUE where it could be read; *@set: it is 1. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_boot_flags_is_set(SatchelRollbackMode mode, const char *name, gboolean *set,
				   GError **error);

/* Sets @name to @value; @environment: (nullable): "NAME=VALUE" that the tool gets on top. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_boot_flags_write(SatchelRollbackMode mode, const char *name, const char *value,
				  const char *environment, GError **error);

/* Sets those of a list that have another value, in its order: flash wears out. After an error those
 * before the one that failed are set. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_boot_flags_set(SatchelRollbackMode mode, const SatchelBootFlag *flags,
				GError **error);
