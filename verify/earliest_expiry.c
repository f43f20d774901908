#include "earliest_expiry.h"
#include "utc_time.h"

SatchelEarliestExpiry
satchel_earliest_expiry_of(const SatchelRoot *root, const SatchelTimestamp *timestamp,
			   const SatchelSnapshot *snapshot, const SatchelTargets *targets)
{
	const SatchelEarliestExpiry roles[] = {
		{"root", satchel_root_get_expires_s(root)},
		{"timestamp", satchel_timestamp_get_expires_s(timestamp)},
		{"snapshot", satchel_snapshot_get_expires_s(snapshot)},
		{"targets", satchel_targets_get_expires_s(targets)},
	};
	SatchelEarliestExpiry earliest = roles[0];

	for (guint i = 1; i < G_N_ELEMENTS(roles); i++) {
		if (roles[i].expires_s < earliest.expires_s)
			earliest = roles[i];
	}
	return earliest;
}

gboolean
satchel_earliest_expiry_check(const SatchelEarliestExpiry *self, gint64 time_s, const char *what,
			      const char *advice, GError **error)
{
	g_autofree char *time = NULL;
	g_autofree char *expires = NULL;

	if (time_s < self->expires_s)
		return TRUE;
	time = satchel_utc_time_format(time_s);
	expires = satchel_utc_time_format(self->expires_s);
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_BUNDLE_INVALID,
		    "%s is dated %s, but the %s role expires at %s; %s", what, time, self->role,
		    expires, advice);
	return FALSE;
}
