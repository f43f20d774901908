#include "deterministic_signature.h"
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

#define HASH_BYTES 32
#define SALT_BYTES 32
#define RSA_MAX_BYTES 1024 /* 8192 bits */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BIGNUM, BN_clear_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BN_CTX, BN_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EC_GROUP, EC_GROUP_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EC_POINT, EC_POINT_clear_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ECDSA_SIG, ECDSA_SIG_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_MD_CTX, EVP_MD_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY_CTX, EVP_PKEY_CTX_free)

typedef struct {
	const void *data;
	gsize n_bytes;
} Part;

static gboolean
hash_parts(const Part *parts, gsize n_parts, guint8 hash[HASH_BYTES])
{
	g_autoptr(EVP_MD_CTX) context = EVP_MD_CTX_new();

	if (context == NULL || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1)
		return FALSE;
	for (gsize i = 0; i < n_parts; i++)
		if (EVP_DigestUpdate(context, parts[i].data, parts[i].n_bytes) != 1)
			return FALSE;
	return EVP_DigestFinal_ex(context, hash, NULL) == 1;
}

static gboolean
hash_message(GBytes *message, guint8 hash[HASH_BYTES])
{
	Part part = {g_bytes_get_data(message, NULL), g_bytes_get_size(message)};

	return hash_parts(&part, 1, hash);
}

static gboolean
hmac(const guint8 *key, gsize key_bytes, const guint8 *data, gsize n_bytes, guint8 mac[HASH_BYTES])
{
	return HMAC(EVP_sha256(), key, (int)key_bytes, data, n_bytes, mac, NULL) != NULL;
}

static GBytes *
fail(const char *scheme, GError **error)
{
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
		    "libcrypto cannot make an %s signature", scheme);
	return NULL;
}

/* ---- RSASSA-PSS ---- */

static gboolean
pss_salt(EVP_PKEY *key, const guint8 hash[HASH_BYTES], guint8 salt[SALT_BYTES])
{
	static const char label[] = "satchel rsassa-pss salt";
	guint8 data[sizeof label + HASH_BYTES];
	unsigned char *der = NULL;
	int der_bytes = i2d_PrivateKey(key, &der);
	gboolean done;

	if (der_bytes <= 0)
		return FALSE;
	/* The label keeps this use of the key apart from any other. */
	memcpy(data, label, sizeof label);
	memcpy(data + sizeof label, hash, HASH_BYTES);
	done = hmac(der, (gsize)der_bytes, data, sizeof data, salt);
	OPENSSL_clear_free(der, (gsize)der_bytes);
	return done;
}

/* RFC 8017, B.2.1, XORed onto @data. */
static gboolean
mgf1_xor(guint8 *data, gsize n_bytes, const guint8 seed[HASH_BYTES])
{
	for (guint32 counter = 0; (gsize)counter * HASH_BYTES < n_bytes; counter++) {
		guint32 counter_be = GUINT32_TO_BE(counter);
		Part parts[] = {{seed, HASH_BYTES}, {&counter_be, sizeof counter_be}};
		guint8 block[HASH_BYTES];
		gsize start = (gsize)counter * HASH_BYTES;

		if (!hash_parts(parts, G_N_ELEMENTS(parts), block))
			return FALSE;
		for (gsize i = 0; i < HASH_BYTES && start + i < n_bytes; i++)
			data[start + i] ^= block[i];
	}
	return TRUE;
}

/* EMSA-PSS-ENCODE, RFC 8017, 9.1.1. @em_bits: modulus bits - 1. */
static gboolean
pss_encode(const guint8 hash[HASH_BYTES], const guint8 salt[SALT_BYTES], gsize em_bits, guint8 *em)
{
	static const guint8 zeros[8];
	Part parts[] = {{zeros, sizeof zeros}, {hash, HASH_BYTES}, {salt, SALT_BYTES}};
	gsize em_bytes = (em_bits + 7) / 8;
	gsize db_bytes = em_bytes - HASH_BYTES - 1;
	guint8 *h = em + db_bytes;

	memset(em, 0, db_bytes);
	em[db_bytes - SALT_BYTES - 1] = 0x01;
	memcpy(em + db_bytes - SALT_BYTES, salt, SALT_BYTES);
	if (!hash_parts(parts, G_N_ELEMENTS(parts), h) || !mgf1_xor(em, db_bytes, h))
		return FALSE;
	em[0] &= (guint8)(0xff >> (8 * em_bytes - em_bits));
	em[em_bytes - 1] = 0xbc;
	return TRUE;
}

static gboolean
rsa_raw(EVP_PKEY *key, const guint8 *block, gsize n_bytes, guint8 *signature)
{
	g_autoptr(EVP_PKEY_CTX) context = EVP_PKEY_CTX_new(key, NULL);
	size_t signature_bytes = n_bytes;

	return context != NULL && EVP_PKEY_sign_init(context) == 1 &&
	       EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING) == 1 &&
	       EVP_PKEY_sign(context, signature, &signature_bytes, block, n_bytes) == 1 &&
	       signature_bytes == n_bytes;
}

GBytes *
satchel_deterministic_signature_pss(EVP_PKEY *key, GBytes *message, GError **error)
{
	guint8 hash[HASH_BYTES];
	guint8 salt[SALT_BYTES];
	guint8 block[RSA_MAX_BYTES] = {0};
	guint8 signature[RSA_MAX_BYTES];
	int bits = EVP_PKEY_get_bits(key);
	gsize n_bytes = bits > 0 ? ((gsize)bits + 7) / 8 : 0;
	gsize em_bytes = bits > 0 ? ((gsize)bits + 6) / 8 : 0;

	if (bits < 2048 || n_bytes > RSA_MAX_BYTES)
		return fail("rsassa-pss-sha256", error);
	/* A modulus of 8k + 1 bits leaves a zero byte in front of the encoded message. */
	if (!hash_message(message, hash) || !pss_salt(key, hash, salt) ||
	    !pss_encode(hash, salt, (gsize)bits - 1, block + (n_bytes - em_bytes)) ||
	    !rsa_raw(key, block, n_bytes, signature))
		return fail("rsassa-pss-sha256", error);
	return g_bytes_new(signature, n_bytes);
}

/* ---- ECDSA ---- */

/* HMAC_DRBG as RFC 6979, 3.2, has it; q of P-256 has exactly as many bits as SHA-256. */
typedef struct {
	guint8 k[HASH_BYTES];
	guint8 v[HASH_BYTES];
} Nonces;

static gboolean
nonces_mix(Nonces *nonces, guint8 separator, const guint8 *seed, gsize seed_bytes)
{
	guint8 data[HASH_BYTES + 1 + 2 * HASH_BYTES];
	gboolean done;

	memcpy(data, nonces->v, HASH_BYTES);
	data[HASH_BYTES] = separator;
	if (seed_bytes > 0)
		memcpy(data + HASH_BYTES + 1, seed, seed_bytes);
	done = hmac(nonces->k, HASH_BYTES, data, HASH_BYTES + 1 + seed_bytes, nonces->k) &&
	       hmac(nonces->k, HASH_BYTES, nonces->v, HASH_BYTES, nonces->v);
	OPENSSL_cleanse(data, sizeof data);
	return done;
}

/* @private_key: int2octets(x); @hash: H(m), reduced here to bits2octets(H(m)). Steps b to g. */
static gboolean
nonces_begin(Nonces *nonces, const BIGNUM *private_key, const BIGNUM *hash, const BIGNUM *order,
	     BN_CTX *context)
{
	guint8 seed[2 * HASH_BYTES];
	g_autoptr(BIGNUM) reduced = BN_new();
	gboolean done;

	memset(nonces->v, 0x01, HASH_BYTES);
	memset(nonces->k, 0x00, HASH_BYTES);
	done = reduced != NULL && BN_nnmod(reduced, hash, order, context) == 1 &&
	       BN_bn2binpad(private_key, seed, HASH_BYTES) == HASH_BYTES &&
	       BN_bn2binpad(reduced, seed + HASH_BYTES, HASH_BYTES) == HASH_BYTES &&
	       nonces_mix(nonces, 0x00, seed, sizeof seed) &&
	       nonces_mix(nonces, 0x01, seed, sizeof seed);
	OPENSSL_cleanse(seed, sizeof seed);
	return done;
}

/* Step h: the next candidate below the order, above zero. */
static gboolean
nonces_next(Nonces *nonces, const BIGNUM *order, BIGNUM *nonce)
{
	for (guint attempt = 0; attempt < 64; attempt++) {
		if (!hmac(nonces->k, HASH_BYTES, nonces->v, HASH_BYTES, nonces->v) ||
		    BN_bin2bn(nonces->v, HASH_BYTES, nonce) == NULL)
			return FALSE;
		if (!BN_is_zero(nonce) && BN_cmp(nonce, order) < 0)
			return TRUE;
		if (!nonces_mix(nonces, 0x00, NULL, 0))
			return FALSE;
	}
	return FALSE; /* 2^-32 each: never 64 times */
}

/* r = (kG).x mod n; s = (z + r d) / k mod n, with 1/k by Fermat, whose time does not depend on k.
 * FALSE where libcrypto fails or r or s is zero (which nobody will live to see). */
static gboolean
ecdsa_values(const EC_GROUP *group, const BIGNUM *nonce, const BIGNUM *private_key,
	     const BIGNUM *hash, BIGNUM *r, BIGNUM *s, BN_CTX *context)
{
	const BIGNUM *order = EC_GROUP_get0_order(group);
	g_autoptr(EC_POINT) point = EC_POINT_new(group);
	g_autoptr(BIGNUM) inverse = BN_secure_new();
	g_autoptr(BIGNUM) exponent = BN_dup(order);

	if (point == NULL || inverse == NULL || exponent == NULL || BN_sub_word(exponent, 2) != 1 ||
	    BN_mod_exp_mont_consttime(inverse, nonce, exponent, order, context, NULL) != 1 ||
	    EC_POINT_mul(group, point, nonce, NULL, NULL, context) != 1 ||
	    EC_POINT_get_affine_coordinates(group, point, r, NULL, context) != 1 ||
	    BN_nnmod(r, r, order, context) != 1)
		return FALSE;
	if (BN_mod_mul(s, r, private_key, order, context) != 1 ||
	    BN_mod_add(s, s, hash, order, context) != 1 ||
	    BN_mod_mul(s, s, inverse, order, context) != 1)
		return FALSE;
	return !BN_is_zero(r) && !BN_is_zero(s);
}

static GBytes *
ecdsa_to_der(BIGNUM **r, BIGNUM **s)
{
	g_autoptr(ECDSA_SIG) signature = ECDSA_SIG_new();
	unsigned char *der = NULL;
	int der_bytes;
	GBytes *bytes;

	if (signature == NULL || ECDSA_SIG_set0(signature, *r, *s) != 1)
		return NULL;
	*r = NULL; /* the signature owns them now */
	*s = NULL;
	der_bytes = i2d_ECDSA_SIG(signature, &der);
	if (der_bytes <= 0)
		return NULL;
	bytes = g_bytes_new(der, (gsize)der_bytes);
	OPENSSL_free(der);
	return bytes;
}

GBytes *
satchel_deterministic_signature_ecdsa(EVP_PKEY *key, GBytes *message, GError **error)
{
	g_autoptr(EC_GROUP) group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	g_autoptr(BN_CTX) context = BN_CTX_secure_new();
	g_autoptr(BIGNUM) nonce = BN_secure_new();
	g_autoptr(BIGNUM) r = BN_new();
	g_autoptr(BIGNUM) s = BN_new();
	g_autoptr(BIGNUM) private_key = NULL;
	g_autoptr(BIGNUM) hash = NULL;
	g_autoptr(GBytes) der = NULL;
	guint8 digest[HASH_BYTES];
	Nonces nonces;

	if (group == NULL || context == NULL || nonce == NULL || r == NULL || s == NULL ||
	    !hash_message(message, digest))
		return fail("ecdsa-sha2-nistp256", error);
	hash = BN_bin2bn(digest, HASH_BYTES, NULL);
	if (hash == NULL || EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &private_key) != 1)
		return fail("ecdsa-sha2-nistp256", error);
	BN_set_flags(private_key, BN_FLG_CONSTTIME);
	BN_set_flags(nonce, BN_FLG_CONSTTIME);
	if (nonces_begin(&nonces, private_key, hash, EC_GROUP_get0_order(group), context) &&
	    nonces_next(&nonces, EC_GROUP_get0_order(group), nonce) &&
	    ecdsa_values(group, nonce, private_key, hash, r, s, context))
		der = ecdsa_to_der(&r, &s);
	OPENSSL_cleanse(&nonces, sizeof nonces);
	return der != NULL ? g_steal_pointer(&der) : fail("ecdsa-sha2-nistp256", error);
}
