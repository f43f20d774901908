#pragma once
#include <gio/gio.h>

/*
 * The same work on many things, by one thread for each processor.
 */
typedef struct {
	/* In the threads, several at a time and in no order, once for each index below n. */
	void (*each)(gpointer self, guint index);
	/* In the calling thread, now and then, and once when all is done. */
	void (*tick)(gpointer self);
	gpointer self;
} SatchelParallelWork;

/* Returns when all was done; with @cancellable (nullable), when what was begun has ended. */
void satchel_parallel_each(guint n, const SatchelParallelWork *work, GCancellable *cancellable);
