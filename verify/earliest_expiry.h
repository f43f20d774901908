#pragma once
#include <satchel/metadata.h>

/*
 * The first of the four roles to expire. A device that accepts a bundle takes the bundle's time of
 * issue, and later the time of the commit that it installed, as its time floor: neither may lie
 * where the roles that vouched for it have expired, or the device would refuse everything from then
 * on. Pure; callable from any thread.
 */
typedef struct {
	const char *role; /* static */
	gint64 expires_s;
} SatchelEarliestExpiry;

SatchelEarliestExpiry satchel_earliest_expiry_of(const SatchelRoot *root,
						 const SatchelTimestamp *timestamp,
						 const SatchelSnapshot *snapshot,
						 const SatchelTargets *targets);

/**
 * satchel_earliest_expiry_check:
 * @what: what has the time @time_s, for the message
 * @advice: what to do, for the message
 *
 * TRUE where @time_s is before the expiry. Errors: SATCHEL_ERROR_BUNDLE_INVALID.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_earliest_expiry_check(const SatchelEarliestExpiry *self, gint64 time_s,
				       const char *what, const char *advice, GError **error);
