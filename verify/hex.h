#pragma once
#include <satchel/error.h>

/* Lower-case hex. (transfer full) */
char *satchel_hex_encode(gconstpointer data, gsize n_bytes);

/* Either case, even length, at least one byte; NULL otherwise. (transfer full) */
GBytes *satchel_hex_decode(const char *hex);

/* A SHA-256 from its 32 bytes, and back; the way back takes what satchel_hex_is_sha256() accepts.
 */
void satchel_hex_from_sha256(const guint8 sha256[32], char hex[65]);
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_hex_to_sha256(const char *hex, guint8 sha256[32]);

/* As satchel_hex_to_sha256(), of 64 digits that no NUL ends. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_hex_read_sha256(const char digits[64], guint8 sha256[32]);

/* TRUE for exactly 64 lower-case hex digits: a SHA-256, an OSTree checksum. */
gboolean satchel_hex_is_sha256(const char *text);
