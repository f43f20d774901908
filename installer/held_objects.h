#pragma once
#include "../verify/ostree_closure.h"
#include "../verify/progress.h"
#include "sysroot.h"
#include <satchel/progress.h>

/*
 * What the device's repository really holds. libostree takes an object for what its name says as
 * soon as there is a file of that name; another updater's unverified pull, or a disk that lost
 * something, is enough for it to be wrong.
 */

/**
 * satchel_held_objects_find_bad:
 * @list: a closure whose trees are verified, borrowed
 * @damaged: (out) (nullable) (transfer full) (element-type guint): those of the returned indexes
 *   under whose names there is something
 * @sink: (nullable): gets the progress
 *
 * Reads and hashes the objects of @list that the repository holds, in parallel. Files that a
 * deployment of this sysroot shares with the repository are only opened: the device runs them
 * already. Writes nothing.
 *
 * Errors: SATCHEL_ERROR_CANCELLED; none for an object that is absent, damaged or unreadable: that
 * is bad.
 *
 * Returns: (transfer full) (element-type guint): indexes of objects that are not there or not what
 *   they should be, or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
GArray *satchel_held_objects_find_bad(SatchelSysroot *sysroot, const SatchelClosureList *list,
				      GArray **damaged, const SatchelProgressSink *sink,
				      GCancellable *cancellable, GError **error);

/**
 * satchel_held_objects_check_commit:
 *
 * Walks all that @commit needs in the device's repository and checks each object as above.
 * Errors: SATCHEL_ERROR_DOWNLOAD_FAILED, naming the first object that is bad; another pull cures
 * it. SATCHEL_ERROR_CANCELLED.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_held_objects_check_commit(SatchelSysroot *sysroot, const char *commit,
					   const SatchelProgressSink *sink,
					   GCancellable *cancellable, GError **error);

/* The same for a commit that something is made of: all of its files are read, those of the device's
 * own deployments as well. Errors likewise. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_held_objects_check_base(SatchelSysroot *sysroot, const char *commit,
					 const SatchelProgressSink *sink, GCancellable *cancellable,
					 GError **error);

/* TRUE where the repository, or its transaction under way, holds just that object. */
gboolean satchel_held_objects_is_good(OstreeRepo *repo, SatchelObjectType type,
				      const char *checksum);

/* Takes the object out of the repository, whatever it is; absence is fine. Not in a transaction.
 * Error: SATCHEL_ERROR_DOWNLOAD_FAILED. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_held_objects_remove(OstreeRepo *repo, SatchelObjectType type, const char *checksum,
				     GError **error);

/* Empties the folders in which libostree keeps what aborted transactions have written, as far as no
 * process uses them. What cannot be deleted stays. Not in a transaction. */
void satchel_held_objects_clear_staging(OstreeRepo *repo);

/* Deletes these folders but one, the one that the next transaction goes on with, and from that all
 * but the objects of @list at @indexes (ascending, of guint), and commits always: the transaction
 * would move the rest into the repository, over good objects too. Adds to @staged (of guint) the
 * indexes that are left, unread. TRUE where something is left. */
gboolean satchel_held_objects_trim_staging(OstreeRepo *repo, const SatchelClosureList *list,
					   const GArray *indexes, GHashTable *staged);

/* In a transaction: which of the objects of @list at @indexes neither it nor the repository holds
 * as they should be. What is good is told to @progress. Error: SATCHEL_ERROR_CANCELLED. (transfer
 * full) (element-type guint) */
G_GNUC_WARN_UNUSED_RESULT
GArray *satchel_held_objects_find_unstaged(OstreeRepo *repo, const SatchelClosureList *list,
					   const GArray *indexes, SatchelProgress *progress,
					   GCancellable *cancellable, GError **error);
