#include "write_packed.h"
#include "interrupt.h"
#include "member_feed.h"
#include "tar_writer.h"
#include <string.h>

typedef struct {
	const SatchelPackedOrder *order;
	SatchelMemberFeed *feed;
	SatchelTarWriter *tar;
	SatchelProgress *progress;
} Packing;

static void
packing_clear(Packing *self)
{
	g_clear_pointer(&self->feed, satchel_member_feed_free);
	g_clear_pointer(&self->tar, satchel_tar_writer_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Packing, packing_clear)

static gboolean
to_output(gpointer output, gconstpointer data, gsize n_bytes, GError **error)
{
	return satchel_packed_output_append(output, data, n_bytes, error);
}

static gboolean
put_data(Packing *self, gconstpointer data, gsize n_bytes, GError **error)
{
	if (!satchel_tar_writer_put_data(self->tar, data, n_bytes, error))
		return FALSE;
	if (self->progress != NULL)
		satchel_progress_advance(self->progress, n_bytes);
	return satchel_interrupt_check(error);
}

static gboolean
put_bytes(Packing *self, const char *path, GBytes *content, GError **error)
{
	gsize n_bytes = 0;
	gconstpointer data = g_bytes_get_data(content, &n_bytes);

	return satchel_tar_writer_begin_file(self->tar, path, n_bytes, error) &&
	       put_data(self, data, n_bytes, error);
}

static gboolean
put_member(Packing *self, const SatchelPackedMember *member, GError **error)
{
	guint64 left_bytes = member->size_bytes;

	if (!satchel_tar_writer_begin_file(self->tar, member->path, left_bytes, error))
		return FALSE;
	while (left_bytes > 0) {
		gsize n_bytes = 0;
		const guint8 *data = satchel_member_feed_next(
			self->feed, (gsize)MIN(left_bytes, G_MAXINT32), &n_bytes, error);

		if (data == NULL || !put_data(self, data, n_bytes, error))
			return FALSE;
		left_bytes -= n_bytes;
	}
	return TRUE;
}

static gboolean
put_members(Packing *self, guint first, guint end, GError **error)
{
	for (guint i = first; i < end; i++) {
		const SatchelPackedMember *member =
			&g_array_index(self->order->members, SatchelPackedMember, i);
		gboolean is_meta = strcmp(member->path, SATCHEL_BUNDLE_META) == 0;

		if (!(is_meta ? put_bytes(self, member->path, self->order->meta, error)
			      : put_member(self, member, error)))
			return FALSE;
	}
	return TRUE;
}

static gboolean
put_folders(Packing *self, GError **error)
{
	for (guint i = 0; i < self->order->folders->len; i++)
		if (!satchel_tar_writer_put_folder(self->tar, self->order->folders->pdata[i],
						   error))
			return FALSE;
	return TRUE;
}

gboolean
satchel_write_packed(SatchelBundleReader *bundle, const SatchelPackedOrder *order,
		     SatchelPackedOutput *output, SatchelProgress *progress, GError **error)
{
	g_auto(Packing) self = {.order = order, .progress = progress};

	self.tar = satchel_tar_writer_new(order->time_s, to_output, output, error);
	if (self.tar == NULL)
		return FALSE;
	self.feed = satchel_member_feed_start(bundle, order);
	return put_members(&self, 0, order->n_tuf, error) && put_folders(&self, error) &&
	       put_bytes(&self, SATCHEL_BUNDLE_MANIFEST, order->manifest, error) &&
	       put_members(&self, order->n_tuf, order->members->len, error) &&
	       satchel_member_feed_finish(self.feed, error) &&
	       satchel_tar_writer_finish(self.tar, error);
}
