#pragma once
#include "device_parts.h"

/**
 * satchel_device_load_state:
 * @self: its settings, folder, lock and sysroot are there
 *
 * The device's state from its file. A damaged one is kept under another name and rebuilt from the
 * sysroot. What was done is a remark. Read-only, nothing is written.
 *
 * Errors: SATCHEL_ERROR_FAILED, SATCHEL_ERROR_NO_SPACE.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_device_load_state(SatchelDevice *self, GError **error);

/* The targets role that the device trusted last, for the names in it: that it has expired since
 * does not matter to a name. NULL: there is none that verifies. (transfer full) */
SatchelTargets *satchel_device_load_trusted_targets(SatchelDevice *self);
