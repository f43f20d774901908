#pragma once
#include "sysroot.h"
#include <satchel/bundle_reader.h>
#include <satchel/progress.h>

/*
 * Brings one commit of a bundle into the device's repository. Every object is hashed on the way by
 * our own reader and again by libostree as it is stored; libostree never opens the medium.
 */

/**
 * satchel_ostree_pull:
 * @bundle: borrowed
 * @sysroot: the device's, with a repository of any mode, borrowed
 * @commit: from a verified target
 * @sink: (nullable): gets the progress
 * @cancellable: (nullable): heeded between two objects
 *
 * Writes what the device lacks, the commit object last, and marks the commit as pulled, so that it
 * outlives a clean-up; what was pulled before and not installed loses its mark. Interrupted, it
 * goes on where it was. What is there already is hashed first (held_objects.h): what is not what
 * it should be is removed and brought anew. Where space lacks, what only other pulls have left
 * goes first (pull_room.h). No other process prunes the repository meanwhile.
 *
 * Errors: SATCHEL_ERROR_NO_TARGET_CONTENT (the bundle lacks an object), SATCHEL_ERROR_NO_SPACE
 * (before anything is written; says how much is lacking), SATCHEL_ERROR_DOWNLOAD_FAILED (not
 * readable, not what it should be; nothing of it is in the repository), SATCHEL_ERROR_CANCELLED.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_ostree_pull(SatchelBundleReader *bundle, SatchelSysroot *sysroot,
			     const char *commit, const SatchelProgressSink *sink,
			     GCancellable *cancellable, GError **error);

/* Takes the marks of pulled commits away, except that of @commit (nullable). */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_ostree_pull_forget(OstreeRepo *repo, const char *commit, GError **error);
