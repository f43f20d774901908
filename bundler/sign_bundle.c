#include "sign_bundle.h"
#include "../verify/json.h"
#include "../verify/root_keys.h"
#include "../verify/safe_read.h"
#include "key_archive.h"
#include "role_author.h"
#include <openssl/crypto.h>
#include <satchel/bundle_meta.h>
#include <string.h>

#define KEY_FILE_MAX_BYTES (1024u * 1024u)

/* ---- keys ---- */

static void
signer_free(gpointer data)
{
	SatchelBundleSigner *signer = data;

	satchel_private_key_free(signer->key);
	g_free(signer->keyid);
	g_free(signer);
}

static GPtrArray *
parse_keys(const guint8 *data, gsize n_bytes, GError **error)
{
	g_autoptr(GPtrArray) keys = NULL;
	SatchelPrivateKey *key;

	if (n_bytes >= 2 && data[0] == 0x1f && data[1] == 0x8b) /* gzip */
		return satchel_key_archive_read(data, n_bytes, error);
	key = satchel_private_key_new_from_pem(data, n_bytes, error);
	if (key == NULL)
		return NULL;
	keys = g_ptr_array_new_with_free_func((GDestroyNotify)satchel_private_key_free);
	g_ptr_array_add(keys, key);
	return g_steal_pointer(&keys);
}

static GPtrArray *
read_keys(const char *path, GError **error)
{
	GBytes *file = satchel_safe_read_named(path, KEY_FILE_MAX_BYTES, error);
	GPtrArray *keys;
	gsize n_bytes = 0;
	gpointer data;

	if (file == NULL)
		return NULL;
	data = g_bytes_unref_to_data(file, &n_bytes);
	keys = parse_keys(data, n_bytes, error);
	OPENSSL_cleanse(data, n_bytes);
	g_free(data);
	if (keys == NULL)
		g_prefix_error(error, "%s: ", path);
	return keys;
}

/* The keyid under which the targets role lists this key, or NULL. */
static const char *
find_keyid(const SatchelRoleKeys *role, const SatchelPrivateKey *key)
{
	const char *const *keyid = satchel_role_keys_get_keyids(role);

	for (; *keyid != NULL; keyid++) {
		SatchelKey *listed = satchel_role_keys_lookup(role, *keyid);

		if (listed != NULL && strcmp(satchel_key_get_fingerprint(listed),
					     satchel_private_key_get_fingerprint(key)) == 0)
			return *keyid;
	}
	return NULL;
}

static gboolean
refuse_key(GError **error, const SatchelRoot *root, const char *path, const char *reason)
{
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
		    "%s: %s of the targets role (root %" G_GINT64_FORMAT ")", path, reason,
		    satchel_root_get_version(root));
	return FALSE;
}

static gboolean
add_signer(const SatchelRoot *root, const char *path, GPtrArray *signers, GError **error)
{
	const SatchelRoleKeys *role = satchel_root_get_role_keys(root, "targets");
	g_autoptr(GPtrArray) keys = read_keys(path, error);
	SatchelBundleSigner *signer;
	const char *keyid = NULL;
	guint chosen = 0;

	if (keys == NULL)
		return FALSE;
	for (guint i = 0; i < keys->len; i++) {
		const char *found = find_keyid(role, g_ptr_array_index(keys, i));

		if (found == NULL)
			continue;
		if (keyid != NULL)
			return refuse_key(error, root, path, "holds several keys");
		keyid = found;
		chosen = i;
	}
	if (keyid == NULL)
		return refuse_key(error, root, path, "holds no key");
	for (guint i = 0; i < signers->len; i++) {
		signer = g_ptr_array_index(signers, i);
		if (strcmp(signer->keyid, keyid) == 0)
			return refuse_key(error, root, path, "was given twice: it is one key");
	}
	signer = g_new0(SatchelBundleSigner, 1);
	signer->key = g_ptr_array_steal_index(keys, chosen);
	signer->keyid = g_strdup(keyid);
	g_ptr_array_add(signers, signer);
	return TRUE;
}

GPtrArray *
satchel_sign_bundle_load_signers(const SatchelRoot *root, char **paths, GError **error)
{
	g_autoptr(GPtrArray) signers = g_ptr_array_new_with_free_func(signer_free);

	for (; paths != NULL && *paths != NULL; paths++)
		if (!add_signer(root, *paths, signers, error))
			return NULL;
	return g_steal_pointer(&signers);
}

/* ---- signatures ---- */

static gboolean
check_not_signed(const SatchelRoot *root, GBytes *document, GPtrArray *signers, GError **error)
{
	g_autoptr(SatchelBundleMetaView) view = satchel_bundle_meta_view_new(root, document, error);

	if (view == NULL)
		return FALSE;
	for (guint i = 0; i < signers->len; i++) {
		const SatchelBundleSigner *signer = g_ptr_array_index(signers, i);

		if (!g_strv_contains(satchel_bundle_meta_view_get_signed_keyids(view),
				     signer->keyid))
			continue;
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
			    "key %s has signed this bundle already; a threshold counts keys, not "
			    "signatures",
			    signer->keyid);
		return FALSE;
	}
	return TRUE;
}

static void
drop_signatures_of(json_t *signatures, const char *keyid)
{
	for (size_t i = json_array_size(signatures); i > 0; i--) {
		json_t *signature = json_array_get(signatures, i - 1);

		if (g_strcmp0(json_string_value(json_object_get(signature, "keyid")), keyid) == 0)
			json_array_remove(signatures, i - 1);
	}
}

/* Changes @tree, a whole document. */
static gboolean
append_signatures(json_t *tree, GPtrArray *signers, SatchelDialect dialect, GError **error)
{
	json_t *signed_ = satchel_json_get_object(tree, "signed", error);
	json_t *signatures =
		signed_ != NULL ? satchel_json_get_array(tree, "signatures", error) : NULL;
	g_autoptr(GBytes) message = NULL;

	if (signatures == NULL ||
	    !satchel_role_author_check_ascii(signed_, "bundle-targets", error))
		return FALSE;
	message = satchel_json_canonicalize(signed_, dialect, error);
	if (message == NULL)
		return FALSE;
	for (guint i = 0; i < signers->len; i++) {
		const SatchelBundleSigner *signer = g_ptr_array_index(signers, i);
		json_t *signature = satchel_role_author_signature(signer->key, signer->keyid,
								  message, dialect, error);

		if (signature == NULL)
			return FALSE;
		drop_signatures_of(signatures, signer->keyid);
		json_array_append_new(signatures, signature);
	}
	return TRUE;
}

GBytes *
satchel_sign_bundle_seal(const SatchelRoot *root, json_t *signed_, GPtrArray *signers,
			 GError **error)
{
	g_autoptr(SatchelJson) tree = json_pack("{s:[], s:O}", "signatures", "signed", signed_);

	if (!append_signatures(tree, signers, satchel_root_get_dialect(root), error))
		return NULL;
	return satchel_role_author_file(tree, error);
}

GBytes *
satchel_sign_bundle_add(const SatchelRoot *root, GBytes *document, GPtrArray *signers,
			GError **error)
{
	g_autoptr(SatchelJson) tree = NULL;

	if (!check_not_signed(root, document, signers, error))
		return NULL;
	tree = satchel_json_parse(document, error);
	if (tree == NULL ||
	    !append_signatures(tree, signers, satchel_root_get_dialect(root), error))
		return NULL;
	return satchel_role_author_file(tree, error);
}

gboolean
satchel_sign_bundle_count_missing(const SatchelRoot *root, GBytes *document, guint *n_missing,
				  GError **error)
{
	g_autoptr(SatchelBundleMetaView) view = satchel_bundle_meta_view_new(root, document, error);
	guint threshold;
	guint n_signed;

	if (view == NULL)
		return FALSE;
	threshold = satchel_bundle_meta_view_get_threshold(view);
	n_signed = g_strv_length((GStrv)(guintptr)satchel_bundle_meta_view_get_signed_keyids(view));
	*n_missing = threshold > n_signed ? threshold - n_signed : 0;
	return TRUE;
}
