#include "pipeline_queue.h"
#include "posix_lock.h"

struct PipelineQueue {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	GQueue full; /* of PipelineBatch */
	GQueue idle; /* of PipelineBatch with a buffer of PIPELINE_BATCH_BYTES */
	gsize max_bytes, held_bytes;
	gboolean closed, stopped;
};

void
pipeline_item_clear(PipelineItem *self)
{
	g_free(self->job.member);
	satchel_file_header_clear(&self->header);
	g_clear_error(&self->error);
	memset(self, 0, sizeof *self);
}

static void
batch_reset(PipelineBatch *batch)
{
	for (guint i = 0; i < batch->n_items; i++)
		pipeline_item_clear(&batch->items[i]);
	batch->n_items = 0;
	batch->used_bytes = 0;
}

static void
batch_free(PipelineBatch *batch)
{
	batch_reset(batch);
	g_free(batch->buffer);
	g_free(batch);
}

PipelineQueue *
pipeline_queue_new(gsize max_bytes)
{
	PipelineQueue *self = g_new0(PipelineQueue, 1);

	satchel_posix_lock_init(&self->lock);
	satchel_posix_lock_init_condition(&self->changed);
	g_queue_init(&self->full);
	g_queue_init(&self->idle);
	self->max_bytes = max_bytes;
	return self;
}

void
pipeline_queue_free(PipelineQueue *self)
{
	g_queue_clear_full(&self->full, (GDestroyNotify)batch_free);
	g_queue_clear_full(&self->idle, (GDestroyNotify)batch_free);
	pthread_cond_destroy(&self->changed);
	pthread_mutex_destroy(&self->lock);
	g_free(self);
}

/* One that is larger than the bound goes alone. */
static gboolean
queue_has_room(const PipelineQueue *self, gsize n_bytes)
{
	return self->held_bytes == 0 ||
	       (n_bytes <= self->max_bytes && self->held_bytes <= self->max_bytes - n_bytes);
}

/* Idle buffers are of no use to a larger member; they must not keep it waiting. */
static void
queue_drop_idle(PipelineQueue *self)
{
	PipelineBatch *batch;

	while ((batch = g_queue_pop_head(&self->idle)) != NULL) {
		self->held_bytes -= batch->capacity_bytes;
		batch_free(batch);
	}
}

static PipelineBatch *
queue_new_batch(PipelineQueue *self, gsize n_bytes)
{
	PipelineBatch *batch = g_new0(PipelineBatch, 1);

	batch->buffer = g_malloc(n_bytes);
	batch->capacity_bytes = n_bytes;
	self->held_bytes += n_bytes;
	return batch;
}

PipelineBatch *
pipeline_queue_begin_batch(PipelineQueue *self, gsize n_bytes)
{
	gsize wanted = MAX(n_bytes, PIPELINE_BATCH_BYTES);
	PipelineBatch *batch = NULL;

	pthread_mutex_lock(&self->lock);
	while (!self->stopped && batch == NULL) {
		if (wanted == PIPELINE_BATCH_BYTES)
			batch = g_queue_pop_head(&self->idle);
		else
			queue_drop_idle(self);
		if (batch == NULL && queue_has_room(self, wanted))
			batch = queue_new_batch(self, wanted);
		if (batch == NULL)
			pthread_cond_wait(&self->changed, &self->lock);
	}
	pthread_mutex_unlock(&self->lock);
	return batch;
}

void
pipeline_queue_push(PipelineQueue *self, PipelineBatch *batch)
{
	pthread_mutex_lock(&self->lock);
	g_queue_push_tail(&self->full, batch);
	pthread_cond_broadcast(&self->changed);
	pthread_mutex_unlock(&self->lock);
}

PipelineBatch *
pipeline_queue_pop(PipelineQueue *self)
{
	PipelineBatch *batch;

	pthread_mutex_lock(&self->lock);
	while ((batch = g_queue_pop_head(&self->full)) == NULL && !self->closed)
		pthread_cond_wait(&self->changed, &self->lock);
	pthread_mutex_unlock(&self->lock);
	return batch;
}

void
pipeline_queue_end_batch(PipelineQueue *self, PipelineBatch *batch)
{
	batch_reset(batch);
	pthread_mutex_lock(&self->lock);
	if (batch->capacity_bytes == PIPELINE_BATCH_BYTES) {
		g_queue_push_head(&self->idle, batch);
	} else {
		self->held_bytes -= batch->capacity_bytes;
		batch_free(batch);
	}
	pthread_cond_broadcast(&self->changed);
	pthread_mutex_unlock(&self->lock);
}

void
pipeline_queue_close(PipelineQueue *self)
{
	pthread_mutex_lock(&self->lock);
	self->closed = TRUE;
	pthread_cond_broadcast(&self->changed);
	pthread_mutex_unlock(&self->lock);
}

void
pipeline_queue_stop(PipelineQueue *self)
{
	pthread_mutex_lock(&self->lock);
	self->stopped = TRUE;
	pthread_cond_broadcast(&self->changed);
	pthread_mutex_unlock(&self->lock);
}

gboolean
pipeline_queue_is_stopped(PipelineQueue *self)
{
	gboolean stopped;

	pthread_mutex_lock(&self->lock);
	stopped = self->stopped;
	pthread_mutex_unlock(&self->lock);
	return stopped;
}
