#pragma once
#include <satchel/error.h>
#include <satchel/limits.h>

/*
 * The formats of OSTree objects, from bytes whose hash the caller has checked (metadata), or that
 * the caller is about to hash (files). Pure: no repository, no libostree.
 */
typedef enum {
	SATCHEL_OBJECT_FILE = 1, /* numbers as in libostree's OstreeObjectType */
	SATCHEL_OBJECT_DIR_TREE = 2,
	SATCHEL_OBJECT_DIR_META = 3,
	SATCHEL_OBJECT_COMMIT = 4,
} SatchelObjectType;

/* "ab/cdef….commit"; files of archive repositories end in `.filez`, of others in `.file`.
 * (transfer full) */
char *satchel_object_path(SatchelObjectType type, const char *checksum, gboolean archive);

/* A commit object: what matters of it. */
typedef struct {
	char root_tree[65];
	char root_meta[65];
	gint64 timestamp_s;
} SatchelCommit;

/* Errors: SATCHEL_ERROR_CONTENT_INVALID. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_commit_parse(GBytes *verified, SatchelCommit *commit, GError **error);

/* A folder, in a few bytes for each name besides the object: names are checked (no `/`, `.`, `..`,
 * NUL, sorted, unique). */
typedef struct {
	const char *name;
	const guint8 *checksum;	     /* 32 bytes */
	const guint8 *meta_checksum; /* 32 bytes; NULL for a file */
} SatchelTreeEntry;
typedef struct SatchelTree SatchelTree;

G_GNUC_WARN_UNUSED_RESULT
SatchelTree *satchel_tree_parse(GBytes *verified, GError **error);
guint
satchel_tree_get_n_entries(const SatchelTree *self); /* files first, then folders, each by name */
const SatchelTreeEntry *satchel_tree_get_entry(const SatchelTree *self, guint index);
void satchel_tree_free(SatchelTree *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelTree, satchel_tree_free)

G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_dirmeta_parse(GBytes *verified, GError **error);

/* The header of a file object. */
typedef struct {
	guint64 size_bytes; /* of the content, uncompressed */
	guint32 uid, gid, mode;
	char *symlink_target; /* NULL for a regular file */
	GVariant *xattrs;     /* a(ayay) */
} SatchelFileHeader;

void satchel_file_header_clear(SatchelFileHeader *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SatchelFileHeader, satchel_file_header_clear)

/* From the first 8 bytes of a `.filez`: where the deflated content begins, so that a reader knows
 * how much it must have before it parses. Errors: SATCHEL_ERROR_CONTENT_INVALID. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_file_header_length_archive(gconstpointer data, gsize n_bytes, gsize *length_bytes,
					    GError **error);

/* The beginning of a `.filez`: *@consumed_bytes is where the deflated content begins. The header is
 * hostile until the content hash was compared. Errors: SATCHEL_ERROR_CONTENT_INVALID. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_file_header_parse_archive(gconstpointer data, gsize n_bytes,
					   SatchelFileHeader *header, gsize *consumed_bytes,
					   GError **error);

/* The content's size that the first 16 bytes of a `.filez` claim. */
guint64 satchel_file_header_peek_size_archive(const guint8 head[16]);

/* `user.ostreemeta`, the attribute in which repositories of mode bare-user keep owner, mode and
 * attributes of a file. Size and link target are the caller's to fill in;
 * satchel_file_header_check() looks at the whole. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_file_header_parse_ostreemeta(GBytes *attribute, SatchelFileHeader *header,
					      GError **error);

/* What every file object obeys: a regular file, or a link with a target and without content.
 * Errors: SATCHEL_ERROR_CONTENT_INVALID. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_file_header_check(const SatchelFileHeader *header, GError **error);

/* What is hashed before the content to give the object's checksum. (transfer full) */
GBytes *satchel_file_header_to_checksum_prefix(const SatchelFileHeader *header);
