#include "unpack_bundle.h"
#include "../verify/digest.h"
#include "../verify/hex.h"
#include "../verify/path_safety.h"
#include "interrupt.h"
#include "medium.h"
#include "write_directory.h"
#include <string.h>

#define PIECE_BYTES (1024u * 1024u)

typedef struct {
	SatchelBundleReader *bundle;
	int dir_fd;
	GHashTable *written; /* (nullable) */
	SatchelProgress *progress;
	guint8 *buffer;
} Unpacking;

static gboolean
copy_content(Unpacking *self, const SatchelPackedMember *member, SatchelFileWriter *writer,
	     GError **error)
{
	for (guint64 offset = 0; offset < member->size_bytes;) {
		gsize n_bytes = (gsize)MIN(member->size_bytes - offset, PIECE_BYTES);

		if (!satchel_bundle_reader_read_at(self->bundle, member->path, offset, self->buffer,
						   n_bytes, error) ||
		    !satchel_write_directory_append(writer, self->buffer, n_bytes, error) ||
		    !satchel_interrupt_check(error))
			return FALSE;
		offset += n_bytes;
		if (self->progress != NULL)
			satchel_progress_advance(self->progress, n_bytes);
	}
	return satchel_interrupt_check(error);
}

static gboolean
unpack_member(Unpacking *self, const SatchelPackedMember *member, GError **error)
{
	g_autoptr(SatchelFileWriter) writer =
		satchel_write_directory_begin(self->dir_fd, member->path, error);
	g_autofree char *listed = satchel_hex_encode(member->sha256, sizeof member->sha256);
	g_autofree char *quoted = NULL;
	SatchelWrittenFile written;

	if (writer == NULL || !copy_content(self, member, writer, error) ||
	    !satchel_write_directory_finish(writer, &written, error))
		return FALSE;
	if (self->written != NULL)
		g_hash_table_insert(self->written, g_strdup(member->path),
				    g_strdup(written.sha256));
	if (!member->is_listed || strcmp(written.sha256, listed) == 0)
		return TRUE;
	quoted = satchel_path_quote(member->path);
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
		    "%s: not what the manifest says: it is damaged or was altered", quoted);
	return FALSE;
}

/* What was made only to have an order stays out. */
static gboolean
unpack_manifest(Unpacking *self, const SatchelPackedOrder *order, GError **error)
{
	gconstpointer data = g_bytes_get_data(order->manifest, NULL);
	gsize n_bytes = g_bytes_get_size(order->manifest);

	if (order->manifest_is_made)
		return TRUE;
	if (self->written != NULL)
		g_hash_table_insert(self->written, g_strdup(SATCHEL_BUNDLE_MANIFEST),
				    satchel_digest_sha256_hex(data, n_bytes));
	if (self->progress != NULL)
		satchel_progress_advance(self->progress, n_bytes);
	return satchel_write_directory_put(self->dir_fd, SATCHEL_BUNDLE_MANIFEST, order->manifest,
					   NULL, error);
}

gboolean
satchel_unpack_bundle(SatchelBundleReader *bundle, const SatchelPackedOrder *order, int dir_fd,
		      const char *path, GHashTable *written, SatchelProgress *progress,
		      GError **error)
{
	g_autofree guint8 *buffer = g_malloc(PIECE_BYTES);
	Unpacking self = {bundle, dir_fd, written, progress, buffer};

	if (!satchel_medium_check_space(dir_fd, path, order->members->len + order->folders->len + 1,
					order->size_bytes, error))
		return FALSE;
	for (guint i = 0; i < order->members->len; i++)
		if (!unpack_member(&self, &g_array_index(order->members, SatchelPackedMember, i),
				   error))
			return FALSE;
	for (guint i = 0; i < order->folders->len; i++)
		if (!satchel_write_directory_make_folder(dir_fd, order->folders->pdata[i], error))
			return FALSE;
	return unpack_manifest(&self, order, error);
}
