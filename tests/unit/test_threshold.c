#include "../../verify/digest.h"
#include "../../verify/hex.h"
#include "../../verify/threshold.h"
#include <sodium.h>

/* ed25519 keys made from one byte each, so that documents can be signed here. */
typedef struct {
	guint8 public[crypto_sign_PUBLICKEYBYTES];
	guint8 secret[crypto_sign_SECRETKEYBYTES];
} Pair;

static const char message_text[] = "the canonical bytes of a role";

static void
make_pair(Pair *pair, guint8 seed_byte)
{
	guint8 seed[crypto_sign_SEEDBYTES];

	memset(seed, seed_byte, sizeof seed);
	g_assert_cmpint(crypto_sign_seed_keypair(pair->public, pair->secret, seed), ==, 0);
}

static json_t *
key_json(const Pair *pair, SatchelDialect dialect)
{
	g_autofree char *hex = satchel_hex_encode(pair->public, sizeof pair->public);

	if (dialect == SATCHEL_DIALECT_UPTANE)
		return json_pack("{s:s, s:{s:s}}", "keytype", "ED25519", "keyval", "public", hex);
	return json_pack("{s:s, s:s, s:{s:s}}", "keytype", "ed25519", "scheme", "ed25519", "keyval",
			 "public", hex);
}

/* Adds @key to @keys under the keyid that the tuf dialect wants; returns it. (transfer full) */
static char *
add_key(json_t *keys, json_t *key)
{
	g_autoptr(GBytes) canonical = satchel_json_canonicalize(key, SATCHEL_DIALECT_TUF, NULL);
	char *keyid = satchel_digest_sha256_hex(g_bytes_get_data(canonical, NULL),
						g_bytes_get_size(canonical));

	json_object_set_new(keys, keyid, key);
	return keyid;
}

static GBytes *
message_bytes(void)
{
	return g_bytes_new_static(message_text, strlen(message_text));
}

static void
sign(const Pair *pair, guint8 signature[crypto_sign_BYTES])
{
	crypto_sign_detached(signature, NULL, (const guint8 *)message_text, strlen(message_text),
			     pair->secret);
}

static json_t *
tuf_signature(const Pair *pair, const char *keyid)
{
	guint8 signature[crypto_sign_BYTES];
	g_autofree char *hex = NULL;

	sign(pair, signature);
	hex = satchel_hex_encode(signature, sizeof signature);
	return json_pack("{s:s, s:s}", "keyid", keyid, "sig", hex);
}

static json_t *
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

static void
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

static void
two_keys_clear(TwoKeys *two)
{
	json_decref(two->keys);
	json_decref(two->role);
	g_free(two->keyids[0]);
	g_free(two->keyids[1]);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(TwoKeys, two_keys_clear)

static SatchelRoleKeys *
role_keys(const json_t *keys, const json_t *role, SatchelDialect dialect)
{
	g_autoptr(GError) error = NULL;
	SatchelRoleKeys *got = satchel_role_keys_new(keys, role, dialect, &error);

	g_assert_no_error(error);
	return got;
}

static void
assert_verified(const SatchelRoleKeys *keys, const json_t *signatures)
{
	g_autoptr(GBytes) message = message_bytes();
	g_autoptr(GError) error = NULL;

	g_assert_true(satchel_role_keys_verify(keys, signatures, message, &error));
	g_assert_no_error(error);
}

static void
assert_not_verified(const SatchelRoleKeys *keys, const json_t *signatures, const char *why)
{
	g_autoptr(GBytes) message = message_bytes();
	g_autoptr(GError) error = NULL;

	g_assert_false(satchel_role_keys_verify(keys, signatures, message, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID);
	g_assert_nonnull(strstr(error->message, why));
}

static void
test_enough_distinct_keys_verify(void)
{
	g_auto(TwoKeys) two = {0};
	g_autoptr(SatchelRoleKeys) keys = NULL;
	g_autoptr(SatchelJson) signatures = json_array();

	two_keys_init(&two, 2);
	keys = role_keys(two.keys, two.role, SATCHEL_DIALECT_TUF);
	json_array_append_new(signatures, tuf_signature(&two.pairs[0], two.keyids[0]));
	assert_not_verified(keys, signatures, "1 of 2 signatures");
	json_array_append_new(signatures, tuf_signature(&two.pairs[1], two.keyids[1]));
	assert_verified(keys, signatures);
}

static void
test_a_keyid_that_signs_twice_is_refused(void)
{
	g_auto(TwoKeys) two = {0};
	g_autoptr(SatchelRoleKeys) keys = NULL;
	g_autoptr(SatchelJson) signatures = json_array();

	two_keys_init(&two, 1);
	keys = role_keys(two.keys, two.role, SATCHEL_DIALECT_TUF);
	json_array_append_new(signatures, tuf_signature(&two.pairs[0], two.keyids[0]));
	json_array_append_new(signatures, tuf_signature(&two.pairs[0], two.keyids[0]));
	assert_not_verified(keys, signatures, "stands twice");
}

static void
test_uptane_signatures_are_base64_with_a_method(void)
{
	Pair pair;
	g_autoptr(SatchelRoleKeys) keys = NULL;
	g_autoptr(SatchelJson) map = NULL;
	g_autoptr(SatchelJson) role = NULL;
	g_autoptr(SatchelJson) good = json_array();
	g_autoptr(SatchelJson) other = json_array();

	make_pair(&pair, 7);
	map = json_pack("{s:o}", "any id", key_json(&pair, SATCHEL_DIALECT_UPTANE));
	role = json_pack("{s:[s], s:i}", "keyids", "any id", "threshold", 1);
	keys = role_keys(map, role, SATCHEL_DIALECT_UPTANE);
	json_array_append_new(good, uptane_signature(&pair, "any id", "ed25519"));
	json_array_append_new(other, uptane_signature(&pair, "any id", "rsassa-pss-sha256"));
	assert_verified(keys, good);
	assert_not_verified(keys, other, "0 of 1 signatures");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/threshold/enough-distinct-keys-verify", test_enough_distinct_keys_verify);
	g_test_add_func("/threshold/a-keyid-that-signs-twice-is-refused",
			test_a_keyid_that_signs_twice_is_refused);
	g_test_add_func("/threshold/uptane-signatures-are-base64-with-a-method",
			test_uptane_signatures_are_base64_with_a_method);
	return g_test_run();
}
