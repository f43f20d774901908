#pragma once
#include <openssl/evp.h>
#include <satchel/error.h>

/*
 * RSA-PSS and ECDSA signatures without a random number generator. Both schemes ask for a fresh
 * value per message; here it is derived from the private key and the message by HMAC-SHA256, so
 * that nobody without the key can predict it and equal input gives equal bytes. libcrypto 3.0
 * offers this for neither scheme. Verifiers can't tell the difference. Pure.
 */

/**
 * satchel_deterministic_signature_pss:
 * @key: an RSA key with its private half, borrowed
 *
 * RSASSA-PSS of RFC 8017, 8.1.1 and 9.1.1: SHA-256, MGF1 with SHA-256, a salt of 32 bytes (as
 * fioctl makes them), the salt derived instead of drawn (RFC 8017 allows any, even a fixed one).
 *
 * Errors: SATCHEL_ERROR_FAILED.
 *
 * Returns: (transfer full): as many bytes as the modulus has
 */
G_GNUC_WARN_UNUSED_RESULT
GBytes *satchel_deterministic_signature_pss(EVP_PKEY *key, GBytes *message, GError **error);

/**
 * satchel_deterministic_signature_ecdsa:
 * @key: a P-256 key with its private half, borrowed
 *
 * ECDSA with SHA-256 and the nonce of RFC 6979, 3.2.
 *
 * Errors: SATCHEL_ERROR_FAILED.
 *
 * Returns: (transfer full): DER
 */
G_GNUC_WARN_UNUSED_RESULT
GBytes *satchel_deterministic_signature_ecdsa(EVP_PKEY *key, GBytes *message, GError **error);
