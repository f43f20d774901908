#include "app_hash.h"
#include "../verify/cli_progress.h"
#include "../verify/digest.h"
#include "../verify/progress.h"
#include "../verify/safe_read.h"
#include "file_error.h"
#include "interrupt.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define PIECE_BYTES (1024u * 1024u)

static gboolean
hash_fd(int fd, const char *path, const SatchelAppBlob *blob, guint8 *piece,
	SatchelProgress *progress, GError **error)
{
	g_autoptr(SatchelDigest) digest = satchel_digest_new(SATCHEL_DIGEST_SHA256);
	g_autofree char *found = NULL;
	ssize_t n_read;

	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	do {
		n_read = read(fd, piece, PIECE_BYTES);
		if (n_read < 0 && errno != EINTR)
			return satchel_file_error_set(error, errno, path, "read it");
		if (n_read > 0) {
			satchel_digest_update(digest, piece, (gsize)n_read);
			satchel_progress_advance(progress, (guint64)n_read);
		}
		if (!satchel_interrupt_check(error))
			return FALSE;
	} while (n_read != 0);
	found = satchel_digest_finish(digest);
	if (strcmp(found, blob->sha256) == 0)
		return TRUE;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_CONTENT_INVALID,
		    "%s, the %s, has the hash %s", path, satchel_app_blob_kind_name(blob->kind),
		    found);
	return FALSE;
}

static gboolean
hash_blob(const SatchelAppStore *store, const SatchelAppBlob *blob, guint8 *piece,
	  SatchelProgress *progress, GError **error)
{
	g_autofree char *path = satchel_app_store_blob(blob->sha256);
	guint64 size_bytes = 0;
	int fd = satchel_safe_open(satchel_app_store_get_fd(store), path, &size_bytes, error);
	gboolean good;

	if (fd < 0)
		return FALSE;
	good = hash_fd(fd, path, blob, piece, progress, error);
	close(fd);
	return good;
}

static guint64
sum_of(const GPtrArray *apps)
{
	guint64 sum_bytes = 0;

	for (guint i = 0; i < apps->len; i++)
		sum_bytes += ((const SatchelAppClosure *)apps->pdata[i])->size_bytes;
	return sum_bytes;
}

gboolean
satchel_app_hash_all(const SatchelAppStore *store, const GPtrArray *apps, GError **error)
{
	g_autoptr(SatchelProgress) progress =
		satchel_progress_begin(satchel_cli_progress(), "hashing", sum_of(apps));
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	g_autofree guint8 *piece = g_malloc(PIECE_BYTES);

	for (guint i = 0; i < apps->len; i++) {
		const SatchelAppClosure *app = apps->pdata[i];

		for (guint j = 0; j < app->blobs->len; j++) {
			const SatchelAppBlob *blob = &g_array_index(app->blobs, SatchelAppBlob, j);

			if (!g_hash_table_add(seen, (gpointer)(guintptr)blob->sha256))
				continue;
			if (!hash_blob(store, blob, piece, progress, error)) {
				g_prefix_error(error, "app %s: ", app->name);
				return FALSE;
			}
		}
	}
	return TRUE;
}
