#pragma once
#include "../verify/progress.h"
#include "packed_order.h"
#include "packed_output.h"

/**
 * satchel_write_packed:
 * @bundle: whose members @order has; borrowed
 * @progress: (nullable): advances by bytes of content, of which there are order->size_bytes
 *
 * Writes the tar: ustar headers, pax headers only where ustar cannot hold a name or a size, one
 * time, owner and mode for all members. What is written is what the manifest says: each member is
 * hashed on its way. The caller finishes and commits @output.
 *
 * Errors: SATCHEL_ERROR_DOWNLOAD_FAILED where a member cannot be read or has another content than
 * the manifest says; those of satchel_packed_output_append(); SATCHEL_ERROR_FAILED for a name that
 * is not UTF-8, which tar cannot hold, and once a signal has come.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_write_packed(SatchelBundleReader *bundle, const SatchelPackedOrder *order,
			      SatchelPackedOutput *output, SatchelProgress *progress,
			      GError **error);
