#include "media_device.h"
#include "../verify/path_safety.h"
#include <errno.h>
#include <libmount.h>
#include <libudev.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* Partition types of the EFI system partition, GPT and MBR. */
#define ESP_GPT "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
#define ESP_MBR "0xef"

/* The kernel takes the node of what was pulled out away a moment after its last answer. */
#define AWAY_TRIES 10u
#define AWAY_US (G_USEC_PER_SEC / 10)

typedef struct udev Udev;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Udev, udev_unref)
typedef struct udev_device UdevDevice;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(UdevDevice, udev_device_unref)

static gboolean
fail(const char *node, const char *why, GError **error)
{
	g_autofree char *quoted = satchel_path_quote(node);

	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED, "%s is not served: %s", quoted,
		    why);
	return FALSE;
}

static gboolean
has(struct udev_device *device, const char *property, const char *value)
{
	return g_strcmp0(udev_device_get_property_value(device, property), value) == 0;
}

/* By driver: a keyboard that claims to be a stick is bound to another one. */
static gboolean
is_usb_storage(struct udev_device *device)
{
	return has(device, "ID_BUS", "usb") &&
	       (has(device, "ID_USB_DRIVER", "usb-storage") || has(device, "ID_USB_DRIVER", "uas"));
}

/* Not eMMC, which is soldered in. */
static gboolean
is_sd_card(struct udev_device *device)
{
	struct udev_device *card =
		udev_device_get_parent_with_subsystem_devtype(device, "mmc", NULL);

	return card != NULL && g_strcmp0(udev_device_get_sysattr_value(card, "type"), "SD") == 0;
}

/* The whole disk's sysfs path. */
static const char *
get_disk(struct udev_device *device)
{
	struct udev_device *disk =
		g_strcmp0(udev_device_get_devtype(device), "partition") == 0
			? udev_device_get_parent_with_subsystem_devtype(device, "block", "disk")
			: device;

	return udev_device_get_syspath(disk != NULL ? disk : device);
}

/* The system may have been started from an SD card: that is no stick. */
static gboolean
is_in_use(struct udev_device *device)
{
	struct udev *context = udev_device_get_udev(device);
	struct libmnt_table *mounts = mnt_new_table_from_file("/proc/self/mountinfo");
	struct libmnt_iter *iter = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *one = NULL;
	gboolean found = FALSE;

	while (!found && mounts != NULL && mnt_table_next_fs(mounts, iter, &one) == 0) {
		g_autoptr(UdevDevice) mounted =
			udev_device_new_from_devnum(context, 'b', mnt_fs_get_devno(one));

		found = mounted != NULL && g_strcmp0(get_disk(mounted), get_disk(device)) == 0;
	}
	mnt_free_iter(iter);
	mnt_unref_table(mounts);
	return found;
}

static gboolean
check(struct udev_device *device, const char *node, const SatchelMediaSettings *settings,
      GError **error)
{
	const char *kind = udev_device_get_property_value(device, "ID_FS_TYPE");
	const char *part = udev_device_get_property_value(device, "ID_PART_ENTRY_TYPE");

	if (!is_usb_storage(device) && !is_sd_card(device))
		return fail(node, "it is neither USB mass storage nor an SD card", error);
	if (!has(device, "ID_FS_USAGE", "filesystem") || kind == NULL)
		return fail(node, "it holds no file system", error);
	if (g_strcmp0(part, ESP_GPT) == 0 || g_strcmp0(part, ESP_MBR) == 0)
		return fail(node, "it is an EFI system partition", error);
	if (!g_strv_contains((const char *const *)settings->file_systems, kind))
		return fail(node, "its file system is none of media.file_systems", error);
	return !is_in_use(device) ||
	       fail(node, "its disk is in use, something of it is mounted", error);
}

SatchelMediaDevice *
satchel_media_device_new(struct udev_device *device, const SatchelMediaSettings *settings,
			 GError **error)
{
	const char *node = udev_device_get_devnode(device);
	SatchelMediaDevice *self = NULL;
	const char *place = udev_device_get_property_value(device, "ID_PATH");

	if (node == NULL) {
		fail("the device", "it has no node", error);
		return NULL;
	}
	if (!check(device, node, settings, error))
		return NULL;
	self = g_new0(SatchelMediaDevice, 1);
	self->node = g_strdup(node);
	self->file_system = g_strdup(udev_device_get_property_value(device, "ID_FS_TYPE"));
	self->uuid = g_strdup(udev_device_get_property_value(device, "ID_FS_UUID"));
	self->place = g_strdup(place != NULL ? place : node);
	return self;
}

SatchelMediaDevice *
satchel_media_device_look_up(const char *node, const SatchelMediaSettings *settings, GError **error)
{
	g_autoptr(Udev) context = udev_new();
	g_autoptr(UdevDevice) device = NULL;
	struct stat info;

	if (stat(node, &info) != 0) {
		fail(node, g_strerror(errno), error);
		return NULL;
	}
	if (S_ISBLK(info.st_mode) && context != NULL)
		device = udev_device_new_from_devnum(context, 'b', info.st_rdev);
	if (device == NULL) {
		fail(node, "it is no block device that udev knows", error);
		return NULL;
	}
	return satchel_media_device_new(device, settings, error);
}

gboolean
satchel_media_device_is_there(const SatchelMediaDevice *self)
{
	struct stat info;

	return stat(self->node, &info) == 0 && S_ISBLK(info.st_mode);
}

gboolean
satchel_media_device_goes_away(const SatchelMediaDevice *self)
{
	for (guint n = 0; n < AWAY_TRIES; n++) {
		if (!satchel_media_device_is_there(self))
			return TRUE;
		g_usleep(AWAY_US);
	}
	return FALSE;
}

void
satchel_media_device_free(SatchelMediaDevice *self)
{
	g_free(self->node);
	g_free(self->file_system);
	g_free(self->uuid);
	g_free(self->place);
	g_free(self);
}
