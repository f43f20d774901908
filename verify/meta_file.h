#pragma once
#include "hash_list.h"

/* What one role says of another's file: an entry of `meta`. Immutable; pure. TUF 4.4, 4.6. */
typedef struct {
	gint64 version;
	gint64 length_bytes;	 /* -1 where it is not given */
	SatchelHashList *hashes; /* NULL where they are not given */
} SatchelMetaFile;

/* @pinned: length and hashes are compulsory. Errors: SATCHEL_ERROR_METADATA_INVALID.
 * (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
SatchelMetaFile *satchel_meta_file_parse(const json_t *entry, gboolean pinned, GError **error);

/* @document is what the entry says: length, hashes. Not the version. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_meta_file_check_content(const SatchelMetaFile *self,
					 const SatchelSignedDocument *document,
					 SatchelDialect dialect, GError **error);

/* @by: who lists it, for the message. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_meta_file_check_version(const SatchelMetaFile *self, gint64 version,
					 const char *by, GError **error);

void satchel_meta_file_free(SatchelMetaFile *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelMetaFile, satchel_meta_file_free)
