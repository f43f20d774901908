#pragma once
#include "../../verify/digest.h"
#include "../../verify/hex.h"
#include "../../verify/threshold.h"
#include <sodium.h>

/* Roles and signatures made in memory, for unit tests. */

/* ed25519 keys made from one byte each, so that documents can be signed here. */
typedef struct {
	guint8 public[crypto_sign_PUBLICKEYBYTES];
	guint8 secret[crypto_sign_SECRETKEYBYTES];
} Pair;

static const char message_text[] G_GNUC_UNUSED = "the canonical bytes of a role";

static inline void
make_pair(Pair *pair, guint8 seed_byte)
{
	guint8 seed[crypto_sign_SEEDBYTES];

	memset(seed, seed_byte, sizeof seed);
	g_assert_cmpint(crypto_sign_seed_keypair(pair->public, pair->secret, seed), ==, 0);
}

static inline json_t *
key_json(const Pair *pair, SatchelDialect dialect)
{
	g_autofree char *hex = satchel_hex_encode(pair->public, sizeof pair->public);

	if (dialect == SATCHEL_DIALECT_UPTANE)
		return json_pack("{s:s, s:{s:s}}", "keytype", "ED25519", "keyval", "public", hex);
	return json_pack("{s:s, s:s, s:{s:s}}", "keytype", "ed25519", "scheme", "ed25519", "keyval",
			 "public", hex);
}

/* Adds @key to @keys under the keyid that the tuf dialect wants; returns it. (transfer full) */
static inline char *
add_key(json_t *keys, json_t *key)
{
	g_autoptr(GBytes) canonical = satchel_json_canonicalize(key, SATCHEL_DIALECT_TUF, NULL);
	char *keyid = satchel_digest_sha256_hex(g_bytes_get_data(canonical, NULL),
						g_bytes_get_size(canonical));

	json_object_set_new(keys, keyid, key);
	return keyid;
}

static inline GBytes *
message_bytes(void)
{
	return g_bytes_new_static(message_text, strlen(message_text));
}

static inline void
sign(const Pair *pair, guint8 signature[crypto_sign_BYTES])
{
	crypto_sign_detached(signature, NULL, (const guint8 *)message_text, strlen(message_text),
			     pair->secret);
}

static inline json_t *
tuf_signature(const Pair *pair, const char *keyid)
{
	guint8 signature[crypto_sign_BYTES];
	g_autofree char *hex = NULL;

	sign(pair, signature);
	hex = satchel_hex_encode(signature, sizeof signature);
	return json_pack("{s:s, s:s}", "keyid", keyid, "sig", hex);
}

static inline json_t *
uptane_signature(const Pair *pair, const char *keyid, const char *method)
{
	guint8 signature[crypto_sign_BYTES];
	g_autofree char *base64 = NULL;

	sign(pair, signature);
	base64 = g_base64_encode(signature, sizeof signature);
	return json_pack("{s:s, s:s, s:s}", "keyid", keyid, "method", method, "sig", base64);
}

/* A role of two keys in the tuf dialect. */
typedef struct {
	Pair pairs[2];
	char *keyids[2];
	json_t *keys;
	json_t *role;
} TwoKeys;

static inline void
two_keys_init(TwoKeys *two, int threshold)
{
	two->keys = json_object();
	two->role = json_pack("{s:[], s:i}", "keyids", "threshold", threshold);
	for (guint i = 0; i < 2; i++) {
		make_pair(&two->pairs[i], (guint8)(i + 1));
		two->keyids[i] = add_key(two->keys, key_json(&two->pairs[i], SATCHEL_DIALECT_TUF));
		json_array_append_new(json_object_get(two->role, "keyids"),
				      json_string(two->keyids[i]));
	}
}

static inline void
two_keys_clear(TwoKeys *two)
{
	json_decref(two->keys);
	json_decref(two->role);
	g_free(two->keyids[0]);
	g_free(two->keyids[1]);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(TwoKeys, two_keys_clear)
