#pragma once
#include <glib.h>
#include <sys/types.h>

/*
 * Files and folders below an open folder, named by relative paths that were found safe
 * (verify/path_safety.h). No symbolic link is followed on the way. FALSE and -1 set errno.
 */

/* A new file, the folders above it made; open for writing. */
int satchel_file_tree_create(int dir_fd, const char *path, mode_t mode);
/* With those above it; one that is there gets the mode. */
gboolean satchel_file_tree_make_folder(int dir_fd, const char *path, mode_t mode);
gboolean satchel_file_tree_link(int dir_fd, const char *path, const char *target);
/* From one folder to the same place in another of the same file system. What is there is replaced.
 */
gboolean satchel_file_tree_move(int from_fd, int to_fd, const char *path);
/* The folder alone, as it is in the other place. */
gboolean satchel_file_tree_copy_folder(int from_fd, int to_fd, const char *path);
/* A file, or a folder that is empty; what cannot go stays. */
void satchel_file_tree_unlink(int dir_fd, const char *path);
/* @name and all below it, one component; what cannot go stays. */
void satchel_file_tree_remove(int dir_fd, const char *name);
/* The names in a folder, in no order. NULL-terminated (transfer full) */
GStrv satchel_file_tree_list(int dir_fd);
/* The folder @path itself, made with those above it; -1 */
int satchel_file_tree_open_folder(int dir_fd, const char *path);
