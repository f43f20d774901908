#pragma once
#include "app_store.h"

/**
 * satchel_app_hash_all:
 * @apps: of SatchelAppClosure
 *
 * Reads and hashes every blob of the apps, each once. Errors: SATCHEL_ERROR_CONTENT_INVALID for one
 * that is not what its name says; SATCHEL_ERROR_FAILED once a signal has come.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_app_hash_all(const SatchelAppStore *store, const GPtrArray *apps, GError **error);
