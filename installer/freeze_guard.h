#pragma once
#include <glib.h>

/*
 * Keeps this thread from freezing a file system. libostree freezes the one that holds /boot
 * whenever it writes deployments and is allowed to; for a sysroot that does not run, that is a file
 * system of the host, on which others work. Without the right it syncs instead.
 */
typedef struct {
	gboolean dropped;
} SatchelFreezeGuard;

/* Where the right is not held, or cannot be dropped, nothing changes. */
void satchel_freeze_guard_begin(SatchelFreezeGuard *self);
/* Takes the right back. */
void satchel_freeze_guard_end(SatchelFreezeGuard *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SatchelFreezeGuard, satchel_freeze_guard_end)
