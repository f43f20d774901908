#include "member_feed.h"
#include "../verify/digest.h"
#include "../verify/path_safety.h"
#include "pointer_queue.h"
#include <string.h>

#define BATCH_BYTES (1024u * 1024u)
#define N_BATCHES 6u

typedef struct {
	gsize n_bytes;
	GError *error; /* (nullable): why it is the last */
	gboolean is_last;
	guint8 data[BATCH_BYTES];
} Batch;

struct SatchelMemberFeed {
	SatchelBundleReader *bundle;
	const SatchelPackedOrder *order;
	GThread *reading;
	GThread *hashing;
	/* A batch goes from the first to the last and back to the first. */
	SatchelPointerQueue *empty;
	SatchelPointerQueue *filled;
	SatchelPointerQueue *hashed;
	int stop;	/* atomic */
	Batch *filling; /* of the thread that reads */
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

/* ---- the thread that reads ---- */

/* FALSE where nobody wants any more. */
static gboolean
feed_hand_over(SatchelMemberFeed *self)
{
	satchel_pointer_queue_push(self->filled, g_steal_pointer(&self->filling));
	self->filling = satchel_pointer_queue_pop(self->empty);
	self->filling->n_bytes = 0;
	return g_atomic_int_get(&self->stop) == 0;
}

/* FALSE without @error where nobody wants any more. */
static gboolean
feed_read_member(SatchelMemberFeed *self, const SatchelPackedMember *member, GError **error)
{
	for (guint64 offset = 0; offset < member->size_bytes;) {
		guint8 *data = self->filling->data + self->filling->n_bytes;
		gsize n_bytes = (gsize)MIN(member->size_bytes - offset,
					   BATCH_BYTES - self->filling->n_bytes);

		if (!satchel_bundle_reader_read_at(self->bundle, member->path, offset, data,
						   n_bytes, error))
			return FALSE;
		self->filling->n_bytes += n_bytes;
		offset += n_bytes;
		if (self->filling->n_bytes == BATCH_BYTES && !feed_hand_over(self))
			return FALSE;
	}
	return TRUE;
}

/* NULL behind the last one. */
static const SatchelPackedMember *
feed_get_member(const SatchelMemberFeed *self, guint index)
{
	if (index >= self->order->members->len)
		return NULL;
	return &g_array_index(self->order->members, SatchelPackedMember, index);
}

static gboolean
is_meta(const SatchelPackedMember *member)
{
	return strcmp(member->path, SATCHEL_BUNDLE_META) == 0;
}

static gpointer
feed_read(gpointer data)
{
	SatchelMemberFeed *self = data;
	const SatchelPackedMember *member;
	g_autoptr(GError) error = NULL;
	gboolean good = TRUE;

	self->filling = satchel_pointer_queue_pop(self->empty);
	for (guint i = 0; good && (member = feed_get_member(self, i)) != NULL; i++)
		good = is_meta(member) || feed_read_member(self, member, &error);
	self->filling->error = g_steal_pointer(&error);
	self->filling->is_last = TRUE;
	satchel_pointer_queue_push(self->filled, g_steal_pointer(&self->filling));
	return NULL;
}

/* ---- the thread that hashes ---- */

/* Where in the members the bytes are that come next. */
typedef struct {
	guint index;
	guint64 left_bytes; /* of that member */
	gboolean begun;	    /* with that member */
	SatchelDigest *digest;
} HashPoint;

static gboolean
hash_end_member(HashPoint *point, const SatchelPackedMember *member, GError **error)
{
	guint8 sha256[SATCHEL_SHA256_BYTES];
	g_autofree char *quoted = NULL;

	satchel_digest_finish_raw(point->digest, sha256);
	point->begun = FALSE;
	point->index++;
	if (!member->is_listed || memcmp(sha256, member->sha256, sizeof sha256) == 0)
		return TRUE;
	quoted = satchel_path_quote(member->path);
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
		    "%s: not what the manifest says: it is damaged or was altered", quoted);
	return FALSE;
}

/* Through all members that end in this batch, empty ones behind its end too. */
static gboolean
hash_batch(const SatchelMemberFeed *self, HashPoint *point, const Batch *batch, GError **error)
{
	const SatchelPackedMember *member;
	gsize at = 0;

	while ((member = feed_get_member(self, point->index)) != NULL) {
		gsize n_bytes;

		if (is_meta(member)) {
			point->index++;
			continue;
		}
		if (!point->begun) {
			satchel_digest_begin(point->digest);
			point->left_bytes = member->size_bytes;
			point->begun = TRUE;
		}
		n_bytes = (gsize)MIN(point->left_bytes, batch->n_bytes - at);
		satchel_digest_update(point->digest, batch->data + at, n_bytes);
		at += n_bytes;
		point->left_bytes -= n_bytes;
		if (point->left_bytes > 0)
			return TRUE;
		if (!hash_end_member(point, member, error))
			return FALSE;
	}
	return TRUE;
}

/* Until the thread that reads has noticed that nobody wants any more. */
static void
feed_stop_reading(SatchelMemberFeed *self)
{
	gboolean was_last = FALSE;

	g_atomic_int_set(&self->stop, 1);
	while (!was_last) {
		Batch *batch = satchel_pointer_queue_pop(self->filled);

		was_last = batch->is_last;
		g_clear_error(&batch->error);
		satchel_pointer_queue_push(self->empty, batch);
	}
}

static gpointer
feed_hash(gpointer data)
{
	SatchelMemberFeed *self = data;
	HashPoint point = {.digest = satchel_digest_new(SATCHEL_DIGEST_SHA256)};
	gboolean was_last = FALSE;

	while (!was_last) {
		Batch *batch = satchel_pointer_queue_pop(self->filled);

		was_last = batch->is_last;
		/* What could not be read is not hashed either. */
		if (batch->error == NULL && !hash_batch(self, &point, batch, &batch->error)) {
			if (!was_last)
				feed_stop_reading(self);
			batch->is_last = TRUE;
			was_last = TRUE;
		}
		satchel_pointer_queue_push(self->hashed, batch);
	}
	satchel_digest_free(point.digest);
	return NULL;
}

/* ---- the caller ---- */

SatchelMemberFeed *
satchel_member_feed_start(SatchelBundleReader *bundle, const SatchelPackedOrder *order)
{
	SatchelMemberFeed *self = g_new0(SatchelMemberFeed, 1);

	self->bundle = bundle;
	self->order = order;
	self->empty = satchel_pointer_queue_new();
	self->filled = satchel_pointer_queue_new();
	self->hashed = satchel_pointer_queue_new();
	for (guint i = 0; i < N_BATCHES; i++)
		satchel_pointer_queue_push(self->empty, g_new0(Batch, 1));
	self->reading = g_thread_new("read", feed_read, self);
	self->hashing = g_thread_new("hash", feed_hash, self);
	return self;
}

/* Until there is a batch with something left in it, or the last one. */
static void
feed_take(SatchelMemberFeed *self)
{
	while (self->taken == NULL || (self->at == self->taken->n_bytes && !self->taken->is_last)) {
		if (self->taken != NULL)
			satchel_pointer_queue_push(self->empty, g_steal_pointer(&self->taken));
		self->taken = satchel_pointer_queue_pop(self->hashed);
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
	satchel_pointer_queue_push(self->empty, g_new0(Batch, 1));
	g_thread_join(self->reading);
	g_thread_join(self->hashing);
	if (self->taken != NULL)
		batch_free(self->taken);
	satchel_pointer_queue_free(self->empty, batch_free);
	satchel_pointer_queue_free(self->filled, batch_free);
	satchel_pointer_queue_free(self->hashed, batch_free);
	g_free(self);
}
