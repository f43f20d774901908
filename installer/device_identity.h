#pragma once
#include <satchel/error.h>

/* Who the device is, by its client certificate. */
typedef struct {
	char *uuid; /* common name; NULL: no certificate, or none in it */
	char *type; /* "prod" or "ci"; NULL: no certificate */
} SatchelDeviceIdentity;

/**
 * satchel_device_identity_read:
 * @path: a PEM file that need not be there
 * @identity: (out caller-allocates)
 *
 * A business category of `production` makes a production device, anything else another one, as in
 * aktualizr-lite.
 *
 * Errors: SATCHEL_ERROR_FAILED where the file is there and is no certificate: to go on without
 * would weaken the comparison of types.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_device_identity_read(const char *path, SatchelDeviceIdentity *identity,
				      GError **error);

void satchel_device_identity_clear(SatchelDeviceIdentity *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SatchelDeviceIdentity, satchel_device_identity_clear)
