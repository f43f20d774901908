#pragma once
#include "write_directory.h"
#include <ostree.h>

/*
 * One file object on its way from a source repository into `.filez` form: header, then the content
 * deflated without wrapper. Callable from several threads with one repository.
 *
 * Errors: SATCHEL_ERROR_DOWNLOAD_FAILED where the object cannot be read, does not have the hash of
 * its name or is malformed; those of writing.
 */

/**
 * satchel_archive_file_copy:
 * @repo: the source
 * @checksum: of the file object
 * @dir_fd: the bundle's top
 * @member: where to write it
 *
 * What is written has been hashed as it was written; on an error @member is not there.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_archive_file_copy(OstreeRepo *repo, const char *checksum, int dir_fd,
				   const char *member, SatchelWrittenFile *written, GError **error);
