#pragma once
#include "target_match.h"
#include <satchel/bundle_judge.h>

/* How a verdict comes to be; the judge's own side of include/satchel/bundle_judge.h. */
struct SatchelVerdict {
	GPtrArray *reasons;	 /* of GError */
	GPtrArray *notes;	 /* of char *: what was passed over, and why */
	GPtrArray *targets;	 /* of SatchelOstreeTarget */
	SatchelTargets *role;	 /* (nullable) */
	SatchelBundleMeta *meta; /* (nullable) */
	char *meta_sha256;	 /* of its bytes; NULL likewise */
	gboolean used_stored_metadata;
};

/* Which targets the device could take. Borrowed from @profile. */
SatchelTargetFilter satchel_device_profile_filter(const SatchelDeviceProfile *profile);

/* (transfer full) */
SatchelVerdict *satchel_verdict_new(void);

/* Makes a SATCHEL_ERROR_METADATA_EXPIRED say which two times made "now": whether the clock is wrong
 * or the metadata old can only be seen with both in view. Leaves any other error, and NULL, as it
 * is. @reason: (inout) (nullable) (transfer full) */
void satchel_verdict_explain_expiry(GError **reason, gint64 clock_s, gint64 floor_s);

/* Adds @reason (transfer full) (nullable), unless one of the same words is there. An expiry gets to
 * know the two times that made "now". */
void satchel_verdict_add_reason(SatchelVerdict *self, const SatchelDeviceProfile *profile,
				GError *reason);

/* @note: (transfer full) */
void satchel_verdict_add_note(SatchelVerdict *self, char *note);
