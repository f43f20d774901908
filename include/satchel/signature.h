#pragma once
#include <satchel/key.h>
#pragma GCC visibility push(default)

/**
 * satchel_signature_verify:
 * @key: borrowed
 * @message: the canonical bytes that were signed, borrowed
 * @signature: raw bytes, already decoded from hex or base64, borrowed
 *
 * Pure; callable from any thread.
 *
 * Returns: TRUE only when @signature is @key's over @message
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_signature_verify(const SatchelKey *key, GBytes *message, GBytes *signature);

#pragma GCC visibility pop
