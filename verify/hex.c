#include "hex.h"

static void
hex_write(const guint8 *bytes, gsize n_bytes, char *hex)
{
	static const char digits[] = "0123456789abcdef";

	for (gsize i = 0; i < n_bytes; i++) {
		hex[2 * i] = digits[bytes[i] >> 4];
		hex[2 * i + 1] = digits[bytes[i] & 0xf];
	}
	hex[2 * n_bytes] = '\0';
}

char *
satchel_hex_encode(gconstpointer data, gsize n_bytes)
{
	char *hex = g_malloc(n_bytes * 2 + 1);

	hex_write(data, n_bytes, hex);
	return hex;
}

void
satchel_hex_from_sha256(const guint8 sha256[32], char hex[65])
{
	hex_write(sha256, 32, hex);
}

GBytes *
satchel_hex_decode(const char *hex)
{
	gsize n_digits = strlen(hex);
	g_autofree guint8 *bytes = NULL;

	if (n_digits == 0 || n_digits % 2 != 0)
		return NULL;
	bytes = g_malloc(n_digits / 2);
	for (gsize i = 0; i < n_digits; i += 2) {
		if (!g_ascii_isxdigit(hex[i]) || !g_ascii_isxdigit(hex[i + 1]))
			return NULL;
		bytes[i / 2] = (guint8)(g_ascii_xdigit_value(hex[i]) << 4 |
					g_ascii_xdigit_value(hex[i + 1]));
	}
	return g_bytes_new_take(g_steal_pointer(&bytes), n_digits / 2);
}

#define IS_DIGIT 16u

/* Of a lower-case digit, with IS_DIGIT; 0 for anything else. A bundle has a million of them, which
 * come in no order that a processor could guess. */
static const guint8 digit_values[256] = {
	['0'] = IS_DIGIT | 0,  ['1'] = IS_DIGIT | 1,  ['2'] = IS_DIGIT | 2,  ['3'] = IS_DIGIT | 3,
	['4'] = IS_DIGIT | 4,  ['5'] = IS_DIGIT | 5,  ['6'] = IS_DIGIT | 6,  ['7'] = IS_DIGIT | 7,
	['8'] = IS_DIGIT | 8,  ['9'] = IS_DIGIT | 9,  ['a'] = IS_DIGIT | 10, ['b'] = IS_DIGIT | 11,
	['c'] = IS_DIGIT | 12, ['d'] = IS_DIGIT | 13, ['e'] = IS_DIGIT | 14, ['f'] = IS_DIGIT | 15,
};

gboolean
satchel_hex_read_sha256(const char digits[64], guint8 sha256[32])
{
	guint right = IS_DIGIT;

	for (gsize i = 0; i < 32; i++) {
		guint high = digit_values[(guint8)digits[2 * i]];
		guint low = digit_values[(guint8)digits[2 * i + 1]];

		right &= high & low;
		sha256[i] = (guint8)(high << 4 | (low & 15));
	}
	return right != 0;
}

gboolean
satchel_hex_to_sha256(const char *hex, guint8 sha256[32])
{
	return strlen(hex) == 64 && satchel_hex_read_sha256(hex, sha256);
}

gboolean
satchel_hex_is_sha256(const char *text)
{
	guint8 sha256[32];

	return satchel_hex_to_sha256(text, sha256);
}
