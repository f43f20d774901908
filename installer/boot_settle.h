#pragma once
#include <satchel/error.h>

/*
 * Makes what was written to /boot readable by a boot loader, which does not replay a journal: after
 * fsync alone a file system may hold a rename in its journal only, and the folder that the loader
 * then finds is already deleted.
 */

/* Keeps the inode of the present `loader` link alive by a second name, `.loader.pin`: else a power
 * cut between two blocks of the swap could leave a link that points to a wiped inode. Where there
 * is no such link, or the file system has no hard links, nothing is done. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_boot_settle_pin(int boot_fd, GError **error);

/* The calls of the system that settling makes; each as syncfs(): 0, or -1 with errno. */
typedef struct {
	int (*sync)(int fd);
	int (*freeze)(int fd);
	int (*thaw)(int fd);
} SatchelFreezeCalls;

/* The same with other calls: for tests of the order and of deaths in between. @thaw is also called
 * in the process that stands by. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_boot_settle_with(const SatchelFreezeCalls *calls, int boot_fd, gboolean freeze,
				  GError **error);

/**
 * satchel_boot_settle:
 * @boot_fd: the folder that the boot loader reads
 * @freeze: TRUE: it is the running system's; write all to its final place (FIFREEZE, FITHAW), which
 *   stops writers to its file system for a moment. FALSE: sync it only
 *
 * File systems that cannot freeze are synced. While it is frozen, a child process stands by to thaw
 * it should this one die.
 *
 * Errors: SATCHEL_ERROR_FAILED. The caller must delete nothing that the boot loader may still want.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_boot_settle(int boot_fd, gboolean freeze, GError **error);
