#include "pointer_queue.h"
#include "../verify/posix_lock.h"

/* A GAsyncQueue with locks that ThreadSanitizer knows. */
struct SatchelPointerQueue {
	pthread_mutex_t lock;
	pthread_cond_t filled;
	GQueue items;
};

SatchelPointerQueue *
satchel_pointer_queue_new(void)
{
	SatchelPointerQueue *self = g_new0(SatchelPointerQueue, 1);

	satchel_posix_lock_init(&self->lock);
	satchel_posix_lock_init_condition(&self->filled);
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
