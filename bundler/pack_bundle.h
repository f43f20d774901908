#pragma once
#include "packed_order.h"
#include "packed_output.h"

/**
 * satchel_pack_bundle:
 * @bundle, @order: what is packed
 * @output: begun and empty
 *
 * Writes, syncs and puts in its place, with progress. Errors: as satchel_write_packed() and
 * satchel_packed_output_commit().
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_pack_bundle(SatchelBundleReader *bundle, const SatchelPackedOrder *order,
			     SatchelPackedOutput *output, GError **error);

/* The same for a bundle that was written into satchel_packed_output_make_folder(). */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_pack_folder(SatchelPackedOutput *output, GError **error);

/* A note: "PATH: packed, 280.1 MB", and in how many parts. */
void satchel_pack_bundle_note(const char *path, const SatchelPackedOutput *output,
			      const char *done);
