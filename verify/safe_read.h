#pragma once
#include <satchel/error.h>
#include <satchel/limits.h>

/*
 * Reading files that somebody else made. A path is walked component by component from an open
 * folder without following symbolic links; only regular files are read, and never more than
 * allowed.
 */

/**
 * satchel_safe_open:
 * @dir_fd: an open folder
 * @path: relative; no empty, `.` or `..` component, no leading `/`
 * @size_bytes: (out): as fstat gives it
 *
 * Errors: SATCHEL_ERROR_METADATA_NOT_FOUND (absent), SATCHEL_ERROR_DOWNLOAD_FAILED (wrong kind,
 * I/O, unsafe path). The message names @path.
 *
 * Returns: a file descriptor (O_CLOEXEC), the caller closes it; or -1
 */
G_GNUC_WARN_UNUSED_RESULT
int satchel_safe_open(int dir_fd, const char *path, guint64 *size_bytes, GError **error);

/**
 * satchel_safe_open_parent:
 * @path: relative; its last component is not looked at
 * @name: (out): the last component; borrowed from @path
 *
 * The folder that holds @path, walked likewise. Errors as above; they name the component that is no
 * folder.
 *
 * Returns: a file descriptor (O_PATH, O_CLOEXEC), the caller closes it; or -1
 */
G_GNUC_WARN_UNUSED_RESULT
int satchel_safe_open_parent(int dir_fd, const char *path, const char **name, GError **error);

/* The same as satchel_safe_open() for @name in the folder of @path, for one who keeps that folder
 * open. @dir_fd: of satchel_safe_open_parent() */
G_GNUC_WARN_UNUSED_RESULT
int satchel_safe_open_in(int dir_fd, const char *name, const char *path, guint64 *size_bytes,
			 GError **error);

/* The whole of a regular file, at most @max_bytes. Errors as above. (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
GBytes *satchel_safe_read(int dir_fd, const char *path, gsize max_bytes, GError **error);

/* A file that the user named on the command line: symbolic links are the user's choice. Messages
 * name @path. (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
GBytes *satchel_safe_read_named(const char *path, gsize max_bytes, GError **error);
