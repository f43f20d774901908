#pragma once
#include <satchel/error.h>

/*
 * A folder that comes into being whole or not at all. It is filled beside its final place, under a
 * name that nobody takes for the real one, and renamed when all of it is on the disk. Killed in
 * between, a process leaves that folder, and the next one that wants the same final place clears
 * it away. Not thread-safe.
 */
typedef struct SatchelWorkFolder SatchelWorkFolder;

/**
 * satchel_work_folder_begin:
 * @final_path: where it shall be in the end; its parent must exist
 *
 * Errors: SATCHEL_ERROR_BUSY where another process is filling it; SATCHEL_ERROR_NO_SPACE, _FAILED.
 *
 * Returns: (transfer full)
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelWorkFolder *satchel_work_folder_begin(const char *final_path, GError **error);

/* An open folder; borrowed. */
int satchel_work_folder_get_fd(const SatchelWorkFolder *self);
const char *satchel_work_folder_get_path(const SatchelWorkFolder *self);
/* A process that wanted the same final place was killed before it got there. */
gboolean satchel_work_folder_had_leftover(const SatchelWorkFolder *self);

/**
 * satchel_work_folder_commit:
 * @replace: also over a folder with something in it, which is deleted; FALSE: only where nothing or
 *   an empty folder is
 *
 * Everything is on the disk before the rename, and the rename before this returns. Errors:
 * SATCHEL_ERROR_NO_SPACE, _FAILED; then the final place is as it was.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_work_folder_commit(SatchelWorkFolder *self, gboolean replace, GError **error);

/* TRUE where @path is absent or an empty folder; FALSE without error where a folder has something
 * in it. */
gboolean satchel_work_folder_is_free(const char *path, GError **error);

/* Deletes what was not committed. */
void satchel_work_folder_free(SatchelWorkFolder *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelWorkFolder, satchel_work_folder_free)
