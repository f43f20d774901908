/*
 * Sends its own process a signal at one place, and goes on there when the program has taken it in:
 * LD_PRELOAD=signal_at.so SIGNAL_AT=ostree_repo_prepare_transaction PROGRAM …
 * With SIGNAL_KILLS set it is killed there.
 */
#include <dlfcn.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static atomic_int taken;

/* Runs in the thread that the program has for signals. */
void
g_cancellable_cancel(void *cancellable)
{
	void (*next)(void *) = (void (*)(void *))dlsym(RTLD_NEXT, "g_cancellable_cancel");

	next(cancellable);
	atomic_store(&taken, 1);
}

static void
signal_at(const char *place)
{
	const char *wanted = getenv("SIGNAL_AT");

	if (atomic_load(&taken) || wanted == NULL || strcmp(wanted, place) != 0)
		return;
	raise(getenv("SIGNAL_KILLS") != NULL ? SIGKILL : SIGTERM);
	while (!atomic_load(&taken))
		sched_yield();
}

int
ostree_repo_prepare_transaction(void *a, void *b, void *c, void *d)
{
	int (*next)(void *, void *, void *, void *) =
		(int (*)(void *, void *, void *, void *))dlsym(RTLD_NEXT, __func__);

	signal_at(__func__);
	return next(a, b, c, d);
}

int
ostree_sysroot_deploy_tree(void *a, void *b, void *c, void *d, void *e, void *f, void *g, void *h,
			   void *i)
{
	int (*next)(void *, void *, void *, void *, void *, void *, void *, void *, void *) =
		(int (*)(void *, void *, void *, void *, void *, void *, void *, void *,
			 void *))dlsym(RTLD_NEXT, __func__);

	signal_at(__func__);
	return next(a, b, c, d, e, f, g, h, i);
}

int
ostree_sysroot_write_deployments_with_options(void *a, void *b, void *c, void *d, void *e)
{
	int (*next)(void *, void *, void *, void *, void *) =
		(int (*)(void *, void *, void *, void *, void *))dlsym(RTLD_NEXT, __func__);

	signal_at(__func__);
	return next(a, b, c, d, e);
}
