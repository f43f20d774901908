#pragma once
#include "app_closure.h"
#include <satchel/bundle_judge.h>

/*
 * The apps that a target brings to a device, in a bundle: those that `fetched-apps` does not leave
 * out and that the device runs.
 */

/* Whether the device wants that app out of a bundle. */
gboolean satchel_bundle_apps_wanted(const SatchelDeviceProfile *profile,
				    const SatchelTargetApp *app);

/* Their closures: all is there in its size; documents were read and hashed. Errors: those of
 * satchel_app_closure_new(), the target named. (element-type SatchelAppClosure) (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
GPtrArray *satchel_bundle_apps_find(SatchelBundleReader *bundle,
				    const SatchelDeviceProfile *profile,
				    const SatchelOstreeTarget *target, GError **error);

/* Reads and hashes a blob. Errors: SATCHEL_ERROR_DOWNLOAD_FAILED in the words of medium_error.h,
 * SATCHEL_ERROR_NO_TARGET_CONTENT. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_bundle_apps_hash(SatchelBundleReader *bundle, const SatchelAppBlob *blob,
				  GError **error);
