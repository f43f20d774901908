#include "parallel_each.h"
#include "../verify/posix_lock.h"
#include <stdatomic.h>

#define TICK_US (100 * 1000)
#define MAX_THREADS 16u
/* Taken at a time, so that small work is not eaten up by the taking. */
#define STRIDE 16u

typedef struct {
	const SatchelParallelWork *work;
	guint n;
	atomic_uint next;
	atomic_bool stop;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	guint n_running;
} Crew;

static gpointer
crew_work(gpointer user_data)
{
	Crew *crew = user_data;
	guint begin;

	while (!atomic_load(&crew->stop) &&
	       (begin = atomic_fetch_add(&crew->next, STRIDE)) < crew->n) {
		for (guint i = begin; i < crew->n && i < begin + STRIDE; i++)
			crew->work->each(crew->work->self, i);
	}
	pthread_mutex_lock(&crew->lock);
	crew->n_running--;
	pthread_cond_signal(&crew->changed);
	pthread_mutex_unlock(&crew->lock);
	return NULL;
}

static gboolean
crew_wait(Crew *crew)
{
	gboolean working;

	pthread_mutex_lock(&crew->lock);
	if (crew->n_running > 0)
		satchel_posix_lock_wait(&crew->lock, &crew->changed, TICK_US);
	working = crew->n_running > 0;
	pthread_mutex_unlock(&crew->lock);
	return working;
}

void
satchel_parallel_each(guint n, const SatchelParallelWork *work, GCancellable *cancellable)
{
	guint n_threads = CLAMP(MIN(g_get_num_processors(), n / STRIDE + 1), 1, MAX_THREADS);
	Crew crew = {.work = work, .n = n, .n_running = n_threads};
	GThread *threads[MAX_THREADS];

	satchel_posix_lock_init(&crew.lock);
	satchel_posix_lock_init_condition(&crew.changed);
	for (guint i = 0; i < n_threads; i++)
		threads[i] = g_thread_new("check", crew_work, &crew);
	while (crew_wait(&crew)) {
		work->tick(work->self);
		if (g_cancellable_is_cancelled(cancellable))
			atomic_store(&crew.stop, TRUE);
	}
	for (guint i = 0; i < n_threads; i++)
		(void)g_thread_join(threads[i]);
	work->tick(work->self);
	pthread_cond_destroy(&crew.changed);
	pthread_mutex_destroy(&crew.lock);
}
