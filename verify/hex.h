#pragma once
#include <satchel/error.h>

/* Lower-case hex. (transfer full) */
char *satchel_hex_encode(gconstpointer data, gsize n_bytes);

/* Either case, even length, at least one byte; NULL otherwise. (transfer full) */
GBytes *satchel_hex_decode(const char *hex);

/* TRUE for exactly 64 lower-case hex digits: a SHA-256, an OSTree checksum. */
gboolean satchel_hex_is_sha256(const char *text);
