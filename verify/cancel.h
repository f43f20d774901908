#pragma once
#include <gio/gio.h>
#include <satchel/error.h>

/* FALSE with SATCHEL_ERROR_CANCELLED once @cancellable (nullable) was cancelled; TRUE: go on.
 * Callable from any thread. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_cancel_check(GCancellable *cancellable, GError **error);
