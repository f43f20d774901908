#pragma once
#include "../verify/manifest.h"
#include "../verify/progress.h"
#include <satchel/bundle_thin.h>

/*
 * Takes commits with all that they need out of an OSTree repository of any mode into the archive
 * repository of a bundle. Every object is hashed on the way and compared with its name: the source
 * is believed in nothing. Not thread-safe for callers; it uses threads itself.
 */
typedef struct SatchelOstreeCollection SatchelOstreeCollection;

/**
 * satchel_collect_ostree_plan:
 * @repo_path: the source repository
 * @commits: NULL-terminated checksums; copied
 * @thin: (nullable): the bases of a thin bundle; gets weights and deltas as the collection is
 *   written; borrowed for the life of the collection
 *
 * Walks and verifies commits and folders, and asks for the presence of files. Order of objects: as
 * satchel_closure_list() has it; each object once.
 *
 * Errors: SATCHEL_ERROR_NO_TARGET_CONTENT where a commit or any object is missing;
 * SATCHEL_ERROR_DOWNLOAD_FAILED where a commit or folder does not have the hash of its name;
 * SATCHEL_ERROR_FAILED where @repo_path is no repository.
 *
 * Returns: (transfer full)
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelOstreeCollection *satchel_collect_ostree_plan(const char *repo_path,
						     const char *const *commits,
						     SatchelBundleThin *thin, GError **error);

/* The time that a commit of the plan says; @index as in @commits. Errors: as above. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_collect_ostree_get_commit_time(SatchelOstreeCollection *self, guint index,
						gint64 *time_s, GError **error);

/* Asks for deltas that say they were made at @time_s, where they make the bundle smaller. */
void satchel_collect_ostree_want_deltas(SatchelOstreeCollection *self, gint64 time_s);

/* Bytes to be read from the source, for progress. */
guint64 satchel_collect_ostree_get_source_bytes(const SatchelOstreeCollection *self);
/* In the bundle; without what deltas replace once it is written. */
guint satchel_collect_ostree_get_n_objects(const SatchelOstreeCollection *self);

/**
 * satchel_collect_ostree_write:
 * @dir_fd: the bundle's top
 * @names: one for each of the commits: gets a branch of that name
 * @manifest: gets every file written, in the order of the plan
 * @progress: (nullable): advances by source bytes
 *
 * Same input gives the same bytes: the configuration and the compression level are fixed, and
 * nothing else (locks, temporary files, state) is written. An archive source's compressed files
 * are taken over as they are once their content has been verified.
 *
 * Errors: as above; SATCHEL_ERROR_NO_SPACE; SATCHEL_ERROR_FAILED once a signal has come.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_collect_ostree_write(SatchelOstreeCollection *self, int dir_fd,
				      const char *const *names, SatchelManifest *manifest,
				      SatchelProgress *progress, GError **error);

void satchel_ostree_collection_free(SatchelOstreeCollection *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelOstreeCollection, satchel_ostree_collection_free)
