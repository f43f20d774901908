#pragma once
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

typedef struct {
	/* SATCHEL_ERROR_METADATA_NOT_FOUND where it is absent, _DOWNLOAD_FAILED for all else. */
	GInputStream *(*open_member)(SatchelBundleReader *self, const char *member,
				     guint64 *size_bytes, GError **error);
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
	void (*free)(SatchelBundleReader *self);
} SatchelBundleForm;

/* First member of every form's own structure. */
struct SatchelBundleReader {
	const SatchelBundleForm *form;
	char *path;
};

/* The directory form. Errors: SATCHEL_ERROR_METADATA_NOT_FOUND. (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
SatchelBundleReader *satchel_bundle_directory_open(const char *path, GError **error);

/* Size and kind without opening; errors as satchel_bundle_reader_read(), but any kind is fine. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_bundle_reader_stat(SatchelBundleReader *self, const char *member,
				    SatchelBundleStat *stat, GError **error);

/* As SatchelBundleVisit says, in no order. Names are as they are on the medium: quote them. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_bundle_reader_walk(SatchelBundleReader *self, SatchelBundleVisit visit,
				    gpointer user_data, GError **error);
