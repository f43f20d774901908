#pragma once
#include <ostree.h>
#include <satchel/error.h>

/* What a pull will take on the device's file system: an estimate from sizes that nobody has
 * verified yet, so an error only in the way of refusing too early. */
typedef struct {
	guint64 content_bytes;
	guint64 n_objects;
	guint64 reserved_percent; /* of the file system, to be left free; 0: none of our own */
} SatchelPullSpace;

/* Adds one object of @size_bytes. Sums stop at the largest number instead of wrapping. */
void satchel_pull_space_add(SatchelPullSpace *self, guint64 size_bytes);

/* In bytes: content and, for each object, a block and what its name and inode take. */
guint64 satchel_pull_space_total_bytes(const SatchelPullSpace *self);

/* What is to be left free on a file system of @size_bytes: what the repository wants or our own
 * percentage, whichever is more. */
guint64 satchel_pull_space_reserve_bytes(const SatchelPullSpace *self, guint64 size_bytes,
					 guint64 repo_bytes);

/* What the file system of @repo has beside its reserve. Error: SATCHEL_ERROR_DOWNLOAD_FAILED. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_pull_space_get_usable(const SatchelPullSpace *self, OstreeRepo *repo,
				       guint64 *usable_bytes, GError **error);

/* TRUE where the file system of @repo has that much beside our reserve and that of the repository
 * (min-free-space). Error: SATCHEL_ERROR_NO_SPACE, saying how much is lacking. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_pull_space_check(const SatchelPullSpace *self, OstreeRepo *repo, GError **error);
