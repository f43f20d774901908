#pragma once
#include <satchel/error.h>

/*
 * The archive of an app: a tar, compressed by gzip or not at all, with docker-compose.yml at its
 * top. Read from memory, after its hash was found right. Names are checked here, so that whoever
 * unpacks it writes below one folder and nowhere else. Errors of all functions:
 * SATCHEL_ERROR_CONTENT_INVALID; the message names the entry.
 */
typedef enum {
	SATCHEL_APP_ENTRY_FILE,
	SATCHEL_APP_ENTRY_FOLDER,
	SATCHEL_APP_ENTRY_LINK, /* symbolic, to something in the same archive's folder */
} SatchelAppEntryKind;

/* Borrowed for one call. */
typedef struct {
	SatchelAppEntryKind kind;
	const char *path; /* relative; what is above it is a folder or is not in the archive */
	guint32 mode;	  /* permission bits */
	guint64 size_bytes;
	const char *link_target; /* of a link */
} SatchelAppEntry;

typedef struct SatchelAppArchive SatchelAppArchive;

/* FALSE ends the walk with the error it set. The content of a file is read, or not, before it
 * returns. */
typedef gboolean (*SatchelAppArchiveVisit)(const SatchelAppEntry *entry, SatchelAppArchive *archive,
					   gpointer user_data, GError **error);

/**
 * satchel_app_archive_walk:
 * @archive: at most SATCHEL_LIMIT_APP_ARCHIVE_BYTES, borrowed
 *
 * Visits the entries in their order. Refused: names that are absolute, have a `..` or stand there
 * twice; entries below a link or a file; links that lead out; hard links, devices and such; more
 * than SATCHEL_LIMIT_APP_FILES entries or SATCHEL_LIMIT_APP_UNPACKED_BYTES.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_app_archive_walk(GBytes *archive, SatchelAppArchiveVisit visit, gpointer user_data,
				  GError **error);

/* The next bytes of the file that is visited; 0 at its end, -1 with an error. */
G_GNUC_WARN_UNUSED_RESULT
gssize satchel_app_archive_read(SatchelAppArchive *self, gpointer buffer, gsize n_bytes,
				GError **error);

/* docker-compose.yml, once all entries have passed. (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
GBytes *satchel_app_archive_read_compose(GBytes *archive, GError **error);
