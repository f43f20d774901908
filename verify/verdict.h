#pragma once
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

/* (transfer full) */
SatchelVerdict *satchel_verdict_new(void);

/* Adds @reason (transfer full) (nullable), unless one of the same words is there. An expiry gets to
 * know the two times that made "now". */
void satchel_verdict_add_reason(SatchelVerdict *self, const SatchelDeviceProfile *profile,
				GError *reason);

/* @note: (transfer full) */
void satchel_verdict_add_note(SatchelVerdict *self, char *note);
