#include "pointer_queue.h"
#include <pthread.h>

/* A GAsyncQueue with the locks of POSIX, because ThreadSanitizer knows those and not GLib's. */
struct SatchelPointerQueue {
	pthread_mutex_t lock;
	pthread_cond_t filled;
	GQueue items;
};

SatchelPointerQueue *
satchel_pointer_queue_new(void)
{
	SatchelPointerQueue *self = g_new0(SatchelPointerQueue, 1);

	g_assert(pthread_mutex_init(&self->lock, NULL) == 0);
	g_assert(pthread_cond_init(&self->filled, NULL) == 0);
	g_queue_init(&self->items);
	return self;
}

void
satchel_pointer_queue_push(SatchelPointerQueue *self, gpointer item)
{
	pthread_mutex_lock(&self->lock);
	g_queue_push_tail(&self->items, item);
	pthread_cond_signal(&self->filled);
	pthread_mutex_unlock(&self->lock);
}

gpointer
satchel_pointer_queue_pop(SatchelPointerQueue *self)
{
	gpointer item;

	pthread_mutex_lock(&self->lock);
	while ((item = g_queue_pop_head(&self->items)) == NULL)
		pthread_cond_wait(&self->filled, &self->lock);
	pthread_mutex_unlock(&self->lock);
	return item;
}

void
satchel_pointer_queue_free(SatchelPointerQueue *self, GDestroyNotify free_item)
{
	g_queue_clear_full(&self->items, free_item);
	pthread_cond_destroy(&self->filled);
	pthread_mutex_destroy(&self->lock);
	g_free(self);
}
