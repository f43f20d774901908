#include "object_verify.h"
#include "digest.h"
#include <libdeflate.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* What deflate makes of a byte at best, rounded up. */
#define DEFLATE_MAX_RATIO 1033u

struct SatchelObjectVerifier {
	SatchelDigest *digest;
	struct libdeflate_decompressor *inflater;
	gsize max_content_bytes;
	guint8 *content; /* takes memory as far as it was written to */
	int content_fd;	 /* of it; negative: it is private memory */
	GBytes *header;	 /* of the object looked at last */
};

/* Memory with a descriptor, so that the kernel can copy content to a file in large pieces. Where
 * there is none, content is written from private memory, in smaller ones. */
static guint8 *
map_content(gsize n_bytes, int *fd)
{
	void *content = MAP_FAILED;

	*fd = memfd_create("content", MFD_CLOEXEC);
	if (*fd >= 0 && ftruncate(*fd, (off_t)n_bytes) == 0)
		content = mmap(NULL, n_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	if (content != MAP_FAILED)
		return content;
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	return g_malloc(n_bytes);
}

static void
unmap_content(guint8 *content, gsize n_bytes, int fd)
{
	if (fd < 0) {
		g_free(content);
		return;
	}
	munmap(content, n_bytes);
	close(fd);
}

SatchelObjectVerifier *
satchel_object_verifier_new(gsize max_content_bytes)
{
	SatchelObjectVerifier *self = g_new0(SatchelObjectVerifier, 1);

	self->digest = satchel_digest_new(SATCHEL_DIGEST_SHA256);
	self->inflater = libdeflate_alloc_decompressor();
	if (self->inflater == NULL)
		g_error("no memory for inflating");
	self->max_content_bytes = max_content_bytes;
	self->content = map_content(max_content_bytes, &self->content_fd);
	return self;
}

void
satchel_object_verifier_free(SatchelObjectVerifier *self)
{
	if (self == NULL)
		return;
	satchel_digest_free(self->digest);
	libdeflate_free_decompressor(self->inflater);
	g_clear_pointer(&self->header, g_bytes_unref);
	unmap_content(self->content, self->max_content_bytes, self->content_fd);
	g_free(self);
}

static SatchelVerifyOutcome
verify_bad(GError **error, const char *reason)
{
	g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED, reason);
	return SATCHEL_VERIFY_BAD;
}

gboolean
satchel_object_verifier_matches(SatchelObjectVerifier *self, gconstpointer data, gsize n_bytes,
				const guint8 *sha256)
{
	guint8 found[SATCHEL_SHA256_BYTES];

	satchel_digest_begin(self->digest);
	satchel_digest_update(self->digest, data, n_bytes);
	satchel_digest_finish_raw(self->digest, found);
	return memcmp(found, sha256, sizeof found) == 0;
}

static const char *
describe_inflate(enum libdeflate_result result)
{
	if (result == LIBDEFLATE_INSUFFICIENT_SPACE)
		return "longer than its header says";
	return "the compressed data are damaged or cut short";
}

/* Exactly @size_bytes from exactly @n_bytes: what the hash does not cover must not be there. */
static SatchelVerifyOutcome
verify_inflate(SatchelObjectVerifier *self, const guint8 *data, gsize n_bytes, guint64 size_bytes,
	       GError **error)
{
	enum libdeflate_result result;
	gsize n_used = 0, n_made = 0;

	if (size_bytes / DEFLATE_MAX_RATIO > n_bytes)
		return verify_bad(error,
				  "the file header claims more content than the file can hold");
	if (size_bytes > self->max_content_bytes)
		return SATCHEL_VERIFY_TOO_LARGE;
	result = libdeflate_deflate_decompress_ex(self->inflater, data, n_bytes, self->content,
						  (gsize)size_bytes, &n_used, &n_made);
	if (result != LIBDEFLATE_SUCCESS)
		return verify_bad(error, describe_inflate(result));
	if (n_made != size_bytes)
		return verify_bad(error, "shorter than its header says");
	if (n_used != n_bytes)
		return verify_bad(error, "something follows the compressed data");
	return SATCHEL_VERIFY_GOOD;
}

/* The header in the form in which it is hashed, and both hashed together. */
static SatchelVerifyOutcome
verify_content(SatchelObjectVerifier *self, const SatchelStoredObject *stored,
	       const SatchelFileHeader *header, SatchelVerifiedObject *verified, GError **error)
{
	guint8 found[SATCHEL_SHA256_BYTES];

	g_clear_pointer(&self->header, g_bytes_unref);
	self->header = satchel_file_header_to_checksum_prefix(header);
	verified->header = g_bytes_get_data(self->header, &verified->n_header_bytes);
	satchel_digest_begin(self->digest);
	satchel_digest_update(self->digest, verified->header, verified->n_header_bytes);
	satchel_digest_update(self->digest, verified->content, verified->n_content_bytes);
	satchel_digest_finish_raw(self->digest, found);
	if (memcmp(found, stored->checksum, sizeof found) == 0)
		return SATCHEL_VERIFY_GOOD;
	return verify_bad(error, "the content does not match the object's hash");
}

static SatchelVerifyOutcome
verify_archive(SatchelObjectVerifier *self, const SatchelStoredObject *stored,
	       SatchelVerifiedObject *verified, GError **error)
{
	g_auto(SatchelFileHeader) header = {0};
	g_autoptr(GError) local_error = NULL;
	SatchelVerifyOutcome outcome = SATCHEL_VERIFY_GOOD;
	gsize n_consumed = 0;

	if (!satchel_file_header_parse_archive(stored->data, stored->n_bytes, &header, &n_consumed,
					       &local_error))
		return verify_bad(error, local_error->message);
	if (header.symlink_target == NULL)
		outcome = verify_inflate(self, stored->data + n_consumed,
					 stored->n_bytes - n_consumed, header.size_bytes, error);
	else if (n_consumed != stored->n_bytes)
		outcome = verify_bad(error, "something follows the symbolic link");
	if (outcome != SATCHEL_VERIFY_GOOD)
		return outcome;
	verified->content = self->content;
	verified->content_fd = self->content_fd >= 0 ? &self->content_fd : NULL;
	verified->n_content_bytes = (gsize)header.size_bytes;
	return verify_content(self, stored, &header, verified, error);
}

static SatchelVerifyOutcome
verify_bare(SatchelObjectVerifier *self, const SatchelStoredObject *stored,
	    SatchelVerifiedObject *verified, GError **error)
{
	verified->content = stored->data;
	verified->n_content_bytes = stored->header->symlink_target != NULL ? 0 : stored->n_bytes;
	if (stored->header->size_bytes != verified->n_content_bytes)
		return verify_bad(error, "not as long as it was");
	return verify_content(self, stored, stored->header, verified, error);
}

/* Commits, trees and their metadata are stored as they are hashed. */
static SatchelVerifyOutcome
verify_metadata(SatchelObjectVerifier *self, const SatchelStoredObject *stored,
		SatchelVerifiedObject *verified, GError **error)
{
	if (stored->signed_sha256 != NULL &&
	    memcmp(stored->signed_sha256, stored->checksum, SATCHEL_SHA256_BYTES) != 0)
		return verify_bad(error, "the manifest has another hash for it than its name");
	if (!satchel_object_verifier_matches(self, stored->data, stored->n_bytes, stored->checksum))
		return verify_bad(error, "the content does not match the object's hash");
	verified->content = stored->data;
	verified->n_content_bytes = stored->n_bytes;
	return SATCHEL_VERIFY_GOOD;
}

SatchelVerifyOutcome
satchel_object_verifier_check(SatchelObjectVerifier *self, const SatchelStoredObject *stored,
			      SatchelVerifiedObject *verified, GError **error)
{
	SatchelVerifiedObject found = {0};
	SatchelVerifyOutcome outcome;

	if (stored->type != SATCHEL_OBJECT_FILE)
		outcome = verify_metadata(self, stored, &found, error);
	else if (stored->signed_sha256 != NULL &&
		 !satchel_object_verifier_matches(self, stored->data, stored->n_bytes,
						  stored->signed_sha256))
		outcome = verify_bad(error, "the content does not match the manifest's hash");
	else if (stored->header == NULL)
		outcome = verify_archive(self, stored, &found, error);
	else
		outcome = verify_bare(self, stored, &found, error);
	if (outcome == SATCHEL_VERIFY_GOOD)
		*verified = found;
	return outcome;
}
