#pragma once
#include "device_parts.h"

/*
 * storage.path/current-target: what runs, in aktualizr-lite's form, for scripts to source.
 */

/* (transfer full) */
char *satchel_current_target_path(const SatchelDevice *device);

/**
 * satchel_current_target_format:
 * @target: (nullable): what runs; NULL: unknown, borrowed
 * @release: (nullable): the same as the trusted metadata have it, borrowed
 *
 * TARGET_NAME, CUSTOM_VERSION and, of @release, LMP_MANIFEST_SHA, META_SUBSCRIBER_OVERRIDES_SHA,
 * CONTAINERS_SHA and TAG, those that it has, one `NAME="value"` a line. A shell that reads it
 * executes nothing of the values.
 *
 * Returns: (transfer full): the text
 */
char *satchel_current_target_format(const SatchelStateTarget *target,
				    const SatchelOstreeTarget *release);

/* Writes the file where what runs is not what stands in it; whole, so that a reader finds the old
 * or the new one. That it cannot be written is a remark: nothing depends on it. */
void satchel_current_target_update(SatchelDevice *device);
