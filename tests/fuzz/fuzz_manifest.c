/* A manifest: what is accepted must be what would be written, byte for byte. */
#include "../../verify/manifest.h"

int LLVMFuzzerTestOneInput(const guint8 *data, size_t n_bytes);

int
LLVMFuzzerTestOneInput(const guint8 *data, size_t n_bytes)
{
	g_autoptr(GBytes) input = g_bytes_new(data, n_bytes);
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelManifest) manifest = satchel_manifest_parse(input, &error);
	g_autoptr(GBytes) again = NULL;

	g_assert((manifest == NULL) == (error != NULL));
	if (manifest == NULL) {
		g_assert(error->code == SATCHEL_ERROR_BUNDLE_INVALID);
		return 0;
	}
	again = satchel_manifest_to_bytes(manifest);
	g_assert(g_bytes_equal(input, again));
	for (guint i = 0; i < satchel_manifest_get_n_members(manifest); i++) {
		SatchelManifestMember member = satchel_manifest_get_member(manifest, i);
		guint index = G_MAXUINT;

		g_assert(satchel_manifest_lookup(manifest, member.path, &index) && index == i);
	}
	return 0;
}
