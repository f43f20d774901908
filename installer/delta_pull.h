#pragma once
#include "../verify/progress.h"
#include "sysroot.h"
#include <satchel/bundle_reader.h>
#include <satchel/bundle_thin.h>

/*
 * Brings one commit into the device's repository out of a static delta. libostree parses the delta,
 * and only a private copy whose hash was signed; what it makes of it lands in a folder of our own
 * (satchel-delta in the repository), and from there goes the way of every pull: each object is
 * hashed before it gets into the repository, the commit comes last. Whatever happens to be wrong
 * with delta, base or libostree, nothing unverified is ever in the repository.
 */

/**
 * satchel_delta_pull:
 * @bundle: with a signed manifest that was accepted, borrowed
 * @delta: from a commit that the device has deployed
 * @sink: (nullable): gets the progress
 * @cancellable: (nullable)
 *
 * The base is hashed, and free space is checked, before anything is written. Interrupted, it goes
 * on where it was: the delta is read from the medium once, and objects that were made are kept.
 *
 * Errors: those of satchel_delta_copy(); SATCHEL_ERROR_DOWNLOAD_FAILED where the base is damaged,
 * or the delta makes something else than the commit needs; SATCHEL_ERROR_NO_TARGET_CONTENT where
 * the repository is of a mode that takes no deltas; SATCHEL_ERROR_NO_SPACE;
 * SATCHEL_ERROR_CANCELLED.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_delta_pull(SatchelBundleReader *bundle, SatchelSysroot *sysroot,
			    const SatchelBundleDelta *delta, const SatchelProgressSink *sink,
			    GCancellable *cancellable, GError **error);

/* Deletes what an earlier try has left. What cannot be deleted stays: nothing is believed of it. */
void satchel_delta_pull_forget(OstreeRepo *repo);
