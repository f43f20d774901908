#pragma once
#include "signed_document.h"

/* A `hashes` object: algorithm to hex digest. Immutable; pure. */
typedef struct SatchelHashList SatchelHashList;

/* Not empty; digests of sha256 and sha512 have their algorithm's length and are kept in lower case.
 * Errors: SATCHEL_ERROR_METADATA_INVALID. (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
SatchelHashList *satchel_hash_list_parse(json_t *hashes, GError **error);

/* NULL where it has none. Borrowed. */
const char *satchel_hash_list_get(const SatchelHashList *self, const char *algorithm);

/**
 * satchel_hash_list_check:
 * @length_bytes: (out): the document's length, as @dialect counts it
 *
 * Every digest of a known algorithm must be the document's, as @dialect hashes it, and at least one
 * must be of a known algorithm: what cannot be computed proves nothing.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_hash_list_check(const SatchelHashList *self, const SatchelSignedDocument *document,
				 SatchelDialect dialect, guint64 *length_bytes, GError **error);

void satchel_hash_list_free(SatchelHashList *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelHashList, satchel_hash_list_free)
