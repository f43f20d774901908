#pragma once
#include <glib.h>

/* What one thread hands to another, first in, first out. Does not own what lies in it. */
typedef struct SatchelPointerQueue SatchelPointerQueue;

/* (transfer full) */
SatchelPointerQueue *satchel_pointer_queue_new(void);

/* From any thread. */
void satchel_pointer_queue_push(SatchelPointerQueue *self, gpointer item);
/* From any thread; waits until there is one. */
gpointer satchel_pointer_queue_pop(SatchelPointerQueue *self);

/* @free_item gets what still lies in it. No other thread may use it any more. */
void satchel_pointer_queue_free(SatchelPointerQueue *self, GDestroyNotify free_item);
