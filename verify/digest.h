#pragma once
#include <satchel/error.h>

/* Streaming SHA-256 and SHA-512 by libcrypto, which uses the processor's instructions. */
typedef enum { SATCHEL_DIGEST_SHA256, SATCHEL_DIGEST_SHA512 } SatchelDigestAlgorithm;
typedef struct SatchelDigest SatchelDigest;

#define SATCHEL_SHA256_BYTES 32

/* Never NULL: failing to get a digest from libcrypto aborts, as running out of memory does. */
SatchelDigest *satchel_digest_new(SatchelDigestAlgorithm algorithm);
void satchel_digest_update(SatchelDigest *self, gconstpointer data, gsize n_bytes);
/* Lower-case hex, once. (transfer full) */
char *satchel_digest_finish(SatchelDigest *self);
/* The same for SHA-256 as bytes. */
void satchel_digest_finish_raw(SatchelDigest *self, guint8 sha256[SATCHEL_SHA256_BYTES]);
/* Anew, as after satchel_digest_new(): for one who hashes much. */
void satchel_digest_begin(SatchelDigest *self);
void satchel_digest_free(SatchelDigest *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelDigest, satchel_digest_free)

/* Of a whole buffer. (transfer full) */
char *satchel_digest_sha256_hex(gconstpointer data, gsize n_bytes);
