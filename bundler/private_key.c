#include "private_key.h"
#include "../verify/digest.h"
#include "../verify/hex.h"
#include "../verify/json.h"
#include "deterministic_signature.h"
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

#define RSA_BITS 4096
#define RSA_MIN_BITS 2048
#define RSA_MAX_BITS 8192

struct SatchelPrivateKey {
	EVP_PKEY *pkey;
	SatchelScheme scheme;
	char *fingerprint;
};

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BIO, BIO_free_all)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY, EVP_PKEY_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_MD_CTX, EVP_MD_CTX_free)

static gboolean
scheme_of(EVP_PKEY *pkey, SatchelScheme *scheme, GError **error)
{
	char group[64] = "";
	int bits = EVP_PKEY_get_bits(pkey);

	switch (EVP_PKEY_get_base_id(pkey)) {
	case EVP_PKEY_ED25519:
		*scheme = SATCHEL_SCHEME_ED25519;
		return TRUE;
	case EVP_PKEY_RSA:
		*scheme = SATCHEL_SCHEME_RSASSA_PSS_SHA256;
		if (bits >= RSA_MIN_BITS && bits <= RSA_MAX_BITS)
			return TRUE;
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
			    "an RSA key of %d bits; %d to %d are usable", bits, RSA_MIN_BITS,
			    RSA_MAX_BITS);
		return FALSE;
	case EVP_PKEY_EC:
		*scheme = SATCHEL_SCHEME_ECDSA_SHA2_NISTP256;
		if (EVP_PKEY_get_group_name(pkey, group, sizeof group, NULL) == 1 &&
		    strcmp(group, "prime256v1") == 0)
			return TRUE;
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
			    "an EC key on curve '%s'; only P-256 is usable", group);
		return FALSE;
	default:
		g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
				    "neither an ed25519, an RSA nor an EC key");
		return FALSE;
	}
}

static GBytes *
public_der(EVP_PKEY *pkey)
{
	unsigned char *der = NULL;
	int n_bytes = i2d_PUBKEY(pkey, &der);
	GBytes *bytes;

	/* Fails only for want of memory: the key was read or made by libcrypto itself. */
	if (n_bytes <= 0)
		g_error("libcrypto cannot encode a public key");
	bytes = g_bytes_new(der, (gsize)n_bytes);
	OPENSSL_free(der);
	return bytes;
}

static char *
sha256_of(GBytes *bytes)
{
	return satchel_digest_sha256_hex(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
}

static void
ed25519_public(EVP_PKEY *pkey, guint8 raw[32])
{
	size_t n_bytes = 32;

	if (EVP_PKEY_get_raw_public_key(pkey, raw, &n_bytes) != 1 || n_bytes != 32)
		g_error("libcrypto cannot encode an ed25519 public key");
}

/* Takes @pkey over. */
static SatchelPrivateKey *
private_key_new(EVP_PKEY *pkey, GError **error)
{
	g_autoptr(EVP_PKEY) owned = pkey;
	g_autoptr(GBytes) material = NULL;
	SatchelScheme scheme;
	SatchelPrivateKey *self;

	if (!scheme_of(owned, &scheme, error))
		return NULL;
	if (scheme == SATCHEL_SCHEME_ED25519) {
		guint8 raw[32];

		ed25519_public(owned, raw);
		material = g_bytes_new(raw, sizeof raw);
	} else {
		material = public_der(owned);
	}
	self = g_new0(SatchelPrivateKey, 1);
	self->pkey = g_steal_pointer(&owned);
	self->scheme = scheme;
	self->fingerprint = sha256_of(material);
	return self;
}

SatchelPrivateKey *
satchel_private_key_generate(SatchelScheme scheme, GError **error)
{
	EVP_PKEY *pkey = NULL;

	switch (scheme) {
	case SATCHEL_SCHEME_ED25519:
		pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
		break;
	case SATCHEL_SCHEME_RSASSA_PSS_SHA256:
		pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)RSA_BITS);
		break;
	case SATCHEL_SCHEME_ECDSA_SHA2_NISTP256:
		pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
		break;
	}
	if (pkey == NULL) {
		g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
				    "libcrypto cannot make a key");
		return NULL;
	}
	return private_key_new(pkey, error);
}

/* A build in CI has nobody to ask. */
static int
refuse_password(char *buffer, int size, int for_writing, void *user_data)
{
	return -1;
}

SatchelPrivateKey *
satchel_private_key_new_from_pem(gconstpointer pem, gsize n_bytes, GError **error)
{
	g_autoptr(BIO) bio = NULL;
	EVP_PKEY *pkey = NULL;

	if (n_bytes <= G_MAXINT)
		bio = BIO_new_mem_buf(pem, (int)n_bytes);
	if (bio != NULL)
		pkey = PEM_read_bio_PrivateKey(bio, NULL, refuse_password, NULL);
	if (pkey == NULL) {
		g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
				    "no private key in PEM form, or an encrypted one");
		return NULL;
	}
	return private_key_new(pkey, error);
}

SatchelPrivateKey *
satchel_private_key_new_from_seed(const guint8 *seed, GError **error)
{
	EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed,
						      SATCHEL_PRIVATE_KEY_SEED_BYTES);

	if (pkey == NULL) {
		g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
				    "libcrypto refuses an ed25519 seed");
		return NULL;
	}
	return private_key_new(pkey, error);
}

static void
free_bio(gpointer bio)
{
	BIO_free_all(bio); /* of secure memory: wiped */
}

GBytes *
satchel_private_key_to_pem(const SatchelPrivateKey *self, GError **error)
{
	g_autoptr(BIO) bio = BIO_new(BIO_s_secmem());
	char *data = NULL;
	long n_bytes = 0;

	if (bio != NULL &&
	    PEM_write_bio_PKCS8PrivateKey(bio, self->pkey, NULL, NULL, 0, NULL, NULL) == 1)
		n_bytes = BIO_get_mem_data(bio, &data);
	if (n_bytes <= 0) {
		g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
				    "libcrypto cannot write a private key");
		return NULL;
	}
	return g_bytes_new_with_free_func(data, (gsize)n_bytes, free_bio, g_steal_pointer(&bio));
}

SatchelScheme
satchel_private_key_get_scheme(const SatchelPrivateKey *self)
{
	return self->scheme;
}

const char *
satchel_private_key_get_fingerprint(const SatchelPrivateKey *self)
{
	return self->fingerprint;
}

static char *
public_text(const SatchelPrivateKey *self)
{
	g_autoptr(BIO) bio = NULL;
	char *data = NULL;
	long n_bytes;

	if (self->scheme == SATCHEL_SCHEME_ED25519) {
		guint8 raw[32];

		ed25519_public(self->pkey, raw);
		return satchel_hex_encode(raw, sizeof raw);
	}
	bio = BIO_new(BIO_s_mem());
	if (bio == NULL || PEM_write_bio_PUBKEY(bio, self->pkey) != 1)
		g_error("libcrypto cannot encode a public key");
	n_bytes = BIO_get_mem_data(bio, &data);
	return g_strndup(data, (gsize)n_bytes);
}

json_t *
satchel_private_key_to_public_json(const SatchelPrivateKey *self, SatchelDialect dialect)
{
	static const struct {
		const char *uptane;
		const char *keytype;
		const char *scheme;
	} names[] = {
		[SATCHEL_SCHEME_ED25519] = {"ED25519", "ed25519", "ed25519"},
		[SATCHEL_SCHEME_RSASSA_PSS_SHA256] = {"RSA", "rsa", "rsassa-pss-sha256"},
		[SATCHEL_SCHEME_ECDSA_SHA2_NISTP256] = {"ECDSA", "ecdsa", "ecdsa-sha2-nistp256"},
	};
	g_autofree char *public = public_text(self);

	if (dialect == SATCHEL_DIALECT_UPTANE)
		return json_pack("{s:s, s:{s:s}}", "keytype", names[self->scheme].uptane, "keyval",
				 "public", public);
	return json_pack("{s:s, s:s, s:{s:s}}", "keytype", names[self->scheme].keytype, "scheme",
			 names[self->scheme].scheme, "keyval", "public", public);
}

char *
satchel_private_key_keyid(const SatchelPrivateKey *self, SatchelDialect dialect)
{
	g_autoptr(GBytes) bytes = NULL;

	if (dialect == SATCHEL_DIALECT_UPTANE) {
		bytes = public_der(self->pkey);
	} else {
		g_autoptr(SatchelJson) key = satchel_private_key_to_public_json(self, dialect);

		bytes = satchel_json_canonicalize(key, dialect, NULL);
		g_assert(bytes != NULL); /* strings of ours: nothing to refuse */
	}
	return sha256_of(bytes);
}

static GBytes *
sign_ed25519(EVP_PKEY *pkey, GBytes *message, GError **error)
{
	g_autoptr(EVP_MD_CTX) context = EVP_MD_CTX_new();
	guint8 signature[64];
	size_t n_bytes = sizeof signature;

	if (context == NULL || EVP_DigestSignInit(context, NULL, NULL, NULL, pkey) != 1 ||
	    EVP_DigestSign(context, signature, &n_bytes, g_bytes_get_data(message, NULL),
			   g_bytes_get_size(message)) != 1 ||
	    n_bytes != sizeof signature) {
		g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
				    "libcrypto cannot make an ed25519 signature");
		return NULL;
	}
	return g_bytes_new(signature, sizeof signature);
}

GBytes *
satchel_private_key_sign(const SatchelPrivateKey *self, GBytes *message, GError **error)
{
	switch (self->scheme) {
	case SATCHEL_SCHEME_RSASSA_PSS_SHA256:
		return satchel_deterministic_signature_pss(self->pkey, message, error);
	case SATCHEL_SCHEME_ECDSA_SHA2_NISTP256:
		return satchel_deterministic_signature_ecdsa(self->pkey, message, error);
	case SATCHEL_SCHEME_ED25519:
		break;
	}
	return sign_ed25519(self->pkey, message, error);
}

void
satchel_private_key_free(SatchelPrivateKey *self)
{
	EVP_PKEY_free(self->pkey);
	g_free(self->fingerprint);
	g_free(self);
}
