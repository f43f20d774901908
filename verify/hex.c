#include "hex.h"

char *
satchel_hex_encode(gconstpointer data, gsize n_bytes)
{
	static const char digits[] = "0123456789abcdef";
	const guint8 *bytes = data;
	char *hex = g_malloc(n_bytes * 2 + 1);

	for (gsize i = 0; i < n_bytes; i++) {
		hex[2 * i] = digits[bytes[i] >> 4];
		hex[2 * i + 1] = digits[bytes[i] & 0xf];
	}
	hex[2 * n_bytes] = '\0';
	return hex;
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

gboolean
satchel_hex_is_sha256(const char *text)
{
	return strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}
