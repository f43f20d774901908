#pragma once
#include "offer.h"

/**
 * satchel_media_signers_check:
 * @offer: of a bundle that is still open
 *
 * Beyond the threshold, which it has: has one of media.signers signed the bundle? Where the setting
 * names none, anybody of the targets role will do.
 *
 * Errors: SATCHEL_ERROR_BUNDLE_INVALID; those of the trust store and of reading.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_media_signers_check(SatchelDevice *device, const SatchelOffer *offer,
				     GError **error);
