#pragma once
#include "sysroot.h"

/**
 * satchel_pull_room_make:
 * @sysroot: the device's; its deployments are read anew
 * @commit: the one that is wanted, whose mark stays, borrowed
 *
 * For a pull that lacks space: gives up what only earlier pulls have left on the device. The marks
 * of other pulled commits go, then every object that no ref and no deployment needs, then what
 * aborted transactions have left aside. While another process changes the deployments or uses the
 * repository, the objects stay. Not in a transaction and not under a lock of the repository.
 *
 * Errors: SATCHEL_ERROR_FAILED: the refs or the deployments cannot be read or changed. Objects that
 * cannot be removed are no error: the next look at the space tells.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_pull_room_make(SatchelSysroot *sysroot, const char *commit, GError **error);
