#include "posix_lock.h"
#include <time.h>

void
satchel_posix_lock_init(pthread_mutex_t *lock)
{
	if (pthread_mutex_init(lock, NULL) != 0)
		g_error("no lock");
}

void
satchel_posix_lock_init_condition(pthread_cond_t *changed)
{
	if (pthread_cond_init(changed, NULL) != 0)
		g_error("no condition to wait for");
}

void
satchel_posix_lock_wait(pthread_mutex_t *lock, pthread_cond_t *changed, gint64 wait_us)
{
	gint64 until_us = g_get_monotonic_time() + wait_us;
	const struct timespec until = {.tv_sec = until_us / G_USEC_PER_SEC,
				       .tv_nsec = until_us % G_USEC_PER_SEC * 1000};

	(void)pthread_cond_clockwait(changed, lock, CLOCK_MONOTONIC, &until);
}
