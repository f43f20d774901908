#pragma once
#include <satchel/error.h>
#include <sys/types.h>

/**
 * satchel_atomic_write:
 * @dir_fd: the folder, open for reading (O_PATH is not enough)
 * @name: one component; replaced whole if it is there
 * @mode: permission bits
 *
 * Temp file beside it (its name does not end in `.json`), write, fsync, rename, fsync of the
 * folder. Killed at any instruction, @name is the old or the new content, whole. A failure leaves
 * no temp file.
 *
 * Errors: SATCHEL_ERROR_NO_SPACE (ENOSPC, EDQUOT), else SATCHEL_ERROR_METADATA_FAILURE; the message
 * names @name and the system's reason.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_atomic_write(int dir_fd, const char *name, GBytes *content, mode_t mode,
			      GError **error);

/*
 * The same in pieces, for content that is checked while it comes: begin, append, finish. Cleared
 * without finish, nothing has happened. Errors as above.
 */
typedef struct {
	int dir_fd; /* borrowed */
	int fd;
	char *target;
	char temp_name[64]; /* empty while there is nothing to remove */
} SatchelAtomicWrite;

#define SATCHEL_ATOMIC_WRITE_INIT                                                                  \
	{                                                                                          \
		.dir_fd = -1, .fd = -1                                                             \
	}

/* @dir_fd: must stay open until the write is cleared. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_atomic_write_begin(SatchelAtomicWrite *self, int dir_fd, const char *name,
				    GError **error);
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_atomic_write_append(SatchelAtomicWrite *self, gconstpointer data, gsize n_bytes,
				     GError **error);
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_atomic_write_finish(SatchelAtomicWrite *self, mode_t mode, GError **error);
void satchel_atomic_write_clear(SatchelAtomicWrite *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SatchelAtomicWrite, satchel_atomic_write_clear)

/* Removes what processes that were killed inside satchel_atomic_write() left in a folder. What a
 * living one is writing stays. Does what it can; no error. */
void satchel_atomic_write_sweep(int dir_fd);
