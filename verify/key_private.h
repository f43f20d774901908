#pragma once
#include "json.h"
#include <openssl/evp.h>
#include <satchel/key.h>

/* What stands inside a key, for signature.c and threshold.c. Pure. */

/* As satchel_key_new_from_json(), of a value that is already parsed. (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
SatchelKey *satchel_key_new_from_tree(const json_t *tree, SatchelDialect dialect, GError **error);

/* The 32 bytes of an ed25519 key; NULL for the other schemes. Borrowed. */
const guint8 *satchel_key_get_ed25519(const SatchelKey *self);

/* The key as libcrypto has it; NULL for ed25519. Borrowed; libcrypto only wants it without const.
 */
EVP_PKEY *satchel_key_get_pkey(const SatchelKey *self);
