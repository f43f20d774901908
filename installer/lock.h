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

/**
 * satchel_lock_take_foreign:
 * @path: where aktualizr-lite locks
 * @lock: (out) (nullable) (transfer full): NULL where the folder of @path is not there, so that
 *   nobody can lock in it
 *
 * Keeps aktualizr-lite out as well: it unlinks the file when it ends, so what was locked must still
 * be what has the name. Does not wait, and does not unlink.
 *
 * Errors: SATCHEL_ERROR_BUSY "another updater is running"; SATCHEL_ERROR_FAILED.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_lock_take_foreign(const char *path, SatchelLock **lock, GError **error);

void satchel_lock_release(SatchelLock *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelLock, satchel_lock_release)
