/* A document as bundle-targets.json: as it is, and signed by the fuzzer's key. */
#include "resign.h"
#include <satchel/bundle_meta.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const guint8 *data, size_t n_bytes);

static SatchelRoot *own_roots[2];

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	resign_init();
	for (int dialect = 0; dialect < 2; dialect++) {
		g_autoptr(GBytes) bytes = resign_root((SatchelDialect)dialect);

		own_roots[dialect] = satchel_root_new_trusted(bytes, NULL);
		g_assert(own_roots[dialect] != NULL);
	}
	return 0;
}

static void
offer(GBytes *document, const SatchelRoot *root)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelBundleMeta) meta = satchel_bundle_meta_verify(root, document, &error);
	g_autoptr(SatchelBundleMetaView) view = satchel_bundle_meta_view_new(root, document, NULL);

	if (meta == NULL) {
		g_assert(g_error_matches(error, SATCHEL_ERROR, SATCHEL_ERROR_BUNDLE_INVALID));
		g_assert(strchr(error->message, '\n') == NULL);
		return;
	}
	/* What verifies can be shown, and says the same. */
	g_assert(view != NULL);
	g_assert_cmpstr(satchel_bundle_meta_get_tag(meta), ==,
			satchel_bundle_meta_view_get_tag(view));
	g_assert(satchel_bundle_meta_check_type(meta, "ci", NULL) !=
		 satchel_bundle_meta_check_type(meta, "prod", NULL));
	g_assert(satchel_bundle_meta_get_issued_s(meta) < satchel_bundle_meta_get_expires_s(meta));
}

int
LLVMFuzzerTestOneInput(const guint8 *data, size_t n_bytes)
{
	g_autoptr(GBytes) input = g_bytes_new(data, n_bytes);
	g_autoptr(SatchelJson) own = resign_take_signed(input);

	for (int dialect = 0; dialect < 2; dialect++) {
		g_autoptr(GBytes) document = NULL;

		offer(input, own_roots[dialect]);
		if (own != NULL)
			document = resign_tree(own, (SatchelDialect)dialect);
		if (document != NULL)
			offer(document, own_roots[dialect]);
	}
	return 0;
}
