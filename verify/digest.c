#include "digest.h"
#include "hex.h"
#include <openssl/evp.h>

struct SatchelDigest {
	EVP_MD_CTX *context;
};

/* libcrypto refuses a digest only when memory or its own set-up is broken: nothing to go on with.
 */
static void
digest_must(int result)
{
	if (result != 1)
		g_error("libcrypto cannot compute a digest");
}

SatchelDigest *
satchel_digest_new(SatchelDigestAlgorithm algorithm)
{
	SatchelDigest *self = g_new0(SatchelDigest, 1);
	const EVP_MD *md = algorithm == SATCHEL_DIGEST_SHA512 ? EVP_sha512() : EVP_sha256();

	self->context = EVP_MD_CTX_new();
	digest_must(self->context != NULL);
	digest_must(EVP_DigestInit_ex(self->context, md, NULL));
	return self;
}

void
satchel_digest_update(SatchelDigest *self, gconstpointer data, gsize n_bytes)
{
	digest_must(EVP_DigestUpdate(self->context, data, n_bytes));
}

char *
satchel_digest_finish(SatchelDigest *self)
{
	guint8 digest[EVP_MAX_MD_SIZE];
	unsigned int n_bytes = 0;

	digest_must(EVP_DigestFinal_ex(self->context, digest, &n_bytes));
	return satchel_hex_encode(digest, n_bytes);
}

void
satchel_digest_finish_raw(SatchelDigest *self, guint8 sha256[SATCHEL_SHA256_BYTES])
{
	unsigned int n_bytes = 0;

	g_return_if_fail(EVP_MD_CTX_get_size(self->context) == SATCHEL_SHA256_BYTES);
	digest_must(EVP_DigestFinal_ex(self->context, sha256, &n_bytes));
}

void
satchel_digest_begin(SatchelDigest *self)
{
	/* Without an algorithm the context keeps the one it has, which spares looking it up. */
	digest_must(EVP_DigestInit_ex(self->context, NULL, NULL));
}

void
satchel_digest_free(SatchelDigest *self)
{
	EVP_MD_CTX_free(self->context);
	g_free(self);
}

char *
satchel_digest_sha256_hex(gconstpointer data, gsize n_bytes)
{
	g_autoptr(SatchelDigest) digest = satchel_digest_new(SATCHEL_DIGEST_SHA256);

	satchel_digest_update(digest, data, n_bytes);
	return satchel_digest_finish(digest);
}
