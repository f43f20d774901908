#pragma once
#include "../verify/manifest.h"
#include "bundle_plan.h"

/*
 * TUF metadata as it lies in a folder, verified as a device would at the time of the build, so that
 * what is wrong with it shows in CI and not in the field. Not thread-safe.
 */
typedef struct SatchelTufCollection SatchelTufCollection;

/**
 * satchel_collect_tuf_load:
 * @dir: a folder with 1.root.json, or one with such a folder called `metadata` in it
 * @now_s: the time of the build
 *
 * Errors: those of satchel_tuf_client_refresh().
 *
 * Returns: (transfer full)
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelTufCollection *satchel_collect_tuf_load(const char *dir, gint64 now_s, GError **error);

/* Borrowed from the collection. */
SatchelBundleRoles satchel_collect_tuf_get_roles(const SatchelTufCollection *self);

/* Every root from 1 on and the other three roles, byte for byte as they were verified. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_collect_tuf_write(const SatchelTufCollection *self, int dir_fd,
				   SatchelManifest *manifest, GError **error);

void satchel_tuf_collection_free(SatchelTufCollection *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelTufCollection, satchel_tuf_collection_free)
