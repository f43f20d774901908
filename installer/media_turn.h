#pragma once
#include "media_device.h"
#include <gio/gio.h>

/* A stick waits until it is its turn: a contact that flaps is not served each time. */

/* Seconds until @device may be served; 0: now, and that is noted in @run_dir. */
gint64 satchel_media_turn_take(const SatchelMediaDevice *device, const char *run_dir);
