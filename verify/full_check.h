#pragma once
#include "verdict.h"
#include <satchel/progress.h>

/**
 * satchel_full_check:
 * @bundle: borrowed
 * @verdict: what satchel_bundle_judge() found; reasons and notes are added to it
 * @profile: borrowed
 * @sink: (nullable): gets the progress
 *
 * Reads and hashes all content: every member of a signed manifest as it is stored,
 * every object that the verdict's targets need, inflated, and every blob of their apps.
 * SATCHEL_ERROR_CONTENT_INVALID for content that does not match its hash, is not listed or cannot
 * be read; SATCHEL_ERROR_NO_TARGET_CONTENT for objects that are missing. Files that operating
 * systems leave on sticks are notes.
 */
void satchel_full_check(SatchelBundleReader *bundle, SatchelVerdict *verdict,
			const SatchelDeviceProfile *profile, const SatchelProgressSink *sink);
