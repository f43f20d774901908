#pragma once
#include <satchel/error.h>

/* Keeps two updaters of one device apart, for as long as it lives. */
typedef struct SatchelLock SatchelLock;

/**
 * satchel_lock_take:
 * @dir_fd: the folder of the state
 *
 * Locks the file `lock` in it, which stays for ever: a lock on a name that is unlinked is no lock.
 * Does not wait.
 *
 * Errors: SATCHEL_ERROR_BUSY "another updater is running (pid N)"; SATCHEL_ERROR_FAILED.
 *
 * Returns: (transfer full): the lock, or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelLock *satchel_lock_take(int dir_fd, GError **error);

void satchel_lock_release(SatchelLock *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelLock, satchel_lock_release)
