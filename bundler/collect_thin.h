#pragma once
#include "../verify/ostree_closure.h"
#include "object_choice.h"
#include <ostree.h>

/*
 * What makes a bundle thin: which objects every device on one of its bases has, what each base
 * costs, and deltas where they are smaller. One for a build; not thread-safe.
 */
typedef struct SatchelThinCollection SatchelThinCollection;

/**
 * satchel_collect_thin_plan:
 * @source: walks the source repository, borrowed for the call
 * @repo: the same
 * @commits: of the targets
 * @choice: gets a pair for each base and commit; borrowed
 * @thin: gives the bases, and gets their weights and the deltas; borrowed
 *
 * Errors: those of @source: every base has to be there, as far as its folders go.
 *
 * Returns: (transfer full)
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelThinCollection *satchel_collect_thin_plan(const SatchelClosureSource *source,
						 OstreeRepo *repo, const char *const *commits,
						 SatchelObjectChoice *choice,
						 SatchelBundleThin *thin, GError **error);

/* Sets the weights. @written: size of each object of @all as a bundle has it, whether or not it is
 * to be in this one. */
void satchel_collect_thin_weigh(SatchelThinCollection *self, const SatchelClosureList *all,
				const SatchelWrittenFile *written);

/**
 * satchel_collect_thin_write_deltas:
 * @time_s: what the deltas say when they were made
 * @dir_fd: the bundle's top
 *
 * Makes the delta of each pair, keeps those that make the bundle smaller, and lets the choice drop
 * what they replace. What they are made of and is not in @all is hashed before.
 *
 * Errors: SATCHEL_ERROR_DOWNLOAD_FAILED where an object of a base is damaged; those of
 * satchel_collect_delta_generate().
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_collect_thin_write_deltas(SatchelThinCollection *self,
					   const SatchelClosureList *all,
					   const SatchelWrittenFile *written, gint64 time_s,
					   int dir_fd, GError **error);

/* Adds the deltas that were kept. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_collect_thin_list(const SatchelThinCollection *self, SatchelManifest *manifest,
				   GError **error);

void satchel_thin_collection_free(SatchelThinCollection *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelThinCollection, satchel_thin_collection_free)
