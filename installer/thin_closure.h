#pragma once
#include "../verify/ostree_closure.h"
#include <ostree.h>

/**
 * satchel_thin_closure_list:
 * @source: the bundle's repository, borrowed
 * @repo: the device's, borrowed
 * @commits: NULL-terminated checksums from verified targets
 *
 * What commits need, as satchel_closure_list() has it, where the bundle leaves out what the device
 * has: a commit or folder that is not in the bundle is taken from the device, and hashed as well.
 * A file that is not in the bundle is listed as missing; whether the device has it is another
 * question.
 *
 * Errors: as satchel_closure_list(); SATCHEL_ERROR_NO_TARGET_CONTENT where neither has a folder, or
 * the device's is damaged.
 *
 * Returns: (transfer full)
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelClosureList *satchel_thin_closure_list(SatchelClosureRepo *source, OstreeRepo *repo,
					      const char *const *commits, GError **error);
