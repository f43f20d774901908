#pragma once
#include "../verify/object_pipeline.h"
#include <ostree.h>

/*
 * Verified objects into a repository. The only caller of libostree's functions that believe a
 * checksum is here, and it takes nothing but what the pipeline has just verified.
 */

/**
 * satchel_object_store_put:
 * @repo: in a transaction; several threads may put at a time
 * @object: verified, or, in pieces, withheld at its end until it is
 * @was_read: (out): FALSE where the repository had something of that name already and left it
 *   there without looking: it is to be hashed before it is believed
 *
 * Errors: libostree's and GIO's, and the object's own where its content came in pieces; nothing of
 * it is in the repository then.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_object_store_put(OstreeRepo *repo, const SatchelPipelineObject *object,
				  gboolean *was_read, GError **error);
