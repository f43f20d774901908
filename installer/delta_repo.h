#pragma once
#include "sysroot.h"
#include <satchel/bundle_thin.h>

/**
 * satchel_delta_repo_apply:
 * @copy: the delta's file, whose hash was signed; nobody else writes to it
 * @made: a folder in the layout of a bundle; made unless it is there
 * @repo: the device's, with the delta's base; a bare mode
 * @cancellable: (nullable)
 *
 * Lets libostree apply the delta. What it makes goes into a repository of its own in @made, of the
 * mode of @repo, which has @repo for its parent. Nothing of that was looked at by us afterwards.
 * From @repo only goes what has the name of an object that the delta makes and another content:
 * libostree would leave that out.
 *
 * Errors: SATCHEL_ERROR_DOWNLOAD_FAILED where it is no such delta, or libostree cannot apply it;
 * SATCHEL_ERROR_NO_SPACE, SATCHEL_ERROR_CANCELLED.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_delta_repo_apply(const char *copy, const char *made, OstreeRepo *repo,
				  const SatchelBundleDelta *delta, GCancellable *cancellable,
				  GError **error);
