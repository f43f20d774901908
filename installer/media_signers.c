#include "media_signers.h"
#include "../verify/digest.h"
#include <satchel/bundle_layout.h>

/* The newest root, by which the bundle was judged. (transfer full) */
static SatchelRoot *
load_root(SatchelDevice *device, GError **error)
{
	g_autoptr(SatchelTrustStore) store = satchel_device_open_store(device, NULL, error);
	g_autoptr(GBytes) document = NULL;

	if (store == NULL)
		return NULL;
	document = satchel_trust_store_load(store, "root", SATCHEL_LIMIT_ROOT_BYTES, error);
	return document != NULL ? satchel_root_new_trusted(document, error) : NULL;
}

/* The very bytes that were judged; the stick may give others by now. (transfer full) */
static GBytes *
read_meta(const SatchelOffer *offer, GError **error)
{
	g_autoptr(GBytes) document = satchel_bundle_reader_read(
		offer->bundle, SATCHEL_BUNDLE_META, SATCHEL_LIMIT_BUNDLE_META_BYTES, error);
	g_autofree char *found = NULL;

	if (document == NULL)
		return NULL;
	found = satchel_digest_sha256_hex(g_bytes_get_data(document, NULL),
					  g_bytes_get_size(document));
	if (g_strcmp0(found, offer->bundle_sha256) == 0)
		return g_steal_pointer(&document);
	g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_BUNDLE_INVALID,
			    SATCHEL_BUNDLE_META " has changed since it was judged");
	return NULL;
}

static gboolean
has_any(const char *const *keyids, const char *const *wanted)
{
	for (guint i = 0; keyids[i] != NULL; i++) {
		if (g_strv_contains(wanted, keyids[i]))
			return TRUE;
	}
	return FALSE;
}

gboolean
satchel_media_signers_check(SatchelDevice *device, const SatchelOffer *offer, GError **error)
{
	const char *const *wanted = (const char *const *)device->settings->media->signers;
	g_autoptr(SatchelRoot) root = NULL;
	g_autoptr(GBytes) document = NULL;
	g_autoptr(SatchelBundleMetaView) view = NULL;

	if (wanted == NULL || *wanted == NULL)
		return TRUE;
	root = load_root(device, error);
	document = root != NULL ? read_meta(offer, error) : NULL;
	view = document != NULL ? satchel_bundle_meta_view_new(root, document, error) : NULL;
	if (view == NULL)
		return FALSE;
	if (has_any(satchel_bundle_meta_view_get_signed_keyids(view), wanted))
		return TRUE;
	g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_BUNDLE_INVALID,
			    SATCHEL_BUNDLE_META " is signed by none of media.signers");
	return FALSE;
}
