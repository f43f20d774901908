#pragma once
#include "collect_apps.h"

/* What an app is made of. Borrowed for the call. */
typedef struct {
	const char *name;
	const char *publish_as; /* HOST/FACTORY/APP */
	const char *compose_path;
	const char *const *paths; /* (nullable): further files and folders */
	SatchelImageWish images;
} SatchelAppWish;

/* HOST/FACTORY/APP whose APP is @name. Error: SATCHEL_ERROR_USAGE. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_app_author_check(const SatchelAppWish *wish, GError **error);

/**
 * satchel_app_author_add:
 *
 * Collects the images, pins them in the Compose file, packs the app and puts it into the store,
 * where it is known only when all of it is there. The same input gives the same URI.
 *
 * Returns: (transfer full): the app as the store has it, or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelAppClosure *satchel_app_author_add(SatchelAppStore *store, const SatchelAppWish *wish,
					  GError **error);
