/* Any bytes as a key object, as the text of a key, and as the DER inside a PEM. */
#include "../../verify/hex.h"
#include "../../verify/key_private.h"
#include <openssl/err.h>
#include <satchel/signature.h>

int LLVMFuzzerTestOneInput(const guint8 *data, size_t n_bytes);

static void
assert_sound(const SatchelKey *key, const GError *error)
{
	static const guint8 zeros[64];
	g_autoptr(GBytes) message = g_bytes_new_static("message", 7);
	g_autoptr(GBytes) signature = g_bytes_new_static(zeros, sizeof zeros);

	g_assert((key == NULL) == (error != NULL));
	g_assert(ERR_peek_error() == 0);
	if (key == NULL) {
		g_assert(strchr(error->message, '\n') == NULL);
		return;
	}
	g_assert(satchel_hex_is_sha256(satchel_key_get_fingerprint(key)));
	g_assert((satchel_key_get_ed25519(key) == NULL) != (satchel_key_get_pkey(key) == NULL));
	g_assert(!satchel_signature_verify(key, message, signature));
}

static void
try_object(GBytes *bytes, SatchelDialect dialect)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelKey) key = satchel_key_new_from_json(bytes, dialect, &error);

	assert_sound(key, error);
}

static void
try_public(const char *keytype, const char *scheme, const char *public)
{
	g_autoptr(SatchelJson) tree = json_pack("{s:s, s:s, s:{s:s}}", "keytype", keytype, "scheme",
						scheme, "keyval", "public", public);
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelKey) key = NULL;

	if (tree == NULL)
		return;
	key = satchel_key_new_from_tree(tree, SATCHEL_DIALECT_TUF, &error);
	assert_sound(key, error);
}

int
LLVMFuzzerTestOneInput(const guint8 *data, size_t n_bytes)
{
	g_autoptr(GBytes) bytes = g_bytes_new(data, n_bytes);
	g_autofree char *text = g_strndup((const char *)data, n_bytes);
	g_autofree char *base64 = g_base64_encode(data, n_bytes);
	g_autofree char *pem = g_strdup_printf(
		"-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n", base64);

	try_object(bytes, SATCHEL_DIALECT_TUF);
	try_object(bytes, SATCHEL_DIALECT_UPTANE);
	try_public("ed25519", "ed25519", text);
	try_public("rsa", "rsassa-pss-sha256", text);
	try_public("rsa", "rsassa-pss-sha256", pem);
	try_public("ecdsa", "ecdsa-sha2-nistp256", pem);
	return 0;
}
