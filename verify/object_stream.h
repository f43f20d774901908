#pragma once
#include "ostree_object.h"
#include <gio/gio.h>

/*
 * The content of a file object, hashed while it is read; its last bytes are given out only when the
 * hash was right. Errors: SATCHEL_ERROR_DOWNLOAD_FAILED, naming @member. Not thread-safe.
 */

/**
 * satchel_object_stream_new_archive:
 * @stored: (transfer full): a `.filez` from its beginning
 * @checksum: the object's name
 * @header: (out caller-allocates): claims until the stream has ended well; cleared by the caller
 *
 * Returns: (transfer full): the inflated content
 */
G_GNUC_WARN_UNUSED_RESULT
GInputStream *satchel_object_stream_new_archive(GInputStream *stored, const char *member,
						const char *checksum, SatchelFileHeader *header,
						GError **error);

/* The same for a repository that stores content as it is, with a header from elsewhere (borrowed).
 * @stored: (transfer full) (nullable): NULL for a symbolic link. */
G_GNUC_WARN_UNUSED_RESULT
GInputStream *satchel_object_stream_new_bare(GInputStream *stored, const char *member,
					     const char *checksum, const SatchelFileHeader *header,
					     GError **error);

/* TRUE where somebody has read @stream, of either kind, to its verified end. What needs no reading,
 * an empty file or a link, is verified from the beginning. */
gboolean satchel_object_stream_is_verified(GInputStream *stream);

/* What the first failed read reported, for callers behind a library that words it anew; NULL where
 * none failed. Borrowed. */
const GError *satchel_object_stream_get_failure(GInputStream *stream);
