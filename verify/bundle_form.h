#pragma once
#include "manifest.h"
#include <satchel/bundle_layout.h>
#include <satchel/bundle_reader.h>

/*
 * The forms in which a bundle comes, behind one table. A form gives members by name; the checks of
 * names and sizes that all forms share are in bundle_reader.c.
 */

/* What stands under a name in a bundle. */
typedef struct {
	guint32 mode; /* S_IFMT and permission bits */
	guint32 uid, gid;
	guint64 size_bytes;
} SatchelBundleStat;

/* Called for each member that is no folder, and for each folder with nothing in it (S_IFDIR in
 * @stat, no slash at its end). FALSE ends the walk with the error it set. */
typedef gboolean (*SatchelBundleVisit)(const char *member, const SatchelBundleStat *stat,
				       gpointer user_data, GError **error);

/* Where a member lies. A value. */
typedef struct {
	guint64 size_bytes;
	guint64 place; /* reading in ascending order is the cheapest way over this medium */
} SatchelBundlePlace;

/* For an access that is not to be reported: the page cache's. */
typedef enum {
	SATCHEL_BUNDLE_DROP_CACHE,
	SATCHEL_BUNDLE_WILL_NEED,
} SatchelBundleAdvice;

typedef struct {
	/* The size of a regular file as it is on the medium, before it is read.
	 * SATCHEL_ERROR_METADATA_NOT_FOUND where it is absent, _DOWNLOAD_FAILED for all else. */
	gboolean (*begin_read)(SatchelBundleReader *self, const char *member, guint64 *size_bytes,
			       GError **error);
	/* One try, as pread(): @n_read: (out): the bytes read, 0 at the end, or a negative errno.
	 * Errors as above, where there is no such file. */
	gboolean (*read_some)(SatchelBundleReader *self, const char *member, guint64 offset,
			      gpointer buffer, gsize n_bytes, gssize *n_read, GError **error);
	void (*advise)(SatchelBundleReader *self, const char *member, guint64 offset,
		       guint64 n_bytes, SatchelBundleAdvice advice);
	/* As satchel_bundle_reader_find(). */
	gboolean (*find)(SatchelBundleReader *self, const char *member, SatchelBundlePlace *place,
			 GError **error);
	/* Links are not followed. Errors as above. */
	gboolean (*stat_member)(SatchelBundleReader *self, const char *member,
				SatchelBundleStat *stat, GError **error);
	/* (nullable): the target of a symbolic link, for repositories in bare modes. (transfer
	 * full) */
	char *(*read_link)(SatchelBundleReader *self, const char *member, GError **error);
	/* (nullable): all extended attributes of a regular file as a(ayay), names with their NUL
	 * and in order of bytes, likewise. (transfer full) */
	GVariant *(*read_attributes)(SatchelBundleReader *self, const char *member, GError **error);
	gboolean (*walk)(SatchelBundleReader *self, SatchelBundleVisit visit, gpointer user_data,
			 GError **error);
	/* (nullable): @manifest is to be believed from now on, as far as the form agrees with it.
	 * SATCHEL_ERROR_BUNDLE_INVALID where it does not; those of medium_error.h where the sizes
	 * tell that the copy is incomplete. */
	gboolean (*use_manifest)(SatchelBundleReader *self, const SatchelManifest *manifest,
				 GError **error);
	/* (nullable): as satchel_bundle_reader_check_layout() */
	gboolean (*check_layout)(SatchelBundleReader *self, GError **error);
	void (*free)(SatchelBundleReader *self);
} SatchelBundleForm;

/* First member of every form's own structure. */
struct SatchelBundleReader {
	const SatchelBundleForm *form;
	char *path;
	SatchelManifest *manifest; /* (nullable): its hash was signed */
	gsize index_bytes;	   /* what is in memory to find members by */
};

/* The directory form. @is_bundle: (out): FALSE where @path is a folder and no bundle, which is not
 * reported. Errors: SATCHEL_ERROR_METADATA_NOT_FOUND. (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
SatchelBundleReader *satchel_bundle_directory_open(const char *path, gboolean *is_bundle,
						   GError **error);

/* The packed form, whole or by its first part. Errors: as satchel_bundle_reader_open(). (transfer
 * full) */
G_GNUC_WARN_UNUSED_RESULT
SatchelBundleReader *satchel_bundle_packed_open(const char *path, GError **error);

/* Size and kind without opening; errors as satchel_bundle_reader_read(), but any kind is fine. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_bundle_reader_stat(SatchelBundleReader *self, const char *member,
				    SatchelBundleStat *stat, GError **error);

/* As SatchelBundleVisit says, in no order. Names are as they are on the medium: quote them. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_bundle_reader_walk(SatchelBundleReader *self, SatchelBundleVisit visit,
				    gpointer user_data, GError **error);

/* Where a member lies and how long it is, without opening it where the manifest tells. Errors as
 * satchel_bundle_reader_read(). */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_bundle_reader_find(SatchelBundleReader *self, const char *member,
				    SatchelBundlePlace *place, GError **error);

/**
 * satchel_bundle_reader_read_at:
 *
 * Exactly @n_bytes from @offset of the member. A read error or a short read is tried once more with
 * the page cache dropped for that range. Nothing is remembered from call to call that a caller
 * could see.
 *
 * Errors: SATCHEL_ERROR_DOWNLOAD_FAILED in the words of medium_error.h,
 * SATCHEL_ERROR_METADATA_NOT_FOUND.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_bundle_reader_read_at(SatchelBundleReader *self, const char *member,
				       guint64 offset, gpointer buffer, gsize n_bytes,
				       GError **error);

/* The next read of that range comes from the medium, as far as the kernel lets us. For one retry
 * after a hash that did not fit. */
void satchel_bundle_reader_drop_cache(SatchelBundleReader *self, const char *member, guint64 offset,
				      guint64 n_bytes);

/* Asks the kernel to fetch that range. */
void satchel_bundle_reader_will_need(SatchelBundleReader *self, const char *member, guint64 offset,
				     guint64 n_bytes);

/* The SHA-256 (32 raw bytes) that the signed manifest gives for the member as it is stored; NULL
 * where no manifest was accepted or it does not list it. Borrowed from the reader. */
const guint8 *satchel_bundle_reader_get_signed_sha256(const SatchelBundleReader *self,
						      const char *member);

/**
 * satchel_bundle_reader_accept_manifest:
 * @sha256: lower-case hex
 *
 * Loads the manifest, compares its hash and length with these, which were signed, parses it and
 * keeps it: from now on satchel_bundle_reader_get_signed_sha256() answers. Only the judge calls it.
 *
 * Errors: SATCHEL_ERROR_BUNDLE_INVALID; those of medium_error.h, also where its sizes tell that a
 * packed bundle is incomplete.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_bundle_reader_accept_manifest(SatchelBundleReader *self, const char *sha256,
					       guint64 length_bytes, GError **error);

/* The form is what the manifest says: in the packed form every header, and the zeros between
 * members. For the full check; a pull has the hashes. Errors: SATCHEL_ERROR_BUNDLE_INVALID, those
 * of medium_error.h. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_bundle_reader_check_layout(SatchelBundleReader *self, GError **error);
