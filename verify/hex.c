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

/* Of a lower-case digit; more than 15 for anything else. A bundle has a hundred thousand of these.
 */
static guint
digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (guint)(c - '0');
	return c >= 'a' && c <= 'f' ? (guint)(c - 'a') + 10 : 16;
}

gboolean
satchel_hex_read_sha256(const char digits[64], guint8 sha256[32])
{
	guint wrong = 0;

	for (gsize i = 0; i < 32; i++) {
		guint high = digit_value(digits[2 * i]);
		guint low = digit_value(digits[2 * i + 1]);

		wrong |= (high | low) & 16;
		sha256[i] = (guint8)(high << 4 | low);
	}
	return wrong == 0;
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
