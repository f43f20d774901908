#pragma once
#include <gio/gio.h>
#include <satchel/error.h>
#include <satchel/limits.h>
#pragma GCC visibility push(default)

/*
 * Reads the members of a bundle, of which nothing is believed: names are checked, symbolic links
 * and special files are refused, sizes are bounded. Not thread-safe; one
 * reader a thread. Never writes.
 */
typedef struct SatchelBundleReader SatchelBundleReader;

/**
 * satchel_bundle_reader_open:
 * @path: the bundle: a folder with `tuf/` in it, a packed bundle, the first part of one, or a
 * folder that holds exactly one of these
 *
 * Of a packed bundle the headers up to its manifest are read.
 *
 * Errors: SATCHEL_ERROR_METADATA_NOT_FOUND where there is no bundle at @path, or several;
 * SATCHEL_ERROR_BUNDLE_INVALID where a packed one has something in its head that no bundle has;
 * SATCHEL_ERROR_DOWNLOAD_FAILED where it is incomplete or cannot be read.
 *
 * Returns: (transfer full): the reader, or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelBundleReader *satchel_bundle_reader_open(const char *path, GError **error);

const char *satchel_bundle_reader_get_path(const SatchelBundleReader *self);

/**
 * satchel_bundle_reader_read:
 * @member: path relative to the bundle's top, `/` between components, no `.` or `..`
 * @max_bytes: a longer member is refused before it is read
 *
 * Errors: SATCHEL_ERROR_METADATA_NOT_FOUND where the member is missing;
 * SATCHEL_ERROR_DOWNLOAD_FAILED where it cannot be read, is no regular file, or is longer than
 * @max_bytes. The message names it.
 *
 * Returns: (transfer full): the whole member, or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
GBytes *satchel_bundle_reader_read(SatchelBundleReader *self, const char *member, gsize max_bytes,
				   GError **error);

/* Opens a member for one sequential read. @size_bytes: (out) (nullable): its size when it was
 * opened. The stream must not outlive the reader. Errors as above. (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
GInputStream *satchel_bundle_reader_open_member(SatchelBundleReader *self, const char *member,
						guint64 *size_bytes, GError **error);

/* TRUE when @member is there as a regular file; a wrong kind or an I/O error is FALSE with @error,
 * plain absence is FALSE without. */
gboolean satchel_bundle_reader_has(SatchelBundleReader *self, const char *member, GError **error);

void satchel_bundle_reader_free(SatchelBundleReader *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelBundleReader, satchel_bundle_reader_free)

#pragma GCC visibility pop
