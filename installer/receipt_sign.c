#include "receipt_sign.h"
#include "../verify/digest.h"
#include "../verify/json.h"
#include "../verify/path_safety.h"
#include "../verify/safe_read.h"
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BIO, BIO_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY, EVP_PKEY_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_MD_CTX, EVP_MD_CTX_free)

/* The schemes of TUF, by type of key; NULL: none of them. */
static const char *
get_scheme(EVP_PKEY *key)
{
	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_EC:
		return "ecdsa-sha2-nistp256";
	case EVP_PKEY_RSA:
		return "rsassa-pss-sha256";
	case EVP_PKEY_ED25519:
		return "ed25519";
	default:
		return NULL;
	}
}

static gboolean
begin(EVP_MD_CTX *context, EVP_PKEY *key)
{
	gboolean digests = EVP_PKEY_get_base_id(key) != EVP_PKEY_ED25519;
	EVP_PKEY_CTX *parameters = NULL;

	if (EVP_DigestSignInit(context, &parameters, digests ? EVP_sha256() : NULL, NULL, key) != 1)
		return FALSE;
	return EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA ||
	       (EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1 &&
		EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1);
}

/* In base64; NULL: it does not sign. (transfer full) */
static char *
sign(EVP_PKEY *key, GBytes *message)
{
	g_autoptr(EVP_MD_CTX) context = EVP_MD_CTX_new();
	g_autofree guint8 *signature = NULL;
	gsize n_message = 0;
	const guint8 *bytes = g_bytes_get_data(message, &n_message);
	size_t n = 0;

	if (!begin(context, key) || EVP_DigestSign(context, NULL, &n, bytes, n_message) != 1)
		return NULL;
	signature = g_malloc(n);
	if (EVP_DigestSign(context, signature, &n, bytes, n_message) != 1)
		return NULL;
	return g_base64_encode(signature, n);
}

static char *
get_keyid(EVP_PKEY *key)
{
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(key, &der);
	char *keyid = n > 0 ? satchel_digest_sha256_hex(der, (gsize)n) : NULL;

	OPENSSL_free(der);
	return keyid;
}

/* NULL without error: there is none. (transfer full) */
static EVP_PKEY *
read_key(const char *file, GError **error)
{
	g_autoptr(GError) local_error = NULL;
	g_autoptr(GBytes) pem =
		satchel_safe_read_named(file, SATCHEL_LIMIT_CONFIG_BYTES, &local_error);
	g_autoptr(BIO) bio = NULL;
	EVP_PKEY *key = NULL;

	if (g_error_matches(local_error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND))
		return NULL;
	if (pem != NULL) {
		bio = BIO_new_mem_buf(g_bytes_get_data(pem, NULL), (int)g_bytes_get_size(pem));
		/* The empty pass phrase, so that nobody is asked for one. */
		key = PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)(guintptr) "");
	}
	if (key == NULL || get_scheme(key) == NULL) {
		g_autofree char *quoted = satchel_path_quote(file);

		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED, "device key %s: %s", quoted,
			    pem == NULL ? local_error->message : "no private key that can sign");
		EVP_PKEY_free(key);
		return NULL;
	}
	return key;
}

json_t *
satchel_receipt_sign(json_t *receipt, const char *key_file, GError **error)
{
	g_autoptr(EVP_PKEY) key = read_key(key_file, error);
	g_autoptr(GBytes) message = NULL;
	g_autofree char *signature = NULL;
	g_autofree char *keyid = NULL;
	json_t *signatures = json_array();

	if (key != NULL)
		message = satchel_json_canonicalize(receipt, SATCHEL_DIALECT_TUF, error);
	if (message != NULL) {
		signature = sign(key, message);
		keyid = get_keyid(key);
	}
	if (signature != NULL)
		json_array_append_new(signatures,
				      json_pack("{s:s, s:s, s:s}", "keyid", keyid, "scheme",
						get_scheme(key), "sig", signature));
	else if (message != NULL)
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
			    "device key %s does not sign", key_file);
	return json_pack("{s:o, s:o}", "signed", receipt, "signatures", signatures);
}
