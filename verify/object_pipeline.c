#include "object_pipeline.h"
#include "pipeline_worker.h"
#include "posix_lock.h"

/* Of all that is in memory at a time. What is larger than its share goes in pieces. */
#define STORED_BYTES (8u * 1024u * 1024u)
#define STORED_MAX_BYTES (4u * 1024u * 1024u)
#define CONTENT_BYTES (16u * 1024u * 1024u)
#define CONTENT_MIN_BYTES (2u * 1024u * 1024u)
/* Of both contents and what is known of each object of the bundle, so that the most content is held
 * of an ordinary bundle, and one of very many objects takes no more. */
#define SHARED_BYTES (24u * 1024u * 1024u)
#define CONTENT_MAX_BYTES (8u * 1024u * 1024u)
#define MAX_WORKERS 16u

/* What is asked of the kernel before it is read: to fetch it while the workers are busy. */
#define AHEAD_MIN_BYTES (128u * 1024u)

/* How often the calling thread looks whether it was cancelled. */
#define WAIT_US (100 * 1000)

typedef struct {
	guint index;
	GError *error;
} Failure;

typedef struct {
	PipelineQueue *queue;
	PipelineWork work;
	guint n_jobs, n_workers;
	pthread_mutex_t medium;
	/* From the workers to the calling thread. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	guint64 done_bytes;
	GArray *failures; /* of Failure */
	guint n_running;
} Pipeline;

guint
satchel_object_pipeline_count_workers(void)
{
	return CLAMP(g_get_num_processors(), 1, MAX_WORKERS);
}

static void
pipeline_count(gpointer user_data, guint64 n_bytes)
{
	Pipeline *self = user_data;

	pthread_mutex_lock(&self->lock);
	self->done_bytes += n_bytes;
	pthread_mutex_unlock(&self->lock);
}

static void
pipeline_fail(Pipeline *self, guint index, GError *error)
{
	const Failure failure = {index, error};

	pthread_mutex_lock(&self->lock);
	g_array_append_val(self->failures, failure);
	pthread_cond_signal(&self->changed);
	pthread_mutex_unlock(&self->lock);
}

/* ---- the reading thread ---- */

/* A commit or a tree is parsed whole, as it was when the closure was listed. */
static gboolean
job_is_held(const SatchelPipelineJob *job)
{
	return job->size_bytes <= STORED_MAX_BYTES ||
	       (job->type != 0 && job->type != SATCHEL_OBJECT_FILE);
}

static gsize
job_held_bytes(const SatchelPipelineJob *job)
{
	return job_is_held(job) ? (gsize)job->size_bytes : 0;
}

static void
pipeline_read_item(Pipeline *self, PipelineBatch *batch, guint index, SatchelPipelineJob *job)
{
	PipelineItem *item = &batch->items[batch->n_items++];

	item->index = index;
	item->job = *job;
	item->signed_sha256 =
		satchel_bundle_reader_get_signed_sha256(self->work.bundle, job->member);
	if (job_is_held(job)) {
		item->data = batch->buffer + batch->used_bytes;
		batch->used_bytes += job_held_bytes(job);
	}
	if (job->size_bytes >= AHEAD_MIN_BYTES) {
		pthread_mutex_lock(&self->medium);
		satchel_bundle_reader_will_need(self->work.bundle, job->member, 0,
						MIN(job->size_bytes, STORED_MAX_BYTES));
		pthread_mutex_unlock(&self->medium);
	}
	if (!pipeline_work_fill(&self->work, item, &item->error))
		g_assert(item->error != NULL);
}

static gboolean
batch_has_room(const PipelineBatch *batch, gsize n_bytes)
{
	return batch->n_items < PIPELINE_BATCH_ITEMS &&
	       n_bytes <= batch->capacity_bytes - batch->used_bytes;
}

static gpointer
pipeline_read(gpointer user_data)
{
	Pipeline *self = user_data;
	PipelineBatch *batch = NULL;

	for (guint i = 0; i < self->n_jobs && !pipeline_queue_is_stopped(self->queue); i++) {
		SatchelPipelineJob job = {0};

		self->work.user->describe(self->work.user->self, i, &job);
		if (batch != NULL && !batch_has_room(batch, job_held_bytes(&job)))
			pipeline_queue_push(self->queue, g_steal_pointer(&batch));
		if (batch == NULL)
			batch = pipeline_queue_begin_batch(self->queue, job_held_bytes(&job));
		if (batch == NULL) {
			g_free(job.member);
			break;
		}
		pipeline_read_item(self, batch, i, &job);
	}
	if (batch != NULL)
		pipeline_queue_push(self->queue, batch);
	pipeline_queue_close(self->queue);
	return NULL;
}

/* ---- the workers ---- */

/* The list of objects takes about half of what the manifest does. */
static gsize
pipeline_content_bytes(const Pipeline *self)
{
	gsize known_bytes = self->work.bundle->index_bytes + self->work.bundle->index_bytes / 2;
	gsize all_bytes = CLAMP(SHARED_BYTES - MIN(known_bytes, SHARED_BYTES), CONTENT_MIN_BYTES,
				CONTENT_BYTES);

	return MIN(all_bytes / self->n_workers, CONTENT_MAX_BYTES);
}

static gpointer
pipeline_verify(gpointer user_data)
{
	Pipeline *self = user_data;
	g_autoptr(SatchelObjectVerifier) verifier =
		satchel_object_verifier_new(pipeline_content_bytes(self));
	PipelineBatch *batch;

	while ((batch = pipeline_queue_pop(self->queue)) != NULL) {
		for (guint i = 0; i < batch->n_items; i++) {
			PipelineItem *item = &batch->items[i];
			GError *error = NULL;

			if (pipeline_queue_is_stopped(self->queue))
				break;
			if (!pipeline_work_do(&self->work, verifier, item, &error))
				pipeline_fail(self, item->index, error);
		}
		pipeline_queue_end_batch(self->queue, batch);
	}
	pthread_mutex_lock(&self->lock);
	self->n_running--;
	pthread_cond_signal(&self->changed);
	pthread_mutex_unlock(&self->lock);
	return NULL;
}

/* ---- the calling thread ---- */

/* Tells the user what came, without the lock. */
static void
pipeline_report(Pipeline *self, guint64 n_bytes, GArray *failures)
{
	const SatchelPipelineUser *user = self->work.user;

	if (n_bytes > 0)
		user->progress(user->self, n_bytes);
	for (guint i = 0; i < failures->len; i++) {
		const Failure *failure = &g_array_index(failures, Failure, i);

		if (!user->failed(user->self, failure->index, failure->error))
			pipeline_queue_stop(self->queue);
	}
}

/* FALSE when all has been reported and nobody works any more. */
static gboolean
pipeline_listen(Pipeline *self, GCancellable *cancellable)
{
	g_autoptr(GArray) failures = NULL;
	guint64 n_bytes;
	gboolean is_last;

	pthread_mutex_lock(&self->lock);
	if (self->n_running > 0 && self->failures->len == 0)
		satchel_posix_lock_wait(&self->lock, &self->changed, WAIT_US);
	is_last = self->n_running == 0;
	n_bytes = self->done_bytes;
	self->done_bytes = 0;
	failures = self->failures;
	self->failures = g_array_new(FALSE, FALSE, sizeof(Failure));
	pthread_mutex_unlock(&self->lock);
	pipeline_report(self, n_bytes, failures);
	if (g_cancellable_is_cancelled(cancellable))
		pipeline_queue_stop(self->queue);
	return !is_last;
}

static void
pipeline_init(Pipeline *self, const SatchelPipelineUser *user)
{
	self->queue = pipeline_queue_new(STORED_BYTES);
	self->n_running = self->n_workers;
	self->failures = g_array_new(FALSE, FALSE, sizeof(Failure));
	satchel_posix_lock_init(&self->medium);
	satchel_posix_lock_init(&self->lock);
	satchel_posix_lock_init_condition(&self->changed);
	self->work.medium = &self->medium;
	self->work.user = user;
	self->work.count = pipeline_count;
	self->work.user_data = self;
}

static void
pipeline_clear(Pipeline *self)
{
	pipeline_queue_free(self->queue);
	g_array_unref(self->failures);
	pthread_cond_destroy(&self->changed);
	pthread_mutex_destroy(&self->lock);
	pthread_mutex_destroy(&self->medium);
}

void
satchel_object_pipeline_run(SatchelBundleReader *bundle, SatchelClosureRepo *repo, guint n_jobs,
			    const SatchelPipelineUser *user, guint n_workers,
			    GCancellable *cancellable)
{
	Pipeline self = {.n_jobs = n_jobs, .n_workers = CLAMP(n_workers, 1, MAX_WORKERS)};
	GThread *workers[MAX_WORKERS];
	GThread *reader;

	self.work.bundle = bundle;
	self.work.repo = repo;
	pipeline_init(&self, user);
	reader = g_thread_new("read", pipeline_read, &self);
	for (guint i = 0; i < self.n_workers; i++)
		workers[i] = g_thread_new("verify", pipeline_verify, &self);
	while (pipeline_listen(&self, cancellable))
		;
	/* A reader that waits for room is not needed when the workers have gone. */
	pipeline_queue_stop(self.queue);
	for (guint i = 0; i < self.n_workers; i++)
		(void)g_thread_join(workers[i]);
	(void)g_thread_join(reader);
	pipeline_clear(&self);
}
