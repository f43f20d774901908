#pragma once
#include <satchel/bundle_meta.h>
#include <satchel/bundle_reader.h>
#include <satchel/ostree_target.h>
#include <satchel/trust_store.h>
#pragma GCC visibility push(default)

/*
 * Would a device accept this bundle, and which targets could it take from it? The one place where
 * that is decided: satchel-verify shows the verdict, satchel-installer acts on it.
 */

/* What a device knows of itself. Borrowed for the call. Zero is the strictest value of every flag.
 */
typedef struct {
	const char *hardware_id; /* (nullable): NULL: targets are not filtered by it */
	/* (nullable): of further computers in the device; targets for these alone give
	 * SATCHEL_ERROR_TARGET_NOT_FOUND */
	const char *const *secondary_hardware_ids;
	const char *const *tags; /* (nullable): NULL or empty: any */
	const char *type;	 /* (nullable): "ci", "prod"; NULL: not compared */
	/* (nullable): what it has deployed, NULL-terminated: decides whether a thin bundle serves
	 * it; NULL: unknown, and then only noted */
	const char *const *commits;
	/* (nullable): names of the apps that it runs, NULL-terminated; empty: none. NULL: all of a
	 * target's */
	const char *const *apps;
	/* (nullable): "linux/arm64": which of an image for several platforms it needs; NULL: any */
	const char *platform;
	gint64 clock_s; /* the system clock, read once per run */
	gint64 floor_s; /* the device's time floor; "now" is the later of the two */
	gboolean allow_missing_bundle_metadata;
} SatchelDeviceProfile;

/* "Now": the later of clock and floor. Pure. */
gint64 satchel_device_profile_now_s(const SatchelDeviceProfile *profile);

typedef struct SatchelVerdict SatchelVerdict;

/**
 * satchel_bundle_judge:
 * @bundle: borrowed
 * @store: with a trusted root in it, STAGED or READ_ONLY; verified newer roles are staged in it and
 *   the caller commits them only when the verdict is acceptance
 * @profile: borrowed
 *
 * Roots, bundle metadata (signature, expiry, type, tag), the TUF refresh, the manifest's hash, the
 * choice of targets by hardware id and tag, whether the device has what a thin bundle builds on,
 * and the presence of the targets' commits and apps, in this order; the first reason picks the
 * status. Reasons that can still be found after one are found too. A bundle older than the stored
 * metadata is judged by the stored metadata.
 *
 * Errors: only for what is no verdict on the bundle (SATCHEL_ERROR_METADATA_FAILURE of the store,
 * SATCHEL_ERROR_METADATA_NOT_FOUND where it has no root).
 *
 * Returns: (transfer full): the verdict
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelVerdict *satchel_bundle_judge(SatchelBundleReader *bundle, SatchelTrustStore *store,
				     const SatchelDeviceProfile *profile, GError **error);

/**
 * satchel_stored_targets_judge:
 *
 * The same from stored metadata alone, without a bundle (`list` without --src-dir).
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelVerdict *satchel_stored_targets_judge(SatchelTrustStore *store,
					     const SatchelDeviceProfile *profile, GError **error);

gboolean satchel_verdict_is_accepted(const SatchelVerdict *self);
/* Reasons for refusal, most telling first; each of SATCHEL_ERROR, its message names the file. */
guint satchel_verdict_get_n_reasons(const SatchelVerdict *self);
const GError *satchel_verdict_get_reason(const SatchelVerdict *self, guint index);
/* What was passed over without being a reason, one line each: targets for other devices, and such.
 */
guint satchel_verdict_get_n_notes(const SatchelVerdict *self);
const char *satchel_verdict_get_note(const SatchelVerdict *self, guint index);
/* Targets of this bundle that this device could take, by ascending version, content present. */
guint satchel_verdict_get_n_targets(const SatchelVerdict *self);
const SatchelOstreeTarget *satchel_verdict_get_target(const SatchelVerdict *self, guint index);
/* TRUE where the bundle's roles are older than the stored ones and these were used. */
gboolean satchel_verdict_used_stored_metadata(const SatchelVerdict *self);
/* The targets role that the verdict rests on, with targets that the bundle does not carry too: it
 * gives what runs a name. NULL where none verified. */
const SatchelTargets *satchel_verdict_get_targets_role(const SatchelVerdict *self);
/* NULL where the bundle has none that verified. */
const SatchelBundleMeta *satchel_verdict_get_bundle_meta(const SatchelVerdict *self);
/* Hex SHA-256 of the very bytes that verified as these; NULL likewise. */
const char *satchel_verdict_get_bundle_sha256(const SatchelVerdict *self);

void satchel_verdict_free(SatchelVerdict *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelVerdict, satchel_verdict_free)

#pragma GCC visibility pop
