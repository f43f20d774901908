#include "../../verify/hex.h"
#include "../support/fixtures.h"
#include <openssl/err.h>
#include <satchel/signature.h>

static gboolean
verify_case(const char *folder)
{
	g_autoptr(GBytes) json = fixture_bytes(folder, "key.json");
	g_autoptr(GBytes) message = fixture_bytes(folder, "message");
	g_autofree char *hex = fixture_text(folder, "signature");
	g_autoptr(GBytes) decoded = satchel_hex_decode(hex);
	g_autoptr(GBytes) nothing = g_bytes_new(NULL, 0);
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelKey) key = satchel_key_new_from_json(json, SATCHEL_DIALECT_TUF, &error);

	g_assert_no_error(error);
	return satchel_signature_verify(key, message, decoded != NULL ? decoded : nothing);
}

static void
test_valid_signature_is_good(gconstpointer folder)
{
	g_assert_true(verify_case(folder));
	g_assert_cmpuint(ERR_peek_error(), ==, 0);
}

static void
test_invalid_signature_is_not_good(gconstpointer folder)
{
	g_assert_false(verify_case(folder));
	g_assert_cmpuint(ERR_peek_error(), ==, 0);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	fixture_add_cases("signatures/valid", test_valid_signature_is_good);
	fixture_add_cases("signatures/invalid", test_invalid_signature_is_not_good);
	return g_test_run();
}
