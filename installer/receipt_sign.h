#pragma once
#include <jansson.h>
#include <satchel/error.h>

/**
 * satchel_receipt_sign:
 * @receipt: (transfer full): becomes the member "signed"
 * @key_file: the device's private key, PEM; need not be there
 *
 * Signs the canonical JSON of @receipt: ECDSA or RSA-PSS with SHA-256, or Ed25519. A signature
 * names its key by the SHA-256 of the public key, as SubjectPublicKeyInfo.
 *
 * Error: SATCHEL_ERROR_FAILED where there is a key that cannot be used.
 *
 * Returns: (transfer full): an object with "signed" and "signatures", which is empty without a key;
 * with @error too, so that a receipt is better unsigned than none
 */
json_t *satchel_receipt_sign(json_t *receipt, const char *key_file, GError **error);
