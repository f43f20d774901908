#pragma once
#include "../verify/progress.h"
#include "packed_order.h"

/**
 * satchel_unpack_bundle:
 * @bundle: in any form, whose members @order has
 * @dir_fd: an empty folder
 * @path: what messages call that
 * @written: (nullable): gets the path of each file and its SHA-256 in hex
 * @progress: (nullable): advances by bytes of content, of which there are order->size_bytes
 *
 * Writes the directory form. Names come from the reader, which has checked them; each file must be
 * what the manifest says. Nothing is synced.
 *
 * Errors: SATCHEL_ERROR_NO_SPACE, before anything is written where that can be seen;
 * SATCHEL_ERROR_DOWNLOAD_FAILED where a member cannot be read or is not what the manifest says;
 * SATCHEL_ERROR_FAILED once a signal has come.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_unpack_bundle(SatchelBundleReader *bundle, const SatchelPackedOrder *order,
			       int dir_fd, const char *path, GHashTable *written,
			       SatchelProgress *progress, GError **error);
