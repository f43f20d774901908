#pragma once
#include "device_parts.h"
#include "receipt.h"

/* Receipts of this device: kept on it, signed by it, and written onto the stick that they are of.
 */

/* Fills in who the device is; what else is in @receipt stays. Borrowed from @device. */
void satchel_media_receipt_take_device(SatchelReceipt *receipt, const SatchelDevice *device);
/* What runs, or what an installation waits to run after the reboot. Borrowed from @device. */
SatchelReceiptTarget satchel_media_receipt_running(const SatchelDevice *device);
SatchelReceiptTarget satchel_media_receipt_coming(const SatchelDevice *device);

/**
 * satchel_media_receipt_keep:
 *
 * @name: (out) (transfer full) (nullable): under which it is kept
 *
 * Signs it, where the device has a key, and keeps it on the device. A key that cannot be used is a
 * remark.
 *
 * Errors: SATCHEL_ERROR_NO_SPACE, SATCHEL_ERROR_FAILED.
 *
 * Returns: (transfer full): the document, also with @error
 */
json_t *satchel_media_receipt_keep(SatchelDevice *device, const SatchelReceipt *receipt,
				   char **name, GError **error);

/* Writes @document onto a stick, under @name (nullable) or, where that is taken, another one; and
 * what came of earlier work with that stick after a reboot. Errors: as above. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_media_receipt_deliver(const SatchelDevice *device, int stick_fd, const char *name,
				       const json_t *document, const char *medium, GError **error);

/* By what the stick is known from which the pending installation came; NULL: unknown. (transfer
 * full) */
char *satchel_media_receipt_find_medium(const SatchelDevice *device, const char *commit);

/* All that are kept, oldest first: an array of documents. Damaged ones are left out. (transfer
 * full)
 */
json_t *satchel_media_receipt_list(const SatchelDevice *device);
