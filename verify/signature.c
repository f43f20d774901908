#include "key_private.h"
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <satchel/signature.h>
#include <sodium.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_MD_CTX, EVP_MD_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ECDSA_SIG, ECDSA_SIG_free)

static gboolean
verify_ed25519(const SatchelKey *key, GBytes *message, GBytes *signature)
{
	gsize n_bytes = 0;
	const void *data = g_bytes_get_data(message, &n_bytes);

	if (g_bytes_get_size(signature) != crypto_sign_BYTES)
		return FALSE;
	return crypto_sign_verify_detached(g_bytes_get_data(signature, NULL), data, n_bytes,
					   satchel_key_get_ed25519(key)) == 0;
}

/* Two numbers in DER have one form. libcrypto asks for it too, by a comparison like this one; what
 * counts is not left to it. */
static gboolean
is_strict_der(GBytes *signature)
{
	g_autoptr(ECDSA_SIG) parsed = NULL;
	gsize n_bytes = 0;
	const unsigned char *data = g_bytes_get_data(signature, &n_bytes);
	const unsigned char *at = data;
	unsigned char *again = NULL;
	int n_again;
	gboolean same;

	parsed = d2i_ECDSA_SIG(NULL, &at, (long)n_bytes);
	if (parsed == NULL || at != data + n_bytes)
		return FALSE;
	n_again = i2d_ECDSA_SIG(parsed, &again);
	same = n_again > 0 && (gsize)n_again == n_bytes && memcmp(again, data, n_bytes) == 0;
	OPENSSL_free(again);
	return same;
}

/* Any salt length is good; MGF1 must use SHA-256. */
static gboolean
set_pss(EVP_PKEY_CTX *context)
{
	return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_AUTO) == 1 &&
	       EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha256()) == 1;
}

static gboolean
verify_sha256(const SatchelKey *key, GBytes *message, GBytes *signature)
{
	g_autoptr(EVP_MD_CTX) context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *key_context = NULL; /* belongs to context */
	gsize n_message = 0;
	gsize n_signature = 0;
	const unsigned char *message_data = g_bytes_get_data(message, &n_message);
	const unsigned char *signature_data = g_bytes_get_data(signature, &n_signature);

	if (context == NULL || EVP_DigestVerifyInit(context, &key_context, EVP_sha256(), NULL,
						    satchel_key_get_pkey(key)) != 1)
		return FALSE;
	if (satchel_key_get_scheme(key) == SATCHEL_SCHEME_RSASSA_PSS_SHA256 &&
	    !set_pss(key_context))
		return FALSE;
	return EVP_DigestVerify(context, signature_data, n_signature, message_data, n_message) == 1;
}

static gboolean
verify_by_libcrypto(const SatchelKey *key, GBytes *message, GBytes *signature)
{
	gsize n_bytes = g_bytes_get_size(signature);

	if (satchel_key_get_scheme(key) == SATCHEL_SCHEME_ECDSA_SHA2_NISTP256)
		return is_strict_der(signature) && verify_sha256(key, message, signature);
	/* Exactly as long as the modulus: libcrypto would take one without its leading zeros. */
	return n_bytes == (gsize)EVP_PKEY_get_size(satchel_key_get_pkey(key)) &&
	       verify_sha256(key, message, signature);
}

gboolean
satchel_signature_verify(const SatchelKey *key, GBytes *message, GBytes *signature)
{
	gboolean good;

	g_return_val_if_fail(key != NULL && message != NULL && signature != NULL, FALSE);

	if (satchel_key_get_scheme(key) == SATCHEL_SCHEME_ED25519)
		return verify_ed25519(key, message, signature);
	ERR_set_mark();
	good = verify_by_libcrypto(key, message, signature);
	ERR_pop_to_mark();
	return good;
}
