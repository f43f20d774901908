#include "../../bundler/private_key.h"
#include "../../verify/hex.h"
#include "../../verify/json.h"
#include <satchel/signature.h>

/* The P-256 key of RFC 6979, A.2.5. */
static const char rfc6979_pem[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgya+p2EW6dRZrXCFX\n"
	"Z7HWk05Qw9s26JsSe4piKxIPZyGhRANCAARg/tS6JVqdMclh63TGNW1owEm4kjth\n"
	"+mzmaWIuYPKftnkD/hAIuLyZpBrp6VYovGTy8bIMLX6fUXejwpTURiKZ\n"
	"-----END PRIVATE KEY-----\n";

static SatchelPrivateKey *
key_from_text(const char *pem)
{
	g_autoptr(GError) error = NULL;
	SatchelPrivateKey *key = satchel_private_key_new_from_pem(pem, strlen(pem), &error);

	g_assert_no_error(error);
	return key;
}

/* Making an RSA key takes seconds; a stored one does as well here. */
static SatchelPrivateKey *
make_key(SatchelScheme scheme)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *path = g_build_filename(g_getenv("SATCHEL_FIXTURES"),
						 "keys/private/test-key-rsa-2048.pem", NULL);
	g_autofree char *pem = NULL;
	SatchelPrivateKey *key;

	if (scheme == SATCHEL_SCHEME_RSASSA_PSS_SHA256) {
		g_assert_true(g_file_get_contents(path, &pem, NULL, &error));
		return key_from_text(pem);
	}
	key = satchel_private_key_generate(scheme, &error);
	g_assert_no_error(error);
	return key;
}

static GBytes *
sign(const SatchelPrivateKey *key, const char *text)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) message = g_bytes_new(text, strlen(text));
	GBytes *signature = satchel_private_key_sign(key, message, &error);

	g_assert_no_error(error);
	return signature;
}

static void
assert_signature_hex(const SatchelPrivateKey *key, const char *text, const char *expected)
{
	g_autoptr(GBytes) signature = sign(key, text);
	g_autofree char *hex =
		satchel_hex_encode(g_bytes_get_data(signature, NULL), g_bytes_get_size(signature));

	g_assert_cmpstr(hex, ==, expected);
}

static void
test_ecdsa_gives_the_vectors_of_rfc6979(void)
{
	g_autoptr(SatchelPrivateKey) key = key_from_text(rfc6979_pem);

	assert_signature_hex(
		key, "sample",
		"3046"
		"022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
		"022100f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8");
	assert_signature_hex(
		key, "test",
		"3045"
		"022100f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367"
		"0220019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083");
}

static void
test_ed25519_gives_the_vector_of_rfc8032(void)
{
	g_autoptr(GBytes) seed = satchel_hex_decode(
		"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelPrivateKey) key =
		satchel_private_key_new_from_seed(g_bytes_get_data(seed, NULL), &error);

	g_assert_no_error(error);
	assert_signature_hex(key, "",
			     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
			     "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b");
}

/* The verifier is another library (ed25519) or another function (the others) than the signer. */
static void
assert_verifies(SatchelScheme scheme, SatchelDialect dialect)
{
	g_autoptr(SatchelPrivateKey) key = make_key(scheme);
	g_autoptr(SatchelJson) tree = satchel_private_key_to_public_json(key, dialect);
	g_autoptr(GBytes) json = satchel_json_canonicalize(tree, SATCHEL_DIALECT_UPTANE, NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelKey) public = satchel_key_new_from_json(json, dialect, &error);
	g_autoptr(GBytes) message = g_bytes_new_static("message", 7);
	g_autoptr(GBytes) other = g_bytes_new_static("massage", 7);
	g_autoptr(GBytes) signature = sign(key, "message");

	g_assert_no_error(error);
	g_assert_cmpint(satchel_key_get_scheme(public), ==, scheme);
	g_assert_cmpstr(satchel_key_get_fingerprint(public), ==,
			satchel_private_key_get_fingerprint(key));
	g_assert_true(satchel_signature_verify(public, message, signature));
	g_assert_false(satchel_signature_verify(public, other, signature));
}

static void
test_signatures_verify_in_both_dialects(void)
{
	assert_verifies(SATCHEL_SCHEME_ED25519, SATCHEL_DIALECT_UPTANE);
	assert_verifies(SATCHEL_SCHEME_ED25519, SATCHEL_DIALECT_TUF);
	assert_verifies(SATCHEL_SCHEME_RSASSA_PSS_SHA256, SATCHEL_DIALECT_UPTANE);
	assert_verifies(SATCHEL_SCHEME_RSASSA_PSS_SHA256, SATCHEL_DIALECT_TUF);
	assert_verifies(SATCHEL_SCHEME_ECDSA_SHA2_NISTP256, SATCHEL_DIALECT_TUF);
}

static void
assert_repeatable(SatchelScheme scheme)
{
	g_autoptr(SatchelPrivateKey) key = make_key(scheme);
	g_autoptr(GBytes) once = sign(key, "message");
	g_autoptr(GBytes) again = sign(key, "message");
	g_autoptr(GBytes) other = sign(key, "another");

	g_assert_true(g_bytes_equal(once, again));
	g_assert_false(g_bytes_equal(once, other));
}

static void
test_equal_messages_get_equal_signatures(void)
{
	assert_repeatable(SATCHEL_SCHEME_ED25519);
	assert_repeatable(SATCHEL_SCHEME_RSASSA_PSS_SHA256);
	assert_repeatable(SATCHEL_SCHEME_ECDSA_SHA2_NISTP256);
}

static void
test_a_key_survives_pem(void)
{
	g_autoptr(SatchelPrivateKey) key = make_key(SATCHEL_SCHEME_ED25519);
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) pem = satchel_private_key_to_pem(key, &error);
	g_autoptr(SatchelPrivateKey) copy = NULL;

	g_assert_no_error(error);
	copy = satchel_private_key_new_from_pem(g_bytes_get_data(pem, NULL), g_bytes_get_size(pem),
						&error);
	g_assert_no_error(error);
	g_assert_cmpstr(satchel_private_key_get_fingerprint(copy), ==,
			satchel_private_key_get_fingerprint(key));
}

static void
test_the_keyid_of_uptane_is_that_of_the_public_der(void)
{
	g_autoptr(SatchelPrivateKey) key = key_from_text(rfc6979_pem);
	g_autofree char *keyid = satchel_private_key_keyid(key, SATCHEL_DIALECT_UPTANE);

	/* openssl pkey -pubout -outform DER | sha256sum */
	g_assert_cmpstr(keyid, ==,
			"5a7a78cca4a0f420d9bc62bb669c3c2759e39f723d3ae10dcbe0f0815a07ecd4");
}

static void
assert_refused(const char *pem)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelPrivateKey) key =
		satchel_private_key_new_from_pem(pem, strlen(pem), &error);

	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED);
	g_assert_null(key);
}

static void
test_what_cannot_sign_is_refused(void)
{
	assert_refused("");
	assert_refused("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
	/* An X25519 key: agrees on secrets, signs nothing. */
	assert_refused("-----BEGIN PRIVATE KEY-----\n"
		       "MC4CAQAwBQYDK2VuBCIEIHcHbQpzGKV9PBbBclGyZkXfTC+H68CZKrF3+6UduSwq\n"
		       "-----END PRIVATE KEY-----\n");
	/* P-384. */
	assert_refused("-----BEGIN PRIVATE KEY-----\n"
		       "MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDDG5gRYfxJ6wF+leY6f\n"
		       "Dt/LVQUf/tfnHu5LBHBIxNMUBZ+O+/pDuVr3NTpzZuYQ31ihZANiAAQIwUPwxGGR\n"
		       "Ndxm3hG8gREXOkfVQiZVV3fSIjvLE6+cqaPlZeGcmNFUvBM1K2xeS0vNRLxWuY6m\n"
		       "oro48Oonc9UI/YLFepgprlaX30OXmXdbDcGOfinp/DoAOTMnw/FuIuQ=\n"
		       "-----END PRIVATE KEY-----\n");
	/* RSA of 1024 bits. */
	assert_refused("-----BEGIN PRIVATE KEY-----\n"
		       "MIICdwIBADANBgkqhkiG9w0BAQEFAASCAmEwggJdAgEAAoGBAMhFYY1mUMydXPyq\n"
		       "D6e4NSWZuFQcaVMuNFPzfMjMX3dWbAaxAMY4NShvcuc5yDCPzik1vrfw+3SED7i+\n"
		       "q4qGs8/s1hmW35CwSHfEZPze/1m3jghMm25JGe26DFF7R3PDxvNQO5+UReLX33gj\n"
		       "eeQZ1nKDLETWZoyhMnRY4OefpZqLAgMBAAECgYBiHfvJNtNnK8Ge2AKLfSgsn787\n"
		       "FiBT7FMevi/ogJhU8zZBoP5sHqWMhe2ZcymtAQdUEUy6+Yl4cCrzrBaG66+z1Epa\n"
		       "+kUlzLDUYuGHXBGjxetksXLP6aqnjNg8lj9N2g0bq5e8761xTZk+WJRTPbEwypWm\n"
		       "AZE+W4B6fW2z9ai6wQJBAPIrvXp9/LkRxxszsEg31E96/RZb+cxewV9rCEWGNu9c\n"
		       "RrgMi2xvm7nkFHQuxKvUzoO42nMGl6LHg5Z++V4PYMkCQQDTtR0F1Q9HXr0BbGjl\n"
		       "i6kQ0tLZ9I+XiDtAcrYywgCTA4VD/ibROvREtf33KFRjCDDN7zeO2aCBSAjKe05S\n"
		       "Mn6zAkEAsCvZv45/lzKzobpMd30F2nwiOW3XnzEfg4adkdY9iIucdq/JjazzoJun\n"
		       "tY2ATXCWe4SyhhM5pJV3yLe+OQr+4QJAWKGRVfi93cZG4IqvW7JdhGKOzZq6Ztks\n"
		       "3S1pI9Tegq3NpAqJ27yPuRhsC4ZB1ff+3qhQnSh1Lsqmi4aV4omrSwJBAMKTRtCs\n"
		       "0exp3dPUwZT/qJQ6/J3YxQzv39X1yq+fO0CbMl/rCetTatoO3bI7TXfnexl/3m1j\n"
		       "3pjBzm6UvWZf6vI=\n"
		       "-----END PRIVATE KEY-----\n");
	/* Encrypted, and nobody is there to be asked. */
	assert_refused("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
		       "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhHHB8kjubmXQICCAAw\n"
		       "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEDEE5lw7RBtRW0thmsbtI8IEgZD1\n"
		       "ta9EprFE8q2YIFPkUqhG482wPYFiq6x5Nf85AEI5iKcMDeyNXSiZ4+tMBnHP7hZe\n"
		       "9EtiEvcMQb/hGgrRK3KPNNccim0Q+MiDWmiKRGuc7DHhmSVRYH3ysftR5ZwTmZS1\n"
		       "B4ustYflqH2PeFM5OENksLrr6Gq67ZgJQXOsH1WCWfwo8xQIZxeblGXMfiXX5jY=\n"
		       "-----END ENCRYPTED PRIVATE KEY-----\n");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/private_key/ecdsa_gives_the_vectors_of_rfc6979",
			test_ecdsa_gives_the_vectors_of_rfc6979);
	g_test_add_func("/private_key/ed25519_gives_the_vector_of_rfc8032",
			test_ed25519_gives_the_vector_of_rfc8032);
	g_test_add_func("/private_key/signatures_verify_in_both_dialects",
			test_signatures_verify_in_both_dialects);
	g_test_add_func("/private_key/equal_messages_get_equal_signatures",
			test_equal_messages_get_equal_signatures);
	g_test_add_func("/private_key/a_key_survives_pem", test_a_key_survives_pem);
	g_test_add_func("/private_key/the_keyid_of_uptane_is_that_of_the_public_der",
			test_the_keyid_of_uptane_is_that_of_the_public_der);
	g_test_add_func("/private_key/what_cannot_sign_is_refused",
			test_what_cannot_sign_is_refused);
	return g_test_run();
}
