#pragma once
#include <satchel/error.h>

/*
 * Finds what could be a bundle on a stick: packed bundles, first parts of split ones, and folders
 * with tuf/ in them, in its root and one level below. Nothing is opened but folders; links are not
 * followed; ignored names (media_name.h) are passed over.
 */

/* Entries that are looked at, and folders that are looked into: a stick full of photographs has
 * fewer, and a folder that leads into itself for ever ends here. */
#define SATCHEL_MEDIA_MAX_ENTRIES 20000u
#define SATCHEL_MEDIA_MAX_FOLDERS 1000u
/* Candidates; nobody judges more. */
#define SATCHEL_MEDIA_MAX_CANDIDATES 32u

typedef struct {
	GStrv paths;   /* below the root, sorted; "." where the root itself is a bundle */
	gboolean more; /* there was more than is looked at */
} SatchelMediaFound;

/**
 * satchel_media_find:
 * @root_fd: the root's folder, open for reading
 * @found: (out): to be cleared
 *
 * Of a split set whose first part is missing the first part's path is given all the same.
 *
 * Error: SATCHEL_ERROR_DOWNLOAD_FAILED where the root cannot be read.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_media_find(int root_fd, SatchelMediaFound *found, GError **error);

void satchel_media_found_clear(SatchelMediaFound *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SatchelMediaFound, satchel_media_found_clear)
