#include "read_back.h"
#include "../verify/digest.h"
#include "../verify/path_safety.h"
#include "interrupt.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define PIECE_BYTES (1024u * 1024u)

static gboolean
fails(GError **error, const char *shown, const char *what)
{
	g_autofree char *quoted = satchel_path_quote(shown);

	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
		    "%s: the stick is failing: %s", quoted, what);
	return FALSE;
}

static gboolean
hash_file(int fd, const char *shown, SatchelDigest *digest, SatchelProgress *progress,
	  GError **error)
{
	g_autofree guint8 *buffer = g_malloc(PIECE_BYTES);
	off_t offset = 0;
	ssize_t n_read;

	while ((n_read = TEMP_FAILURE_RETRY(pread(fd, buffer, PIECE_BYTES, offset))) > 0) {
		satchel_digest_update(digest, buffer, (gsize)n_read);
		offset += n_read;
		if (progress != NULL)
			satchel_progress_advance(progress, (guint64)n_read);
		if (!satchel_interrupt_check(error))
			return FALSE;
	}
	return n_read == 0 || fails(error, shown, g_strerror(errno));
}

gboolean
satchel_read_back(int dir_fd, const char *name, const char *shown, const char *sha256,
		  SatchelProgress *progress, GError **error)
{
	g_autoptr(SatchelDigest) digest = satchel_digest_new(SATCHEL_DIGEST_SHA256);
	g_autofree char *actual = NULL;
	int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	gboolean good;

	if (fd < 0)
		return fails(error, shown, g_strerror(errno));
	/* Pages that are on the medium are dropped; it was synced, so that is all of them. */
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	good = hash_file(fd, shown, digest, progress, error);
	close(fd);
	if (!good)
		return FALSE;
	actual = satchel_digest_finish(digest);
	return strcmp(actual, sha256) == 0 ||
	       fails(error, shown, "it does not give back what was written");
}
