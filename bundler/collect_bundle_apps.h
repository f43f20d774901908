#pragma once
#include "../verify/manifest.h"
#include "../verify/progress.h"
#include "app_store.h"
#include "bundle_plan.h"

/* The apps of the targets that a bundle carries, out of an app store. */
typedef struct SatchelCollectedApps SatchelCollectedApps;

/**
 * satchel_collect_bundle_apps_plan:
 * @store_path: the store
 * @plan: its targets; apps that their `fetched-apps` leaves out are left out
 *
 * Errors: SATCHEL_ERROR_NO_TARGET_CONTENT naming target, app and blob; those of the closure.
 *
 * Returns: (transfer full)
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelCollectedApps *satchel_collect_bundle_apps_plan(const char *store_path,
						       const SatchelBundlePlan *plan,
						       GError **error);

guint satchel_collect_bundle_apps_get_n_apps(const SatchelCollectedApps *self);
guint64 satchel_collect_bundle_apps_get_bytes(const SatchelCollectedApps *self);

/* Each file once, by name, and into the manifest; each blob is hashed on its way. Errors:
 * SATCHEL_ERROR_DOWNLOAD_FAILED where one is not what its name says; those of writing. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_collect_bundle_apps_write(const SatchelCollectedApps *self, int dir_fd,
					   SatchelManifest *manifest, SatchelProgress *progress,
					   GError **error);

void satchel_collected_apps_free(SatchelCollectedApps *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelCollectedApps, satchel_collected_apps_free)
