#pragma once
#include "device_parts.h"

/* What a SatchelOffer (satchel/device.h) is made of. */
struct SatchelOffer {
	SatchelBundleReader *bundle; /* NULL: stored metadata alone */
	SatchelVerdict *verdict;     /* NULL likewise */
	char *bundle_sha256;	     /* of the bundle's metadata; NULL: it has none */
	GPtrArray *targets;	     /* SatchelOstreeTarget, by ascending version */
	gboolean cached;	     /* judged by stored metadata, because the bundle's are older */
	/* Of what runs; copies. */
	char *current_name; /* NULL: unknown */
	gint64 current_version;
	char *running_commit;  /* NULL: nothing is deployed */
	gint64 lowest_version; /* nothing below is taken; 0: any */
	char *app_work;	       /* why the apps of what runs need some; NULL: they do not */
	/* The device that made it, and when; not a pointer, it may be closed. */
	guint device_id;
	guint generation;
};

/* May @device act on @self? Errors: SATCHEL_ERROR_USAGE where another device made it;
 * SATCHEL_ERROR_FAILED where @device has learned more since. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_offer_check_device(const SatchelOffer *self, const SatchelDevice *device,
				    GError **error);

/**
 * satchel_offer_preview:
 * @bundle: (transfer full)
 * @store: in memory
 * @app_work: (nullable): as satchel_offer_find_app_work() gave it
 *
 * What satchel_offer_from_bundle() would give, without a trace on the disk; but @device has learned
 * from it in memory, so this is for a process that ends then. Errors: the same.
 *
 * Returns: (transfer full): the offer, or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelOffer *satchel_offer_preview(SatchelDevice *device, SatchelBundleReader *bundle,
				    SatchelTrustStore *store, const SatchelDeviceProfile *profile,
				    const char *app_work, GError **error);

/* Why the apps of what runs need work, as far as @device knows it without a bundle; NULL: they do
 * not. Asks the engine, which who reads a bundle in a jail cannot. (transfer full) */
char *satchel_offer_find_app_work(const SatchelDevice *device);

/* The bundle is not needed any more: nothing of it stays open. What is installed was pulled. */
void satchel_offer_let_bundle_go(SatchelOffer *self);
