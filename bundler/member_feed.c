#include "member_feed.h"
#include "../verify/digest.h"
#include "../verify/path_safety.h"
#include <string.h>

#define BATCH_BYTES (1024u * 1024u)
#define N_BATCHES 4u

typedef struct {
	gsize n_bytes;
	GError *error; /* (nullable): why it is the last */
	gboolean is_last;
	guint8 data[BATCH_BYTES];
} Batch;

struct SatchelMemberFeed {
	SatchelBundleReader *bundle;
	const SatchelPackedOrder *order;
	GThread *thread;
	GAsyncQueue *empty;
	GAsyncQueue *full;
	int stop;	/* atomic */
	Batch *filling; /* the thread's */
	Batch *taken;	/* the caller's */
	gsize at;	/* in @taken */
};

static void
batch_free(gpointer data)
{
	Batch *batch = data;

	g_clear_error(&batch->error);
	g_free(batch);
}

/* ---- the thread ---- */

/* FALSE where nobody wants any more. */
static gboolean
feed_hand_over(SatchelMemberFeed *self)
{
	g_async_queue_push(self->full, g_steal_pointer(&self->filling));
	self->filling = g_async_queue_pop(self->empty);
	self->filling->n_bytes = 0;
	return g_atomic_int_get(&self->stop) == 0;
}

static gboolean
feed_fails(GError **error, const char *path, const char *what)
{
	g_autofree char *quoted = satchel_path_quote(path);

	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED, "%s: %s", quoted, what);
	return FALSE;
}

/* FALSE without @error where nobody wants any more. */
static gboolean
feed_content(SatchelMemberFeed *self, const SatchelPackedMember *member, SatchelDigest *digest,
	     GError **error)
{
	for (guint64 offset = 0; offset < member->size_bytes;) {
		guint8 *data = self->filling->data + self->filling->n_bytes;
		gsize n_bytes = (gsize)MIN(member->size_bytes - offset,
					   BATCH_BYTES - self->filling->n_bytes);

		if (!satchel_bundle_reader_read_at(self->bundle, member->path, offset, data,
						   n_bytes, error))
			return FALSE;
		satchel_digest_update(digest, data, n_bytes);
		self->filling->n_bytes += n_bytes;
		offset += n_bytes;
		if (self->filling->n_bytes == BATCH_BYTES && !feed_hand_over(self))
			return FALSE;
	}
	return TRUE;
}

static gboolean
feed_member(SatchelMemberFeed *self, const SatchelPackedMember *member, GError **error)
{
	g_autoptr(SatchelDigest) digest = satchel_digest_new(SATCHEL_DIGEST_SHA256);
	g_autofree char *sha256 = NULL;

	if (!feed_content(self, member, digest, error))
		return FALSE;
	sha256 = satchel_digest_finish(digest);
	return member->sha256[0] == '\0' || strcmp(sha256, member->sha256) == 0 ||
	       feed_fails(error, member->path,
			  "not what the manifest says: it is damaged or was altered");
}

static gpointer
feed_run(gpointer data)
{
	SatchelMemberFeed *self = data;
	g_autoptr(GError) error = NULL;
	gboolean good = TRUE;

	self->filling = g_async_queue_pop(self->empty);
	for (guint i = 0; good && i < self->order->members->len; i++) {
		const SatchelPackedMember *member =
			&g_array_index(self->order->members, SatchelPackedMember, i);

		if (strcmp(member->path, SATCHEL_BUNDLE_META) != 0)
			good = feed_member(self, member, &error);
	}
	self->filling->error = g_steal_pointer(&error);
	self->filling->is_last = TRUE;
	g_async_queue_push(self->full, g_steal_pointer(&self->filling));
	return NULL;
}

/* ---- the caller ---- */

SatchelMemberFeed *
satchel_member_feed_start(SatchelBundleReader *bundle, const SatchelPackedOrder *order)
{
	SatchelMemberFeed *self = g_new0(SatchelMemberFeed, 1);

	self->bundle = bundle;
	self->order = order;
	self->empty = g_async_queue_new_full(batch_free);
	self->full = g_async_queue_new_full(batch_free);
	for (guint i = 0; i < N_BATCHES; i++)
		g_async_queue_push(self->empty, g_new0(Batch, 1));
	self->thread = g_thread_new("feed", feed_run, self);
	return self;
}

/* Until there is a batch with something left in it, or the last one. */
static void
feed_take(SatchelMemberFeed *self)
{
	while (self->taken == NULL || (self->at == self->taken->n_bytes && !self->taken->is_last)) {
		if (self->taken != NULL)
			g_async_queue_push(self->empty, g_steal_pointer(&self->taken));
		self->taken = g_async_queue_pop(self->full);
		self->at = 0;
	}
}

const guint8 *
satchel_member_feed_next(SatchelMemberFeed *self, gsize max_bytes, gsize *n_bytes, GError **error)
{
	const guint8 *data;

	feed_take(self);
	if (self->at == self->taken->n_bytes) {
		if (self->taken->error != NULL)
			g_propagate_error(error, g_steal_pointer(&self->taken->error));
		else
			g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
					    "the bundle ended before its last member");
		return NULL;
	}
	*n_bytes = MIN(max_bytes, self->taken->n_bytes - self->at);
	data = self->taken->data + self->at;
	self->at += *n_bytes;
	return data;
}

gboolean
satchel_member_feed_finish(SatchelMemberFeed *self, GError **error)
{
	feed_take(self);
	if (self->taken->error == NULL)
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&self->taken->error));
	return FALSE;
}

void
satchel_member_feed_free(SatchelMemberFeed *self)
{
	g_atomic_int_set(&self->stop, 1);
	/* So that it does not wait for one for ever. */
	g_async_queue_push(self->empty, g_new0(Batch, 1));
	g_thread_join(self->thread);
	if (self->taken != NULL)
		batch_free(self->taken);
	g_async_queue_unref(self->empty);
	g_async_queue_unref(self->full);
	g_free(self);
}
