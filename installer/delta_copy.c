#include "delta_copy.h"
#include "../verify/bundle_form.h"
#include "../verify/cancel.h"
#include "../verify/digest.h"
#include "../verify/hex.h"
#include "../verify/medium_error.h"
#include "../verify/write_all.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define PIECE_BYTES (1024u * 1024u)

/* One delta on its way from the medium. */
typedef struct {
	SatchelBundleReader *bundle;
	const SatchelBundleDelta *delta;
	char *member;	/* (owned) */
	char *expected; /* hex; (owned) */
	const char *path;
	SatchelProgress *progress; /* (owned) */
	GCancellable *cancellable;
} DeltaCopy;

static void
delta_copy_clear(DeltaCopy *self)
{
	g_clear_pointer(&self->progress, satchel_progress_end);
	g_free(self->member);
	g_free(self->expected);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DeltaCopy, delta_copy_clear)

static gboolean
fail_write(const DeltaCopy *self, int problem, GError **error)
{
	g_set_error(error, SATCHEL_ERROR,
		    problem == ENOSPC || problem == EDQUOT ? SATCHEL_ERROR_NO_SPACE
							   : SATCHEL_ERROR_DOWNLOAD_FAILED,
		    "%s: cannot be copied to the device: %s", self->member, g_strerror(problem));
	return FALSE;
}

/* (transfer full): the hash of what was written to @fd; NULL on an error */
static char *
copy_pieces(const DeltaCopy *self, int fd, GError **error)
{
	g_autoptr(SatchelDigest) digest = satchel_digest_new(SATCHEL_DIGEST_SHA256);
	g_autofree guint8 *buffer = g_malloc(PIECE_BYTES);
	guint64 size_bytes = self->delta->size_bytes;

	for (guint64 offset = 0; offset < size_bytes;) {
		gsize n_bytes = (gsize)MIN(PIECE_BYTES, size_bytes - offset);

		if (!satchel_cancel_check(self->cancellable, error) ||
		    !satchel_bundle_reader_read_at(self->bundle, self->member, offset, buffer,
						   n_bytes, error))
			return NULL;
		if (!satchel_write_all(fd, buffer, n_bytes)) {
			fail_write(self, errno, error);
			return NULL;
		}
		satchel_digest_update(digest, buffer, n_bytes);
		satchel_progress_advance(self->progress, n_bytes);
		offset += n_bytes;
	}
	return satchel_digest_finish(digest);
}

/* @good: (out): whether the copy has the signed hash */
static gboolean
copy_once(const DeltaCopy *self, gboolean *good, GError **error)
{
	g_autofree char *found = NULL;
	int fd = open(self->path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return fail_write(self, errno, error);
	found = copy_pieces(self, fd, error);
	if (close(fd) != 0 && found != NULL) {
		g_clear_pointer(&found, g_free);
		(void)fail_write(self, errno, error);
	}
	*good = g_strcmp0(found, self->expected) == 0;
	return found != NULL;
}

/* Of an earlier run that was cut off; whatever is wrong with it, it is copied again. */
static gboolean
is_copied(const DeltaCopy *self)
{
	g_autoptr(SatchelDigest) digest = satchel_digest_new(SATCHEL_DIGEST_SHA256);
	g_autofree guint8 *buffer = g_malloc(PIECE_BYTES);
	g_autofree char *found = NULL;
	int fd = open(self->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n_read = 0;

	if (fd < 0)
		return FALSE;
	while ((n_read = read(fd, buffer, PIECE_BYTES)) > 0)
		satchel_digest_update(digest, buffer, (gsize)n_read);
	close(fd);
	found = satchel_digest_finish(digest);
	return n_read == 0 && strcmp(found, self->expected) == 0;
}

static gboolean
copy_twice(DeltaCopy *self, GError **error)
{
	gboolean good = FALSE;

	if (!copy_once(self, &good, error))
		return FALSE;
	if (good)
		return TRUE;
	satchel_bundle_reader_drop_cache(self->bundle, self->member, 0, self->delta->size_bytes);
	if (!copy_once(self, &good, error))
		return FALSE;
	return good ||
	       satchel_medium_error_set(error, SATCHEL_MEDIUM_WRONG_HASH, self->member, 0, NULL);
}

/* The medium's own word for its size comes first: a broken copy is told from an altered one. */
static gboolean
check_member(const DeltaCopy *self, GError **error)
{
	SatchelBundleStat info = {0};

	if (!satchel_bundle_reader_stat(self->bundle, self->member, &info, error)) {
		if (error != NULL &&
		    g_error_matches(*error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND))
			(*error)->code = SATCHEL_ERROR_NO_TARGET_CONTENT;
		return FALSE;
	}
	return info.size_bytes >= self->delta->size_bytes ||
	       satchel_medium_error_set(error, SATCHEL_MEDIUM_TOO_SHORT, self->member,
					info.size_bytes, NULL);
}

gboolean
satchel_delta_copy(SatchelBundleReader *bundle, const SatchelBundleDelta *delta, const char *path,
		   const SatchelProgressSink *sink, GCancellable *cancellable, GError **error)
{
	g_auto(DeltaCopy) self = {.bundle = bundle,
				  .delta = delta,
				  .member = satchel_bundle_delta_member(delta),
				  .path = path,
				  .cancellable = cancellable};
	const guint8 *sha256 = satchel_bundle_reader_get_signed_sha256(bundle, self.member);

	if (sha256 == NULL) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_BUNDLE_INVALID,
			    "%s is not listed in a signed " SATCHEL_BUNDLE_MANIFEST, self.member);
		return FALSE;
	}
	self.expected = satchel_hex_encode(sha256, SATCHEL_MANIFEST_SHA256_BYTES);
	if (is_copied(&self))
		return TRUE;
	if (!check_member(&self, error))
		return FALSE;
	self.progress = satchel_progress_begin(sink, "pulling", delta->size_bytes);
	if (copy_twice(&self, error))
		return TRUE;
	/* Nobody is to find what was not verified. */
	(void)unlink(path);
	return FALSE;
}
