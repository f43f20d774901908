#pragma once
#include "bundle_form.h"
#include "closure_index.h"

/*
 * The OSTree repository of a bundle, read object by object without libostree: its configuration is
 * hostile, and a pull from a local folder believes what it finds. Each object is hashed here and
 * compared with the name under which a trusted parent asked for it. Never writes. Not thread-safe:
 * one reader and one repository a thread.
 *
 * Errors of all functions: SATCHEL_ERROR_NO_TARGET_CONTENT where a repository or an object is not
 * there; SATCHEL_ERROR_DOWNLOAD_FAILED where it cannot be read, is malformed or does not have the
 * hash of its name. Messages name the object's file.
 */
typedef struct SatchelClosureRepo SatchelClosureRepo;

/* @bundle: borrowed; must outlive the repository. (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
SatchelClosureRepo *satchel_closure_repo_open(SatchelBundleReader *bundle, GError **error);

gboolean satchel_closure_repo_is_archive(const SatchelClosureRepo *self);

/* The name of an object's file in the bundle. (transfer full) */
char *satchel_closure_repo_member(const SatchelClosureRepo *self, SatchelObjectType type,
				  const char *checksum);

/* The header of a file object in one of the bare modes, from what stands beside its content: claims
 * until both were hashed. @header: zeroed, cleared by the caller. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_closure_repo_read_bare_header(SatchelClosureRepo *self, const char *member,
					       SatchelFileHeader *header, GError **error);

/* The bytes of a commit, dirtree or dirmeta, verified. (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
GBytes *satchel_closure_repo_load(SatchelClosureRepo *self, SatchelObjectType type,
				  const char *checksum, GError **error);

/* The most content that a file object of that length can hold: with the next function, for
 * estimates of space, and never more than that. */
guint64 satchel_closure_repo_most_bytes(const SatchelClosureRepo *self, guint64 stored_bytes);

/* The size that a file object of @stored_bytes claims for its content, from its first bytes alone.
 * A size that no file of that length can hold is SATCHEL_ERROR_DOWNLOAD_FAILED. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_closure_repo_claimed_size(SatchelClosureRepo *self, const char *checksum,
					   guint64 stored_bytes, guint64 *size_bytes,
					   GError **error);

/* Size and place of an object on the medium; absence is *@missing, not an error. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_closure_repo_find(SatchelClosureRepo *self, SatchelObjectType type,
				   const char *checksum, SatchelBundlePlace *place,
				   gboolean *missing, GError **error);

/* What commits need, each object once. */
typedef struct {
	GArray *objects; /* of SatchelClosureObject, in the order in which a device walks them */
	SatchelClosureIndex *index; /* of these */
	guint64 stored_bytes;
	guint n_files;	 /* file objects, missing ones included */
	guint n_missing; /* file objects that are not on the medium */
} SatchelClosureList;

/**
 * satchel_closure_list:
 * @commits: NULL-terminated checksums from verified targets
 *
 * Reads and verifies commits and trees, and asks only for the presence and the size of files, so
 * that totals are known before content is read. Order: per commit the commit, then depth-first its
 * trees, each followed by its dirmeta, then the files of these trees in the same order. Missing
 * file objects are listed as such; missing metadata is an error. Depth is bounded by
 * SATCHEL_LIMIT_OSTREE_DEPTH, the number of objects by SATCHEL_LIMIT_OSTREE_OBJECTS.
 *
 * Returns: (transfer full): the list
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelClosureList *satchel_closure_list(SatchelClosureRepo *repo, const char *const *commits,
					 GError **error);

/* Where a walk gets objects, for callers that have them elsewhere than in a bundle. */
typedef struct {
	const char *name; /* what messages call it */
	/* The bytes of a commit, dirtree or dirmeta, verified. (transfer full) */
	GBytes *(*load)(gpointer self, SatchelObjectType type, const char *checksum,
			GError **error);
	/* Size of a file object as it is stored, and where; absence is no error. */
	gboolean (*find_file)(gpointer self, const char *checksum, SatchelBundlePlace *place,
			      gboolean *missing, GError **error);
	gpointer self;
} SatchelClosureSource;

/* The same from elsewhere; errors of @source are passed on. (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
SatchelClosureList *satchel_closure_list_from(const SatchelClosureSource *source,
					      const char *const *commits, GError **error);

void satchel_closure_list_free(SatchelClosureList *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelClosureList, satchel_closure_list_free)

void satchel_closure_repo_free(SatchelClosureRepo *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelClosureRepo, satchel_closure_repo_free)
