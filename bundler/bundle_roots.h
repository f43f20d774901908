#pragma once
#include <satchel/bundle_reader.h>
#include <satchel/root.h>

/**
 * satchel_bundle_roots_newest:
 *
 * The newest root in a bundle, by an unbroken chain from the oldest one in it (fioctl's bundles
 * begin at 3). That says who may sign by the bundle's own word; a device goes by its own root.
 *
 * Errors: SATCHEL_ERROR_METADATA_NOT_FOUND where there is no root; SATCHEL_ERROR_METADATA_INVALID.
 *
 * Returns: (transfer full)
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelRoot *satchel_bundle_roots_newest(SatchelBundleReader *bundle, GError **error);
