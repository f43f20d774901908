#include "../../verify/key_private.h"
#include "../support/fixtures.h"
#include <openssl/err.h>

static SatchelDialect
dialect_of(const char *folder)
{
	return strstr(folder, "/uptane/") != NULL ? SATCHEL_DIALECT_UPTANE : SATCHEL_DIALECT_TUF;
}

static void
test_valid_key_is_read_and_has_its_fingerprint(gconstpointer folder)
{
	g_autoptr(GBytes) json = fixture_bytes(folder, "key.json");
	g_autofree char *fingerprint = fixture_text(folder, "fingerprint");
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelKey) key = satchel_key_new_from_json(json, dialect_of(folder), &error);

	g_assert_no_error(error);
	g_assert_cmpstr(satchel_key_get_fingerprint(key), ==, fingerprint);
}

static void
test_invalid_key_is_refused_with_its_reason(gconstpointer folder)
{
	g_autoptr(GBytes) json = fixture_bytes(folder, "key.json");
	g_autofree char *reason = fixture_text(folder, "error");
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelKey) key = satchel_key_new_from_json(json, dialect_of(folder), &error);

	g_assert_null(key);
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID);
	if (strstr(error->message, reason) == NULL)
		g_error("'%s' is not in '%s'", reason, error->message);
	/* Nothing is left that a later failure of libcrypto could be mistaken for. */
	g_assert_cmpuint(ERR_peek_error(), ==, 0);
}

static SatchelKey *
valid_key(const char *name, SatchelDialect dialect)
{
	g_autofree char *relative = g_build_filename("keys/valid", name, NULL);
	g_autofree char *folder = fixture_path(relative);
	g_autoptr(GBytes) json = fixture_bytes(folder, "key.json");
	g_autoptr(GError) error = NULL;
	SatchelKey *key = satchel_key_new_from_json(json, dialect, &error);

	g_assert_no_error(error);
	return key;
}

static void
test_scheme_follows_from_the_keytype(void)
{
	g_autoptr(SatchelKey) ed25519 = valid_key("tuf/ed25519", SATCHEL_DIALECT_TUF);
	g_autoptr(SatchelKey) rsa = valid_key("tuf/rsa-2048", SATCHEL_DIALECT_TUF);
	g_autoptr(SatchelKey) ecdsa = valid_key("tuf/ecdsa-p256", SATCHEL_DIALECT_TUF);
	g_autoptr(SatchelKey) uptane_rsa = valid_key("uptane/rsa-2048", SATCHEL_DIALECT_UPTANE);

	g_assert_cmpint(satchel_key_get_scheme(ed25519), ==, SATCHEL_SCHEME_ED25519);
	g_assert_cmpint(satchel_key_get_scheme(rsa), ==, SATCHEL_SCHEME_RSASSA_PSS_SHA256);
	g_assert_cmpint(satchel_key_get_scheme(ecdsa), ==, SATCHEL_SCHEME_ECDSA_SHA2_NISTP256);
	g_assert_cmpint(satchel_key_get_scheme(uptane_rsa), ==, SATCHEL_SCHEME_RSASSA_PSS_SHA256);
}

static void
test_material_is_there_for_the_scheme_alone(void)
{
	g_autoptr(SatchelKey) ed25519 = valid_key("tuf/ed25519", SATCHEL_DIALECT_TUF);
	g_autoptr(SatchelKey) rsa = valid_key("tuf/rsa-2048", SATCHEL_DIALECT_TUF);

	g_assert_nonnull(satchel_key_get_ed25519(ed25519));
	g_assert_null(satchel_key_get_pkey(ed25519));
	g_assert_null(satchel_key_get_ed25519(rsa));
	g_assert_nonnull(satchel_key_get_pkey(rsa));
}

static void
test_one_key_has_one_fingerprint_in_both_dialects(void)
{
	g_autoptr(SatchelKey) tuf = valid_key("tuf/rsa-2048", SATCHEL_DIALECT_TUF);
	g_autoptr(SatchelKey) uptane = valid_key("uptane/rsa-2048", SATCHEL_DIALECT_UPTANE);

	g_assert_cmpstr(satchel_key_get_fingerprint(tuf), ==, satchel_key_get_fingerprint(uptane));
}

static void
test_what_is_no_json_is_refused(void)
{
	g_autoptr(GBytes) json = g_bytes_new_static("{", 1);
	g_autoptr(GError) error = NULL;

	g_assert_null(satchel_key_new_from_json(json, SATCHEL_DIALECT_TUF, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID);
}

static void
test_hostile_names_are_quoted_in_the_message(void)
{
	static const char text[] = "{\"keytype\":\"\\u001b[2J\",\"scheme\":\"\\n\"}";
	g_autoptr(GBytes) json = g_bytes_new_static(text, strlen(text));
	g_autoptr(GError) error = NULL;

	g_assert_null(satchel_key_new_from_json(json, SATCHEL_DIALECT_TUF, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID);
	g_assert_cmpstr(error->message, ==,
			"unusable key: keytype '\\x1b[2J' with scheme '\\x0a' is not known");
}

static void
test_a_reference_keeps_the_key(void)
{
	SatchelKey *key = valid_key("tuf/ed25519", SATCHEL_DIALECT_TUF);
	g_autoptr(SatchelKey) again = satchel_key_ref(key);

	satchel_key_unref(key);
	g_assert_cmpuint(strlen(satchel_key_get_fingerprint(again)), ==, 64);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	fixture_add_cases("keys/valid/tuf", test_valid_key_is_read_and_has_its_fingerprint);
	fixture_add_cases("keys/valid/uptane", test_valid_key_is_read_and_has_its_fingerprint);
	fixture_add_cases("keys/invalid/tuf", test_invalid_key_is_refused_with_its_reason);
	fixture_add_cases("keys/invalid/uptane", test_invalid_key_is_refused_with_its_reason);
	g_test_add_func("/key/scheme-follows-from-the-keytype",
			test_scheme_follows_from_the_keytype);
	g_test_add_func("/key/material-is-there-for-the-scheme-alone",
			test_material_is_there_for_the_scheme_alone);
	g_test_add_func("/key/one-key-has-one-fingerprint-in-both-dialects",
			test_one_key_has_one_fingerprint_in_both_dialects);
	g_test_add_func("/key/what-is-no-json-is-refused", test_what_is_no_json_is_refused);
	g_test_add_func("/key/hostile-names-are-quoted-in-the-message",
			test_hostile_names_are_quoted_in_the_message);
	g_test_add_func("/key/a-reference-keeps-the-key", test_a_reference_keeps_the_key);
	return g_test_run();
}
