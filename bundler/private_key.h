#pragma once
#include <jansson.h>
#include <satchel/key.h>

/*
 * A key that can sign. Immutable; usable from one thread at a time. Its secret lives in libcrypto's
 * key object, which wipes it when it is freed, and nowhere else unless asked for by
 * satchel_private_key_to_pem(). No I/O.
 */
typedef struct SatchelPrivateKey SatchelPrivateKey;

/**
 * satchel_private_key_generate:
 *
 * ed25519, RSA of 4096 bits (what the field has), or ECDSA on P-256.
 * Errors: SATCHEL_ERROR_FAILED where libcrypto has no randomness.
 *
 * Returns: (transfer full)
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelPrivateKey *satchel_private_key_generate(SatchelScheme scheme, GError **error);

/**
 * satchel_private_key_new_from_pem:
 * @pem: PKCS#8, PKCS#1 or SEC1 text, not encrypted; borrowed
 *
 * Errors: SATCHEL_ERROR_FAILED for anything but ed25519, RSA of 2048 to 8192 bits, or P-256.
 *
 * Returns: (transfer full)
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelPrivateKey *satchel_private_key_new_from_pem(gconstpointer pem, gsize n_bytes,
						    GError **error);

/* Bytes of @seed that satchel_private_key_new_from_seed() reads. */
#define SATCHEL_PRIVATE_KEY_SEED_BYTES 32

/* ed25519 from its seed, as fioctl stores it. Errors: SATCHEL_ERROR_FAILED. (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
SatchelPrivateKey *satchel_private_key_new_from_seed(const guint8 *seed, GError **error);

/* PKCS#8 PEM; the bytes are wiped when they are freed. (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
GBytes *satchel_private_key_to_pem(const SatchelPrivateKey *self, GError **error);

SatchelScheme satchel_private_key_get_scheme(const SatchelPrivateKey *self);

/* As satchel_key_get_fingerprint() of the public half. Borrowed. */
const char *satchel_private_key_get_fingerprint(const SatchelPrivateKey *self);

/* The public half as a key object of a role: keytype, keyval and, in the tuf dialect, scheme.
 * (transfer full) */
json_t *satchel_private_key_to_public_json(const SatchelPrivateKey *self, SatchelDialect dialect);

/* uptane: SHA-256 of the DER SubjectPublicKeyInfo, as fioctl has it; tuf: SHA-256 of the canonical
 * key object (TUF 4.2.1). Hex. (transfer full) */
char *satchel_private_key_keyid(const SatchelPrivateKey *self, SatchelDialect dialect);

/**
 * satchel_private_key_sign:
 * @message: borrowed
 *
 * The same message gives the same signature, for every scheme: a bundle that is built twice is the
 * same bundle. Errors: SATCHEL_ERROR_FAILED.
 *
 * Returns: (transfer full): raw signature bytes (DER for ECDSA)
 */
G_GNUC_WARN_UNUSED_RESULT
GBytes *satchel_private_key_sign(const SatchelPrivateKey *self, GBytes *message, GError **error);

void satchel_private_key_free(SatchelPrivateKey *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelPrivateKey, satchel_private_key_free)
