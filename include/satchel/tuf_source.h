#pragma once
#include <gio/gio.h>
#include <satchel/error.h>
#include <satchel/limits.h>
#pragma GCC visibility push(default)

/*
 * Where metadata and artifacts come from. A source gives bytes and is believed in nothing. The
 * three that ship: a directory, a bundle, HTTP. An agent may bring its own by filling in the table.
 *
 * A source answers from the thread that asks; it need not be thread-safe.
 */
typedef struct SatchelTufSource SatchelTufSource;

typedef struct {
	/**
	 * fetch_metadata:
	 * @role: role name as it stands in the metadata, not encoded
	 * @version: number for the file name's prefix, or 0 for a name without one. Root is always
	 *   asked for with its version, timestamp never, the others by consistent snapshots.
	 * @max_bytes: give no more than this; a longer file is SATCHEL_ERROR_METADATA_INVALID
	 *
	 * Errors: SATCHEL_ERROR_METADATA_NOT_FOUND only where the source is sure that the file is
	 * not there (HTTP 403, 404); SATCHEL_ERROR_METADATA_DOWNLOAD or _FAILURE for all else.
	 *
	 * Returns: (transfer full)
	 */
	GBytes *(*fetch_metadata)(SatchelTufSource *self, const char *role, gint64 version,
				  gsize max_bytes, GError **error);

	/**
	 * fetch_artifact: (nullable)
	 * @path: target path with the hash prefix already in it, not encoded
	 * @max_bytes: stop here
	 * @sink: gets each piece as it comes; FALSE from it ends the transfer with its error
	 *
	 * Errors: SATCHEL_ERROR_DOWNLOAD_FAILED.
	 */
	gboolean (*fetch_artifact)(SatchelTufSource *self, const char *path, guint64 max_bytes,
				   gboolean (*sink)(gconstpointer data, gsize n_bytes,
						    gpointer user_data, GError **error),
				   gpointer user_data, GError **error);

	void (*free)(SatchelTufSource *self);
} SatchelTufSourceClass;

/* First member of every source. */
struct SatchelTufSource {
	const SatchelTufSourceClass *klass;
};

/**
 * satchel_tuf_source_directory_new:
 * @metadata_dir: laid out as a TUF server's folder: N.root.json, timestamp.json, [N.]snapshot.json
 * …
 * @artifact_dir: (nullable): target paths below it; NULL: no artifacts are served
 *
 * Symbolic links and special files below the folders are refused.
 * Errors: SATCHEL_ERROR_METADATA_NOT_FOUND, SATCHEL_ERROR_DOWNLOAD_FAILED where a folder cannot be
 * opened.
 *
 * Returns: (transfer full): the source, or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelTufSource *satchel_tuf_source_directory_new(const char *metadata_dir,
						   const char *artifact_dir, GError **error);

void satchel_tuf_source_free(SatchelTufSource *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelTufSource, satchel_tuf_source_free)

#pragma GCC visibility pop
