#pragma once
#include "write_directory.h"
#include <ostree.h>
#include <satchel/bundle_thin.h>

/*
 * Static deltas of libostree between two commits of the source repository, in one file each, laid
 * where libostree looks for them in a repository. The source repository is only read.
 */

/**
 * satchel_collect_delta_generate:
 * @repo: has both commits complete, and the caller has hashed their objects
 * @delta: from and to are given; size_bytes is set
 * @time_s: what the delta says when it was made, so that the same input gives the same bytes
 * @dir_fd: the bundle's top: the file is written at satchel_bundle_delta_member()
 * @written: gets size and hash of the file
 *
 * Takes minutes for a system, in one thread.
 * Errors: SATCHEL_ERROR_FAILED, also once a signal has come; SATCHEL_ERROR_NO_SPACE.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_collect_delta_generate(OstreeRepo *repo, SatchelBundleDelta *delta, gint64 time_s,
					int dir_fd, SatchelWrittenFile *written, GError **error);

/* Takes the file away again, and the folders that it alone was in. */
void satchel_collect_delta_remove(const SatchelBundleDelta *delta, int dir_fd);
