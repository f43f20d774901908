#pragma once
#include <satchel/error.h>
#pragma GCC visibility push(default)

/*
 * What a thin bundle says of the releases that it builds on. It leaves out what every device on one
 * of them has; a static delta stands for the objects that a device on its base lacks. A value,
 * signed with the rest of tuf/bundle-targets.json; pure, callable from any thread.
 */

/* So many objects, so many bytes. */
typedef struct {
	guint64 n_objects;
	guint64 size_bytes;
} SatchelBundleWeight;

/* A release that the bundle builds on. */
typedef struct {
	char commit[65];
	char **names; /* of the targets that had this commit when the bundle was built; may be
			 empty; NULL-terminated */
	SatchelBundleWeight lacks; /* what a device on it lacks of the bundle's targets, as a
				      bundle stores it */
} SatchelBundleBase;

/* A static delta of libostree in the bundle. */
typedef struct {
	char from[65];
	char to[65];
	guint64 size_bytes;	      /* of its file */
	SatchelBundleWeight unpacked; /* what it makes on the device: content, uncompressed */
} SatchelBundleDelta;

typedef struct {
	guint n_bases; /* at least one */
	SatchelBundleBase *bases;
	guint n_deltas;
	SatchelBundleDelta *deltas;
	SatchelBundleWeight full; /* what a bundle with all objects would hold */
} SatchelBundleThin;

/**
 * satchel_bundle_thin_serves:
 * @commits: what the device has deployed, NULL-terminated
 * @target_commit: what it would take
 *
 * TRUE where the device has one of the bases, or @target_commit itself.
 */
gboolean satchel_bundle_thin_serves(const SatchelBundleThin *self, const char *const *commits,
				    const char *target_commit);

/* The delta from one of @commits to @to; NULL where there is none. Borrowed. */
const SatchelBundleDelta *satchel_bundle_thin_find_delta(const SatchelBundleThin *self,
							 const char *const *commits,
							 const char *to);

/* The bases for a message, by name and commit; of many, the first. (transfer full) */
char *satchel_bundle_thin_describe_bases(const SatchelBundleThin *self);

/* Where the delta lies in a bundle: libostree's own place. (transfer full) */
char *satchel_bundle_delta_member(const SatchelBundleDelta *delta);

#pragma GCC visibility pop
