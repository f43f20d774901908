#pragma once
#include "state.h"

/* Targets as aktualizr-lite remembers them. What is not of the expected form is left out: what
 * counts comes from the sysroot. Pure. */

/* Apps of one target beyond this are left out. */
#define SATCHEL_AKTUALIZR_MAX_APPS 256u

/**
 * satchel_aktualizr_target_new:
 * @name: UTF-8, borrowed
 * @commit: borrowed
 * @custom: (nullable): JSON text of the target's custom metadata: version and apps come from it
 *
 * Returns: (transfer full): the target; NULL where @name cannot be a target's, or @commit is none
 */
SatchelStateTarget *satchel_aktualizr_target_new(const char *name, const char *commit,
						 GBytes *custom);

/**
 * satchel_aktualizr_target_find_imported:
 * @document: `installed_versions`, a JSON file that images bring, borrowed
 * @commit: what runs, borrowed
 *
 * Errors: SATCHEL_ERROR_METADATA_INVALID: not of that form.
 *
 * Returns: (transfer full): the target that it calls current, if that has @commit; NULL without
 *   error where there is none
 */
SatchelStateTarget *satchel_aktualizr_target_find_imported(GBytes *document, const char *commit,
							   GError **error);
