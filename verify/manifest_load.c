#include "manifest_load.h"
#include "digest.h"
#include "hex.h"
#include <string.h>
#include <sys/mman.h>

/* A text of tens of thousands of members is one piece, read and hashed once. */
#define PIECE_BYTES (8u * 1024u * 1024u)
#define MAX_PIECES (SATCHEL_LIMIT_MANIFEST_BYTES / PIECE_BYTES + 1)

/*
 * Two passes: the first one hashes the whole text and each piece of it, the second one reads each
 * piece again and parses it only if it still has its hash.
 */
typedef struct {
	SatchelBundleReader *bundle;
	guint64 length_bytes;
	guint8 sha256[SATCHEL_SHA256_BYTES]; /* of the whole */
	guint8 pieces[MAX_PIECES][SATCHEL_SHA256_BYTES];
	guint n_pieces;
	guint n_lines;
	guint8 *buffer; /* the last piece that was read (owned, mapped) */
	gsize n_buffer_bytes;
	SatchelDigest *digest;
} Loading;

static void
loading_clear(Loading *self)
{
	if (self->buffer != NULL)
		(void)munmap(self->buffer, self->n_buffer_bytes);
	g_clear_pointer(&self->digest, satchel_digest_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Loading, loading_clear)

/* A fault for each page of it would take longer than to read it. */
static void
loading_map_buffer(Loading *self)
{
	void *mapped;

	self->n_buffer_bytes = (gsize)MIN(self->length_bytes, PIECE_BYTES) + 1;
	mapped = mmap(NULL, self->n_buffer_bytes, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (mapped == MAP_FAILED)
		g_error("no memory for %" G_GSIZE_FORMAT " bytes", self->n_buffer_bytes);
	self->buffer = mapped;
}

static gsize
piece_length(const Loading *self, guint piece)
{
	return (gsize)MIN(self->length_bytes - (guint64)piece * PIECE_BYTES, PIECE_BYTES);
}

static gboolean
read_piece(const Loading *self, guint piece, GError **error)
{
	return satchel_bundle_reader_read_at(self->bundle, SATCHEL_BUNDLE_MANIFEST,
					     (guint64)piece * PIECE_BYTES, self->buffer,
					     piece_length(self, piece), error);
}

static void
hash_piece(const Loading *self, guint piece, guint8 sha256[SATCHEL_SHA256_BYTES])
{
	satchel_digest_begin(self->digest);
	satchel_digest_update(self->digest, self->buffer, piece_length(self, piece));
	satchel_digest_finish_raw(self->digest, sha256);
}

static guint
count_lines(const guint8 *text, gsize n_bytes)
{
	const guint8 *end = text + n_bytes;
	guint n_lines = 0;

	while ((text = memchr(text, '\n', (gsize)(end - text))) != NULL) {
		n_lines++;
		text++;
	}
	return n_lines;
}

static gboolean
hash_all(Loading *self, GError **error)
{
	g_autoptr(SatchelDigest) whole = satchel_digest_new(SATCHEL_DIGEST_SHA256);

	self->n_lines = 0;
	for (guint i = 0; i < self->n_pieces; i++) {
		if (!read_piece(self, i, error))
			return FALSE;
		satchel_digest_update(whole, self->buffer, piece_length(self, i));
		if (self->n_pieces > 1)
			hash_piece(self, i, self->pieces[i]);
		self->n_lines += count_lines(self->buffer, piece_length(self, i));
	}
	satchel_digest_finish_raw(whole, self->sha256);
	return TRUE;
}

static gboolean
load_mismatch(GError **error)
{
	g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_BUNDLE_INVALID,
			    SATCHEL_BUNDLE_MANIFEST " is not the one that " SATCHEL_BUNDLE_META
						    " was signed with");
	return FALSE;
}

/* @wanted: (nullable) */
static gboolean
hash_twice(Loading *self, const guint8 *wanted, GError **error)
{
	for (guint i = 0; i < 2; i++) {
		if (!hash_all(self, error))
			return FALSE;
		if (wanted == NULL || memcmp(self->sha256, wanted, sizeof self->sha256) == 0)
			return TRUE;
		satchel_bundle_reader_drop_cache(self->bundle, SATCHEL_BUNDLE_MANIFEST, 0,
						 self->length_bytes);
	}
	return load_mismatch(error);
}

/* The piece that was hashed, once more; a single one is still there. */
static gboolean
read_again(const Loading *self, guint piece, GError **error)
{
	guint8 sha256[SATCHEL_SHA256_BYTES];

	if (self->n_pieces == 1)
		return TRUE;
	for (guint i = 0; i < 2; i++) {
		if (!read_piece(self, piece, error))
			return FALSE;
		hash_piece(self, piece, sha256);
		if (memcmp(sha256, self->pieces[piece], sizeof sha256) == 0)
			return TRUE;
		satchel_bundle_reader_drop_cache(self->bundle, SATCHEL_BUNDLE_MANIFEST,
						 (guint64)piece * PIECE_BYTES, PIECE_BYTES);
	}
	g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
			    SATCHEL_BUNDLE_MANIFEST
			    " changed while it was read; the stick is failing");
	return FALSE;
}

static SatchelManifest *
parse_all(const Loading *self, GError **error)
{
	g_autoptr(SatchelManifestParser) parser =
		satchel_manifest_parser_new(self->sha256, self->n_lines, self->length_bytes);

	for (guint i = 0; i < self->n_pieces; i++) {
		if (!read_again(self, i, error) ||
		    !satchel_manifest_parser_feed(parser, (const char *)self->buffer,
						  piece_length(self, i), error))
			return NULL;
	}
	return satchel_manifest_parser_finish(parser, error);
}

SatchelManifest *
satchel_manifest_load(SatchelBundleReader *bundle, const char *sha256, guint64 length_bytes,
		      GError **error)
{
	g_auto(Loading) self = {.bundle = bundle, .length_bytes = length_bytes};
	guint8 wanted[SATCHEL_SHA256_BYTES];

	if (length_bytes > SATCHEL_LIMIT_MANIFEST_BYTES) {
		g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_BUNDLE_INVALID,
				    SATCHEL_BUNDLE_MANIFEST " is too large");
		return NULL;
	}
	if (sha256 != NULL && !satchel_hex_to_sha256(sha256, wanted)) {
		(void)load_mismatch(error);
		return NULL;
	}
	self.n_pieces = (guint)((length_bytes + PIECE_BYTES - 1) / PIECE_BYTES);
	loading_map_buffer(&self);
	self.digest = satchel_digest_new(SATCHEL_DIGEST_SHA256);
	if (!hash_twice(&self, sha256 != NULL ? wanted : NULL, error))
		return NULL;
	return parse_all(&self, error);
}
