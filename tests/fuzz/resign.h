#pragma once
#include "../../verify/digest.h"
#include "../../verify/hex.h"
#include "../../verify/json.h"
#include <sodium.h>

/*
 * Gets mutated documents past the signatures, so that what stands behind them is reached too: takes
 * what is `signed` in the input and signs it by a key of the fuzzer's own.
 */

static unsigned char resign_secret[crypto_sign_SECRETKEYBYTES];
static char *resign_public;

/* Once, before all else. */
static inline void
resign_init(void)
{
	static const unsigned char seed[crypto_sign_SEEDBYTES] = "a key for fuzzers only";
	unsigned char public_key[crypto_sign_PUBLICKEYBYTES];

	g_assert(sodium_init() >= 0);
	crypto_sign_seed_keypair(public_key, resign_secret, seed);
	resign_public = satchel_hex_encode(public_key, sizeof public_key);
}

static inline GBytes *
resign_bytes(const char *text)
{
	return g_bytes_new(text, strlen(text));
}

/* The key as this dialect writes it. (transfer full) */
static inline char *
resign_key_json(SatchelDialect dialect)
{
	if (dialect == SATCHEL_DIALECT_TUF)
		return g_strdup_printf("{\"keytype\":\"ed25519\",\"keyval\":{\"public\":\"%s\"},"
				       "\"scheme\":\"ed25519\"}",
				       resign_public);
	return g_strdup_printf("{\"keytype\":\"ED25519\",\"keyval\":{\"public\":\"%s\"}}",
			       resign_public);
}

/* Of the canonical form, which the above is. (transfer full) */
static inline char *
resign_keyid(SatchelDialect dialect)
{
	g_autofree char *key = resign_key_json(dialect);

	return satchel_digest_sha256_hex(key, strlen(key));
}

/* {"signatures": [one], "signed": @signed_}; NULL where it has no canonical form. */
static inline GBytes *
resign_tree(json_t *signed_, SatchelDialect dialect)
{
	g_autoptr(GBytes) message = satchel_json_canonicalize(signed_, dialect, NULL);
	/* The form of uptane is JSON in both dialects. */
	g_autoptr(GBytes) text = satchel_json_canonicalize(signed_, SATCHEL_DIALECT_UPTANE, NULL);
	unsigned char signature[crypto_sign_BYTES];
	g_autofree char *keyid = resign_keyid(dialect);
	g_autofree char *hex = NULL;
	g_autofree char *base64 = NULL;
	g_autoptr(GString) out = NULL;
	gsize n_message, n_text;
	gconstpointer data;

	if (message == NULL || text == NULL)
		return NULL;
	data = g_bytes_get_data(message, &n_message);
	crypto_sign_detached(signature, NULL, data, n_message, resign_secret);
	hex = satchel_hex_encode(signature, sizeof signature);
	base64 = g_base64_encode(signature, sizeof signature);
	out = g_string_new(NULL);
	g_string_printf(out,
			"{\"signatures\":[{\"keyid\":\"%s\",\"method\":\"ed25519\",\"sig\":\"%s\"}]"
			",\"signed\":",
			keyid, dialect == SATCHEL_DIALECT_TUF ? hex : base64);
	data = g_bytes_get_data(text, &n_text);
	g_string_append_len(out, data, (gssize)n_text);
	g_string_append_c(out, '}');
	return g_string_free_to_bytes(g_steal_pointer(&out));
}

/* The fuzzer's own root: its one key for all roles. (transfer full) */
static inline GBytes *
resign_root(SatchelDialect dialect)
{
	gboolean tuf = dialect == SATCHEL_DIALECT_TUF;
	g_autofree char *key = resign_key_json(dialect);
	g_autofree char *keyid = resign_keyid(dialect);
	g_autofree char *role = g_strdup_printf("{\"keyids\":[\"%s\"],\"threshold\":1}", keyid);
	g_autofree char *text = g_strdup_printf(
		"{\"_type\":\"%s\",\"expires\":\"2090-01-01T00:00:00Z\",\"version\":1,%s"
		"\"keys\":{\"%s\":%s},\"roles\":{\"root\":%s,\"timestamp\":%s,\"snapshot\":%s,"
		"\"targets\":%s}}",
		tuf ? "root" : "Root", tuf ? "\"spec_version\":\"1.0.34\"," : "", keyid, key, role,
		role, role, role);
	g_autoptr(GBytes) bytes = resign_bytes(text);
	g_autoptr(SatchelJson) signed_ = satchel_json_parse(bytes, NULL);

	g_assert(signed_ != NULL);
	return resign_tree(signed_, dialect);
}

/* What the input has under `signed`, or NULL. (transfer full) */
static inline json_t *
resign_take_signed(GBytes *input)
{
	g_autoptr(SatchelJson) tree = satchel_json_parse(input, NULL);
	json_t *signed_ = json_object_get(tree, "signed");

	return json_is_object(signed_) ? json_incref(signed_) : NULL;
}

/* Every role's keyids become the fuzzer's key. */
static inline void
resign_adopt_keys(json_t *signed_, SatchelDialect dialect)
{
	g_autofree char *key_text = resign_key_json(dialect);
	g_autofree char *keyid = resign_keyid(dialect);
	g_autoptr(GBytes) key_bytes = resign_bytes(key_text);
	g_autoptr(SatchelJson) key = satchel_json_parse(key_bytes, NULL);
	json_t *keys = json_object_get(signed_, "keys");
	json_t *roles = json_object_get(signed_, "roles");
	const char *name;
	json_t *role;

	g_assert(key != NULL);
	if (json_is_object(keys))
		json_object_set(keys, keyid, key);
	json_object_foreach(roles, name, role)
	{
		json_t *keyids = json_object_get(role, "keyids");

		if (json_is_array(keyids))
			json_array_append_new(keyids, json_string(keyid));
	}
}
