#pragma once
#include "bundle_form.h"

/*
 * The files of a packed bundle, one or the parts of a set, read as if they were one. Links beside
 * the first one are not followed, and only regular files are read. Not thread-safe; never writes.
 */
typedef struct SatchelPartFiles SatchelPartFiles;

/**
 * satchel_part_files_open:
 * @path: the file, or the first part; a link is the user's choice
 *
 * Errors: SATCHEL_ERROR_METADATA_NOT_FOUND where there is no regular file; _DOWNLOAD_FAILED where
 * the sizes of the parts tell that one is incomplete. The message names the part.
 *
 * Returns: (transfer full): the files, or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelPartFiles *satchel_part_files_open(const char *path, GError **error);

guint64 satchel_part_files_get_total_bytes(const SatchelPartFiles *self);
guint satchel_part_files_get_n_parts(const SatchelPartFiles *self);
/* Where the part begins in the whole. */
guint64 satchel_part_files_get_begin_bytes(const SatchelPartFiles *self, guint part);
/* The part that holds that byte, or the last one. */
guint satchel_part_files_find(const SatchelPartFiles *self, guint64 offset_bytes);
/* File name without its folder; @part may be one more than there are. (transfer full) */
char *satchel_part_files_dup_name(const SatchelPartFiles *self, guint part);
/* TRUE where the last part is as long as the first, so that one more may belong to the set. */
gboolean satchel_part_files_may_lack_one(const SatchelPartFiles *self);

/* One try, as pread(): the bytes read, 0 at the end, or a negative errno. */
gssize satchel_part_files_read_some(const SatchelPartFiles *self, guint64 offset_bytes,
				    gpointer buffer, gsize n_bytes);

/* Exactly @n_bytes, with a second try from the medium. Errors: those of medium_error.h, by the
 * part's name. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_part_files_read(const SatchelPartFiles *self, guint64 offset_bytes,
				 gpointer buffer, gsize n_bytes, GError **error);

void satchel_part_files_advise(const SatchelPartFiles *self, guint64 offset_bytes, guint64 n_bytes,
			       SatchelBundleAdvice advice);

void satchel_part_files_free(SatchelPartFiles *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelPartFiles, satchel_part_files_free)
