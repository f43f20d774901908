#pragma once
#include "../verify/target_match.h"
#include "device.h"

/*
 * What a bundle, or the stored metadata, has for this device, and what the device would do about
 * it. Values; the commands print them.
 */
typedef struct {
	SatchelBundleReader *bundle; /* NULL: stored metadata alone */
	char *bundle_sha256;	     /* of the bundle's metadata; NULL: it has none */
	GPtrArray *targets;	     /* SatchelOstreeTarget, by ascending version */
	gboolean cached;	     /* judged by stored metadata, because the bundle's are older */
	/* Of what runs; copies. */
	char *current_name; /* NULL: unknown */
	gint64 current_version;
	char *running_commit; /* NULL: nothing is deployed */
} SatchelOffer;

/**
 * satchel_offer_from_bundle:
 * @device: opened for update
 * @path: the bundle
 *
 * Judges the bundle. When it is accepted, the newer roles and the time floor are committed to the
 * trust store; when it is refused, nothing was written. What runs and was not known by name so far
 * gets the name of the target that has its commit.
 *
 * Errors: the verdict's first reason; its other reasons stand in @remarks.
 * @remarks: (element-type utf8): gets the other reasons for a refusal
 *
 * Returns: (transfer full): the offer, or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelOffer *satchel_offer_from_bundle(SatchelDevice *device, const char *path, GPtrArray *remarks,
					GError **error);

/**
 * satchel_offer_from_stored:
 * @path: (nullable): a bundle that must hold the content; nothing of it is believed
 *
 * From the metadata that the device trusted last. Writes nothing.
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelOffer *satchel_offer_from_stored(SatchelDevice *device, const char *path, GError **error);

/* What the device would take. @wanted: (nullable): a name or version. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_offer_choose(const SatchelOffer *self, const SatchelDevice *device,
			      const char *wanted, SatchelTargetChoice *choice, GError **error);

/* TRUE where @choice needs a pull and an installation. */
gboolean satchel_offer_is_update(const SatchelOffer *self, const SatchelTargetChoice *choice);

void satchel_offer_free(SatchelOffer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelOffer, satchel_offer_free)
