#pragma once
#include "media_settings.h"
#include <gio/gio.h>

/**
 * satchel_media_permit_check:
 * @min: of the day, by the local clock
 * @cancellable: (nullable): ends a command that is asked; that is a no
 *
 * May what lies on a stick be installed now? Asks in this order: the setting itself, quiet hours,
 * the battery, the approval's file, switch and command, the check's command. What cannot be read or
 * run does not permit it.
 *
 * Returns: (transfer full) (nullable): why not, in a few words; NULL: it may
 */
char *satchel_media_permit_check(const SatchelMediaSettings *settings, guint min,
				 GCancellable *cancellable);
