#pragma once
#include <satchel/error.h>

/*
 * The folder in which an app lives, compose_apps_root/APP: what its archive holds, and what its
 * services have put there beside it, which stays. A new version is unpacked aside first, and then
 * put in its place file by file.
 */

/* Beside the app's own files: what is added to its Compose file, and which files are the archive's.
 */
#define SATCHEL_APP_FOLDER_LIST ".satchel-files"

/* What an app may be called: one component that does not begin with a dot. */
gboolean satchel_app_folder_is_name(const char *app);

/* Where the version is that is put aside. (transfer full) */
char *satchel_app_folder_staged_path(const char *root, const char *app);

/**
 * satchel_app_folder_stage:
 * @root_fd: the folder of all apps
 * @archive: hashed; borrowed
 * @name: of a further file, beginning with ".satchel", @content: what is in it
 *
 * Errors: SATCHEL_ERROR_CONTENT_INVALID as satchel_app_archive_walk(), and where a name of the
 * archive begins so; SATCHEL_ERROR_NO_SPACE, SATCHEL_ERROR_FAILED.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_app_folder_stage(int root_fd, const char *app, GBytes *archive, const char *name,
				  GBytes *content, GError **error);

/* Puts what was staged in its place; files that only the version before had go. Cut off, the folder
 * has no file @name, which is the one that was staged with it; staging and placing again makes it
 * whole. Errors: SATCHEL_ERROR_NO_SPACE, SATCHEL_ERROR_FAILED. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_app_folder_place(int root_fd, const char *app, const char *name, GError **error);

/* That file, as it was placed; NULL: it cannot be read. (transfer full) */
GBytes *satchel_app_folder_read(int root_fd, const char *app, const char *name, gsize max_bytes);

/* Takes away the files that came with the app, and the folder with them where nothing else is in
 * it. What was staged goes, too. Does what it can. */
void satchel_app_folder_remove(int root_fd, const char *app);

/* Apps that have a folder which we made. NULL-terminated (transfer full) */
GStrv satchel_app_folder_list(int root_fd);
