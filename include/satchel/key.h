#pragma once
#include <satchel/canonical_json.h>
#pragma GCC visibility push(default)

/* The three signature schemes. Anything else makes a key that never counts. */
typedef enum {
	SATCHEL_SCHEME_ED25519,
	SATCHEL_SCHEME_RSASSA_PSS_SHA256,
	SATCHEL_SCHEME_ECDSA_SHA2_NISTP256,
} SatchelScheme;

/* A public key that can verify. Immutable, reference-counted, usable from any thread. */
typedef struct SatchelKey SatchelKey;

/**
 * satchel_key_new_from_json:
 * @key_json: a key object as it stands in a root or in delegations, borrowed
 * @dialect: how keytype and scheme are spelled
 *
 * Accepts ed25519 (64 hex digits), RSA of 2048 bits and more, ECDSA on P-256 (PEM), with the legacy
 * spellings of keytype. PEM algorithm and curve must agree with keytype and scheme.
 *
 * Errors: SATCHEL_ERROR_METADATA_INVALID. A caller that reads a role ignores such a key.
 *
 * Returns: (transfer full): the key, or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelKey *satchel_key_new_from_json(GBytes *key_json, SatchelDialect dialect, GError **error);

SatchelKey *satchel_key_ref(SatchelKey *self);
void satchel_key_unref(SatchelKey *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelKey, satchel_key_unref)

SatchelScheme satchel_key_get_scheme(const SatchelKey *self);

/* SHA-256 of the key material alone (32 raw bytes for ed25519, DER SubjectPublicKeyInfo otherwise),
 * lower-case hex. Two keys with one fingerprint are one key, whatever their keyids say. Borrowed.
 */
const char *satchel_key_get_fingerprint(const SatchelKey *self);

#pragma GCC visibility pop
