#pragma once
#include <satchel/error.h>

/* Copies of files in a folder of one's own, for readers that would write beside the originals. */
typedef struct SatchelPrivateCopy SatchelPrivateCopy;

/**
 * satchel_private_copy_new:
 * @dir_fd: where the files are
 * @names: NULL-terminated; those that are not there are passed over
 * @max_bytes: for each; a longer one is an error
 *
 * The copies are not made to last: they are for this process.
 *
 * Errors: SATCHEL_ERROR_NO_SPACE; SATCHEL_ERROR_DOWNLOAD_FAILED (a file that cannot be read, is no
 * regular one, or too long); SATCHEL_ERROR_FAILED (no folder to write to).
 *
 * Returns: (transfer full): the copies, removed when it is freed
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelPrivateCopy *satchel_private_copy_new(int dir_fd, const char *const *names,
					     guint64 max_bytes, GError **error);

/* The folder. Borrowed. */
const char *satchel_private_copy_get_dir(const SatchelPrivateCopy *self);

void satchel_private_copy_free(SatchelPrivateCopy *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelPrivateCopy, satchel_private_copy_free)
