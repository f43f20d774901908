#pragma once
#include "../verify/app_closure.h"

/* What stands below apps/APP/HEX/ beside the blobs, for aktualizr-lite and composectl: a path in
 * the store, and either a blob whose bytes it has or bytes of its own. */
typedef struct {
	char *path;
	char sha256[65]; /* of a blob; empty: content */
	guint64 size_bytes;
	GBytes *content; /* (nullable) */
} SatchelAppFile;

/* `uri` last: by it the app is known. (element-type SatchelAppFile) (transfer full) */
GPtrArray *satchel_app_files_of(const SatchelAppClosure *app);
