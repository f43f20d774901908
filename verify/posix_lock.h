#pragma once
#include <glib.h>
#include <pthread.h>

/*
 * Locks of POSIX and not GLib's, because ThreadSanitizer knows them. A lock that the system does
 * not give ends the program: it has no memory left.
 */
void satchel_posix_lock_init(pthread_mutex_t *lock);
void satchel_posix_lock_init_condition(pthread_cond_t *changed);

/* Until somebody signals, or @wait_us have passed; @lock is held before and after. */
void satchel_posix_lock_wait(pthread_mutex_t *lock, pthread_cond_t *changed, gint64 wait_us);
