#pragma once
#include <gio/gio.h>

/**
 * satchel_command_interrupt_watch:
 *
 * From now on the first SIGINT, SIGTERM or SIGHUP cancels what this returns, so that long work ends
 * at a place from which it can be taken up again; a second one of the kind ends the process at
 * once. The same object each time; for one thread to call.
 *
 * Returns: (transfer none): it lives as long as the process
 */
GCancellable *satchel_command_interrupt_watch(void);
