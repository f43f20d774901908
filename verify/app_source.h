#pragma once
#include "app_closure.h"
#include <satchel/bundle_reader.h>

/* The two places where whole apps lie. Both are borrowed by the source for its life. */

/* The store in a bundle, in any of its forms. */
SatchelAppSource satchel_app_source_bundle(SatchelBundleReader *bundle);

/* A store as a folder of its own: on a build host, on a device. @dir_fd: its top, in a place that
 * outlives the source. Links are not followed. */
SatchelAppSource satchel_app_source_folder(const int *dir_fd);

/* The bundle says that it holds the app: its `uri` file is there and has the very URI. Error:
 * SATCHEL_ERROR_NO_TARGET_CONTENT; those of reading. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_app_source_check_uri(SatchelBundleReader *bundle, const char *uri, GError **error);
