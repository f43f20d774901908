#pragma once
#include "media_settings.h"
#include <satchel/error.h>

struct udev_device;

/*
 * Which block devices are sticks. What the kernel and udev tell is enough: nothing of the medium is
 * read here.
 */
typedef struct {
	char *node;	   /* /dev/sda1 */
	char *file_system; /* as udev has probed it */
	char *uuid;	   /* (nullable): of the file system */
	char *place;	   /* the port or slot in which it is, for the rate limit */
} SatchelMediaDevice;

/**
 * satchel_media_device_look_up:
 * @node: a block device
 *
 * Takes file systems on USB mass storage and on SD cards, of the kinds in the settings; not the EFI
 * system partition, and nothing on a disk of which something is mounted.
 *
 * Errors: SATCHEL_ERROR_FAILED: it is none, in words.
 *
 * Returns: (transfer full): the device, or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelMediaDevice *satchel_media_device_look_up(const char *node,
						 const SatchelMediaSettings *settings,
						 GError **error);

/* The same for one that udev tells of. */
G_GNUC_WARN_UNUSED_RESULT
SatchelMediaDevice *satchel_media_device_new(struct udev_device *device,
					     const SatchelMediaSettings *settings, GError **error);

/* TRUE as long as @node is the block device that it was. */
gboolean satchel_media_device_is_there(const SatchelMediaDevice *self);

/* TRUE where it is not, or not any more in a moment: reading fails before the node goes. */
gboolean satchel_media_device_goes_away(const SatchelMediaDevice *self);

void satchel_media_device_free(SatchelMediaDevice *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelMediaDevice, satchel_media_device_free)
