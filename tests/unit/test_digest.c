#include "../../verify/digest.h"

/* Vectors of FIPS 180-2, appendices B and C. */
#define SHA256_ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define SHA256_EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define SHA512_ABC                                                                                 \
	"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"                         \
	"2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"

static void
test_sha256_of_a_buffer(void)
{
	g_autofree char *abc = satchel_digest_sha256_hex("abc", 3);
	g_autofree char *empty = satchel_digest_sha256_hex(NULL, 0);

	g_assert_cmpstr(abc, ==, SHA256_ABC);
	g_assert_cmpstr(empty, ==, SHA256_EMPTY);
}

static void
test_sha512_of_a_stream(void)
{
	g_autoptr(SatchelDigest) digest = satchel_digest_new(SATCHEL_DIGEST_SHA512);
	g_autofree char *hex = NULL;

	satchel_digest_update(digest, "a", 1);
	satchel_digest_update(digest, "", 0);
	satchel_digest_update(digest, "bc", 2);
	hex = satchel_digest_finish(digest);
	g_assert_cmpstr(hex, ==, SHA512_ABC);
}

static void
test_pieces_do_not_matter(void)
{
	g_autoptr(SatchelDigest) digest = satchel_digest_new(SATCHEL_DIGEST_SHA256);
	g_autofree char *hex = NULL;

	for (guint i = 0; i < 1000000; i += 1000) {
		g_autofree char *piece = g_strnfill(1000, 'a');

		satchel_digest_update(digest, piece, 1000);
	}
	hex = satchel_digest_finish(digest);
	g_assert_cmpstr(hex, ==,
			"cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/digest/sha256 of a buffer", test_sha256_of_a_buffer);
	g_test_add_func("/digest/sha512 of a stream", test_sha512_of_a_stream);
	g_test_add_func("/digest/pieces do not matter", test_pieces_do_not_matter);
	return g_test_run();
}
