#pragma once
#include <satchel/bundle_thin.h>
#include <satchel/metadata.h>

/**
 * satchel_bundle_bases_resolve:
 * @words: what `--from` was given: commits, branches of the source repository, or names of targets;
 *   NULL-terminated, at least one
 * @repo_path: the source repository
 * @role: gives commits their releases' names
 *
 * Each commit once, in the order of @words. Weights are left at nothing.
 *
 * Errors: SATCHEL_ERROR_USAGE where a word is nothing of that, or a branch and a target of
 * different commits; SATCHEL_ERROR_FAILED where @repo_path is no repository.
 *
 * Returns: (transfer full): free it with satchel_bundle_thin_free()
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelBundleThin *satchel_bundle_bases_resolve(const char *const *words, const char *repo_path,
						const SatchelTargets *role, GError **error);
