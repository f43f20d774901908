#include "digest.h"
#include "hex.h"
#include "key_private.h"
#include "path_safety.h"
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sodium.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY, EVP_PKEY_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY_CTX, EVP_PKEY_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BIO, BIO_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BIGNUM, BN_free)

#define RSA_MIN_BITS 2048
#define RSA_MAX_BITS 16384

#define PEM_HEAD "-----BEGIN PUBLIC KEY-----"

struct SatchelKey {
	gatomicrefcount refs;
	SatchelScheme scheme;
	guint8 ed25519[crypto_sign_PUBLICKEYBYTES];
	EVP_PKEY *pkey;
	char *fingerprint;
};

typedef struct {
	const char *keytype;
	const char *scheme_name; /* NULL: the dialect has none */
	SatchelScheme scheme;
} KeySpelling;

static const KeySpelling tuf_spellings[] = {
	{"ed25519", "ed25519", SATCHEL_SCHEME_ED25519},
	{"rsa", "rsassa-pss-sha256", SATCHEL_SCHEME_RSASSA_PSS_SHA256},
	{"ecdsa", "ecdsa-sha2-nistp256", SATCHEL_SCHEME_ECDSA_SHA2_NISTP256},
	/* What python-tuf wrote before 1.0, and what still stands in roots in the field. */
	{"ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", SATCHEL_SCHEME_ECDSA_SHA2_NISTP256},
};

static const KeySpelling uptane_spellings[] = {
	{"ed25519", NULL, SATCHEL_SCHEME_ED25519},
	{"rsa", NULL, SATCHEL_SCHEME_RSASSA_PSS_SHA256},
};

/* Always FALSE. */
static gboolean
key_unusable(GError **error, const char *reason)
{
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID, "unusable key: %s",
		    reason);
	return FALSE;
}

static gboolean
spelling_not_known(GError **error, const char *keytype, const char *scheme)
{
	g_autofree char *quoted_keytype = satchel_path_quote(keytype);
	g_autofree char *quoted_scheme = satchel_path_quote(scheme);

	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
		    "unusable key: keytype '%s' with scheme '%s' is not known", quoted_keytype,
		    quoted_scheme);
	return FALSE;
}

static gboolean
read_tuf_scheme(const json_t *tree, SatchelScheme *scheme, GError **error)
{
	const char *keytype = satchel_json_get_string(tree, "keytype", error);
	const char *name;

	if (keytype == NULL)
		return FALSE;
	name = satchel_json_get_string(tree, "scheme", error);
	if (name == NULL)
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(tuf_spellings); i++) {
		if (g_str_equal(keytype, tuf_spellings[i].keytype) &&
		    g_str_equal(name, tuf_spellings[i].scheme_name)) {
			*scheme = tuf_spellings[i].scheme;
			return TRUE;
		}
	}
	return spelling_not_known(error, keytype, name);
}

/* aktualizr looks at no scheme, and compares keytypes without regard to case. */
static gboolean
read_uptane_scheme(const json_t *tree, SatchelScheme *scheme, GError **error)
{
	const char *keytype = satchel_json_get_string(tree, "keytype", error);

	if (keytype == NULL)
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(uptane_spellings); i++) {
		if (g_ascii_strcasecmp(keytype, uptane_spellings[i].keytype) == 0) {
			*scheme = uptane_spellings[i].scheme;
			return TRUE;
		}
	}
	return spelling_not_known(error, keytype, "");
}

static gboolean
read_ed25519(SatchelKey *self, const char *public, GError **error)
{
	g_autoptr(GBytes) raw = satchel_hex_decode(public);

	if (raw == NULL || g_bytes_get_size(raw) != sizeof self->ed25519)
		return key_unusable(error, "an ed25519 key is 64 hex digits");
	memcpy(self->ed25519, g_bytes_get_data(raw, NULL), sizeof self->ed25519);
	/* For a point of small order anybody can make signatures. */
	if (crypto_core_ed25519_is_valid_point(self->ed25519) != 1)
		return key_unusable(error, "no valid ed25519 point");
	self->fingerprint = satchel_digest_sha256_hex(self->ed25519, sizeof self->ed25519);
	return TRUE;
}

/* The DER inside a PEM that holds one public key and nothing else but white space, or NULL. */
static GBytes *
pem_to_der(const char *pem)
{
	const char *start = pem + strspn(pem, " \t\r\n");
	g_autoptr(BIO) bio = NULL;
	g_autoptr(GBytes) der = NULL;
	char *name = NULL;
	char *header = NULL;
	char *rest = NULL;
	unsigned char *data = NULL;
	long n_bytes = 0;
	long n_rest;

	if (!g_str_has_prefix(start, PEM_HEAD))
		return NULL;
	bio = BIO_new_mem_buf(start, -1);
	if (bio == NULL || PEM_read_bio(bio, &name, &header, &data, &n_bytes) != 1)
		return NULL;
	if (n_bytes > 0 && header[0] == '\0')
		der = g_bytes_new(data, (gsize)n_bytes);
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(data);
	n_rest = BIO_get_mem_data(bio, &rest);
	for (long i = 0; i < n_rest; i++) {
		if (!g_ascii_isspace(rest[i]))
			return NULL;
	}
	return g_steal_pointer(&der);
}

static EVP_PKEY *
read_pkey(const char *pem)
{
	g_autoptr(GBytes) der = pem_to_der(pem);
	g_autoptr(EVP_PKEY) pkey = NULL;
	const unsigned char *at;
	gsize n_bytes = 0;

	if (der == NULL)
		return NULL;
	at = g_bytes_get_data(der, &n_bytes);
	pkey = d2i_PUBKEY(NULL, &at, (long)n_bytes);
	if (pkey == NULL || at != (const unsigned char *)g_bytes_get_data(der, NULL) + n_bytes)
		return NULL;
	return g_steal_pointer(&pkey);
}

/* With an exponent of 1 the message is its own signature; an even one is no RSA key. */
static gboolean
has_sound_exponent(EVP_PKEY *pkey)
{
	BIGNUM *raw = NULL;
	g_autoptr(BIGNUM) exponent = NULL;
	gboolean got = EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &raw) == 1;

	exponent = raw;
	return got && BN_is_odd(exponent) && !BN_is_one(exponent) && !BN_is_negative(exponent);
}

static gboolean
check_rsa(EVP_PKEY *pkey, GError **error)
{
	int bits = EVP_PKEY_get_bits(pkey);

	if (!EVP_PKEY_is_a(pkey, "RSA"))
		return key_unusable(error, "the PEM holds no RSA key");
	if (bits < RSA_MIN_BITS || bits > RSA_MAX_BITS) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
			    "unusable key: RSA of %d bits, not from %d to %d", bits, RSA_MIN_BITS,
			    RSA_MAX_BITS);
		return FALSE;
	}
	if (!has_sound_exponent(pkey))
		return key_unusable(error, "no sound RSA exponent");
	return TRUE;
}

/* libcrypto reads the point at infinity as a key, and anybody can sign for that one. */
static gboolean
has_sound_point(EVP_PKEY *pkey)
{
	g_autoptr(EVP_PKEY_CTX) context = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);

	return context != NULL && EVP_PKEY_public_check(context) == 1;
}

static gboolean
check_ecdsa(EVP_PKEY *pkey, GError **error)
{
	char group[64] = "";
	int explicit_curve = 1;

	if (!EVP_PKEY_is_a(pkey, "EC"))
		return key_unusable(error, "the PEM holds no elliptic curve key");
	if (EVP_PKEY_get_group_name(pkey, group, sizeof group, NULL) != 1 ||
	    !g_str_equal(group, "prime256v1"))
		return key_unusable(error, "the curve is not P-256");
	if (EVP_PKEY_get_int_param(pkey, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
				   &explicit_curve) != 1 ||
	    explicit_curve != 0)
		return key_unusable(error, "the curve is spelled out instead of named");
	if (!has_sound_point(pkey))
		return key_unusable(error, "no sound point of the curve");
	/* One point has one fingerprint, however the PEM wrote it. */
	if (EVP_PKEY_set_utf8_string_param(pkey, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
					   "uncompressed") != 1)
		return key_unusable(error, "the point cannot be written");
	return TRUE;
}

/* Of the key written anew, not of the bytes that came: those may have more than one form. */
static gboolean
take_pkey_fingerprint(SatchelKey *self, GError **error)
{
	unsigned char *der = NULL;
	int n_bytes = i2d_PUBKEY(self->pkey, &der);

	if (n_bytes <= 0)
		return key_unusable(error, "it cannot be written as DER");
	self->fingerprint = satchel_digest_sha256_hex(der, (gsize)n_bytes);
	OPENSSL_free(der);
	return TRUE;
}

static gboolean
read_pem(SatchelKey *self, const char *public, GError **error)
{
	gboolean sound;

	self->pkey = read_pkey(public);
	if (self->pkey == NULL)
		return key_unusable(error, "not one PEM of a public key (SubjectPublicKeyInfo)");
	if (self->scheme == SATCHEL_SCHEME_RSASSA_PSS_SHA256)
		sound = check_rsa(self->pkey, error);
	else
		sound = check_ecdsa(self->pkey, error);
	return sound && take_pkey_fingerprint(self, error);
}

static gboolean
read_key(SatchelKey *self, const json_t *tree, SatchelDialect dialect, GError **error)
{
	const json_t *keyval;
	const char *public;

	if (dialect == SATCHEL_DIALECT_TUF ? !read_tuf_scheme(tree, &self->scheme, error)
					   : !read_uptane_scheme(tree, &self->scheme, error))
		return FALSE;
	keyval = satchel_json_get_object(tree, "keyval", error);
	if (keyval == NULL)
		return FALSE;
	public = satchel_json_get_string(keyval, "public", error);
	if (public == NULL)
		return FALSE;
	if (self->scheme == SATCHEL_SCHEME_ED25519)
		return read_ed25519(self, public, error);
	return read_pem(self, public, error);
}

SatchelKey *
satchel_key_new_from_tree(const json_t *tree, SatchelDialect dialect, GError **error)
{
	g_autoptr(SatchelKey) self = NULL;
	gboolean usable;

	if (sodium_init() < 0) {
		key_unusable(error, "libsodium does not start");
		return NULL;
	}
	self = g_new0(SatchelKey, 1);
	g_atomic_ref_count_init(&self->refs);
	/* What libcrypto notes of a bad key must not turn up as the reason of something later. */
	ERR_set_mark();
	usable = read_key(self, tree, dialect, error);
	ERR_pop_to_mark();
	return usable ? g_steal_pointer(&self) : NULL;
}

SatchelKey *
satchel_key_new_from_json(GBytes *key_json, SatchelDialect dialect, GError **error)
{
	g_autoptr(SatchelJson) tree = NULL;

	g_return_val_if_fail(key_json != NULL, NULL);

	tree = satchel_json_parse(key_json, error);
	if (tree == NULL)
		return NULL;
	return satchel_key_new_from_tree(tree, dialect, error);
}

SatchelKey *
satchel_key_ref(SatchelKey *self)
{
	g_atomic_ref_count_inc(&self->refs);
	return self;
}

void
satchel_key_unref(SatchelKey *self)
{
	if (!g_atomic_ref_count_dec(&self->refs))
		return;
	EVP_PKEY_free(self->pkey);
	g_free(self->fingerprint);
	g_free(self);
}

SatchelScheme
satchel_key_get_scheme(const SatchelKey *self)
{
	return self->scheme;
}

const char *
satchel_key_get_fingerprint(const SatchelKey *self)
{
	return self->fingerprint;
}

const guint8 *
satchel_key_get_ed25519(const SatchelKey *self)
{
	return self->scheme == SATCHEL_SCHEME_ED25519 ? self->ed25519 : NULL;
}

EVP_PKEY *
satchel_key_get_pkey(const SatchelKey *self)
{
	return self->pkey;
}
