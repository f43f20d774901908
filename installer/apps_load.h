#pragma once
#include "blob_store.h"
#include "engine_client.h"

/* Brings the images of apps from the app store into the engine, where each gets a local name: a
 * stock engine knows no image by the digest in a registry that it has not pulled from. */

/* "localhost/satchel/NAME:HEX", of the last component and the digest of the reference. The engine
 * takes it for no registry of the network's. (transfer full) */
char *satchel_apps_load_local_name(const SatchelImageReference *reference);

/**
 * satchel_apps_load:
 * @limit_s: for each image
 *
 * The images of @closure that the engine does not have under their local names.
 *
 * Errors: SATCHEL_ERROR_TARGET_UNREADABLE: the engine does not take one, or is not there;
 * SATCHEL_ERROR_DOWNLOAD_FAILED: a blob of the store is not what it was; SATCHEL_ERROR_CANCELLED.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_apps_load(SatchelEngine *engine, const SatchelBlobStore *store,
			   const SatchelAppClosure *closure, guint limit_s,
			   const SatchelProgressSink *sink, GCancellable *cancellable,
			   GError **error);

/* Takes the local names away that none of @closures (SatchelAppClosure) needs; the engine keeps
 * what a container still uses. Does what it can. */
void satchel_apps_load_prune(SatchelEngine *engine, const GPtrArray *closures);
