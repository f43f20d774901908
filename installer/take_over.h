#pragma once
#include "device_parts.h"

/**
 * satchel_take_over:
 * @self: its state is a new one, its sysroot and folder are open
 * @taken: (out): TRUE where aktualizr-lite was here: @self has its state now, or a remark why not
 *
 * A device that aktualizr-lite has updated until now: what it knew of installed, pending and failed
 * targets, as far as the sysroot bears it out, and the metadata that it trusted, as far as they
 * verify from the device's own root. Nothing of it is written to; our metadata are, in update mode,
 * and the caller saves the state behind that. Killed in between, it can be done again.
 *
 * Errors: SATCHEL_ERROR_NO_SPACE, SATCHEL_ERROR_METADATA_FAILURE (our store), SATCHEL_ERROR_FAILED:
 * what might be read later is not given up.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_take_over(SatchelDevice *self, gboolean *taken, GError **error);
