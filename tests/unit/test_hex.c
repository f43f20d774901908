#include "../../verify/hex.h"

static void
test_bytes_become_lower_case_digits(void)
{
	const guint8 bytes[] = {0x00, 0x7f, 0xab, 0xff};
	g_autofree char *hex = satchel_hex_encode(bytes, sizeof(bytes));

	g_assert_cmpstr(hex, ==, "007fabff");
}

static void
test_no_bytes_become_no_digits(void)
{
	g_autofree char *hex = satchel_hex_encode(NULL, 0);

	g_assert_cmpstr(hex, ==, "");
}

static void
test_digits_of_either_case_become_bytes(void)
{
	const guint8 bytes[] = {0x00, 0x7f, 0xab, 0xff};
	g_autoptr(GBytes) decoded = satchel_hex_decode("007FaBff");

	g_assert_nonnull(decoded);
	g_assert_cmpmem(g_bytes_get_data(decoded, NULL), g_bytes_get_size(decoded), bytes,
			sizeof(bytes));
}

static void
test_what_is_no_hex_is_refused(void)
{
	static const char *const wrong[] = {"", "a", "abc", "0g", "g0", " 0", "0x", "00 ", "-1"};

	for (guint i = 0; i < G_N_ELEMENTS(wrong); i++)
		g_assert_null(satchel_hex_decode(wrong[i]));
}

static void
test_sha256_is_64_lower_case_digits(void)
{
	g_autofree char *good = g_strnfill(64, 'a');
	g_autofree char *upper = g_strnfill(64, 'A');
	g_autofree char *short_one = g_strnfill(63, 'a');
	g_autofree char *long_one = g_strnfill(65, 'a');
	g_autofree char *other = g_strdup_printf("%.63sg", good);

	g_assert_true(satchel_hex_is_sha256(good));
	g_assert_false(satchel_hex_is_sha256(upper));
	g_assert_false(satchel_hex_is_sha256(short_one));
	g_assert_false(satchel_hex_is_sha256(long_one));
	g_assert_false(satchel_hex_is_sha256(other));
	g_assert_false(satchel_hex_is_sha256(""));
}

static void
test_every_digit_of_a_sha256_is_looked_at(void)
{
	const char *all = "00112233445566778899aabbccddeeff0123456789abcdeffedcba9876543210";
	const guint8 expected[] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa,
				   0xbb, 0xcc, 0xdd, 0xee, 0xff, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab,
				   0xcd, 0xef, 0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10};
	guint8 sha256[32];

	g_assert_true(satchel_hex_read_sha256(all, sha256));
	g_assert_cmpmem(sha256, 32, expected, 32);
	for (guint i = 0; i < 64; i++) {
		for (const char *wrong = "/:`gAF\x80"; *wrong != '\0'; wrong++) {
			g_autofree char *hex = g_strdup(all);

			hex[i] = *wrong;
			g_assert_false(satchel_hex_to_sha256(hex, sha256));
		}
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/hex/bytes become lower-case digits", test_bytes_become_lower_case_digits);
	g_test_add_func("/hex/no bytes become no digits", test_no_bytes_become_no_digits);
	g_test_add_func("/hex/digits of either case become bytes",
			test_digits_of_either_case_become_bytes);
	g_test_add_func("/hex/what is no hex is refused", test_what_is_no_hex_is_refused);
	g_test_add_func("/hex/sha256 is 64 lower-case digits", test_sha256_is_64_lower_case_digits);
	g_test_add_func("/hex/every digit of a sha256 is looked at",
			test_every_digit_of_a_sha256_is_looked_at);
	return g_test_run();
}
