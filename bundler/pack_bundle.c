#include "pack_bundle.h"
#include "../verify/cli.h"
#include "../verify/cli_progress.h"
#include "write_packed.h"

gboolean
satchel_pack_bundle(SatchelBundleReader *bundle, const SatchelPackedOrder *order,
		    SatchelPackedOutput *output, GError **error)
{
	g_autoptr(SatchelProgress) progress =
		satchel_progress_begin(satchel_cli_progress(), "packing", order->size_bytes);

	return satchel_write_packed(bundle, order, output, progress, error) &&
	       satchel_packed_output_finish(output, NULL, error) &&
	       satchel_packed_output_commit(output, error);
}

gboolean
satchel_pack_folder(SatchelPackedOutput *output, GError **error)
{
	g_autofree char *path = satchel_packed_output_get_folder(output);
	g_autoptr(SatchelBundleReader) bundle = satchel_bundle_reader_open(path, error);
	g_autoptr(SatchelPackedOrder) order =
		bundle != NULL ? satchel_packed_order_new(bundle, error) : NULL;

	return order != NULL && satchel_pack_bundle(bundle, order, output, error);
}

void
satchel_pack_bundle_note(const char *path, const SatchelPackedOutput *output, const char *done)
{
	guint n_parts = satchel_packed_output_get_n_parts(output);
	g_autofree char *size =
		satchel_progress_format_bytes(satchel_packed_output_get_size_bytes(output));

	if (n_parts == 1)
		satchel_cli_note("%s: %s, %s", path, done, size);
	else
		satchel_cli_note("%s.000 to .%03u: %s, %s in %u parts: keep them together", path,
				 n_parts - 1, done, size, n_parts);
}
