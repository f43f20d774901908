#pragma once
#include "device_identity.h"
#include "lock.h"
#include "settings.h"
#include "state.h"
#include "sysroot.h"
#include "update_plan.h"
#include <satchel/bundle_judge.h>
#include <satchel/device.h>

/*
 * What a SatchelDevice (satchel/device.h) is made of: its settings, state, sysroot and trust,
 * opened together.
 */
struct SatchelDevice {
	guint id; /* no other one of this process has it, before or after */
	/* Raised by whatever makes an earlier offer wrong: newer trusted metadata, another release
	 * that runs. */
	guint generation;
	SatchelDeviceMode mode;
	SatchelSettings *settings;
	SatchelLock *lock;	   /* NULL when read-only */
	SatchelLock *foreign_lock; /* aktualizr-lite's; NULL when read-only, or where it has none */
	SatchelSysroot *sysroot;
	SatchelState *state;
	SatchelDeviceIdentity identity;
	const char *type; /* "ci", "prod"; NULL: unknown */
	gint64 clock_s;	  /* read once */
	int dir_fd;	  /* the folder of the state; -1: there is none yet */
	char *dir;
	SatchelProgressSink sink;
	GPtrArray *remarks;	  /* of char *: what satchel_device_take_remarks() gives */
	gint64 ignored_commit_s;  /* that the running commit claims and that is no time floor; or 0
				   */
	gboolean rebuilt;	  /* the state is what the sysroot tells, and no more */
	gboolean callback_is_off; /* pacman.callback_program is not there, and that was said */
	gboolean delay_apps;	  /* what is installed is started by finalizing it */
	gboolean resumed;	  /* an installation that was cut off was brought to its end */
};

/* Adds one line that whoever opened the device should see. */
void satchel_device_remark(SatchelDevice *self, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* For what writes. Error: SATCHEL_ERROR_USAGE where the device is opened read-only. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_device_check_update(const SatchelDevice *self, GError **error);

/* What the sysroot says now; strings are borrowed from it until it changes. */
SatchelSysrootFacts satchel_device_get_facts(const SatchelDevice *self);
/* Borrowed. NULL: unknown, or nothing is deployed. */
const SatchelStateTarget *satchel_device_get_running_target(const SatchelDevice *self);

/* The lowest version that configuration and state allow; 0: any. The trusted metadata may ask for
 * more. */
gint64 satchel_device_get_floor(const SatchelDevice *self);

/* Writes the state. Errors: as satchel_state_file_save(). */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_device_save(SatchelDevice *self, GError **error);

/**
 * satchel_device_open_store:
 * @bundle: (nullable): where the first root comes from if the configuration allows trust on first
 *   use and the device has none
 *
 * The trust store with a trusted root in it, provisioned where there was none, or a damaged one.
 * Nothing reaches the disk before a commit.
 *
 * Errors: SATCHEL_ERROR_METADATA_NOT_FOUND (no trusted root), _FAILURE, _INVALID.
 *
 * Returns: (transfer full): the store, or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelTrustStore *satchel_device_open_store(SatchelDevice *self, SatchelBundleReader *bundle,
					     GError **error);

/* The same with @first as the root that comes first. */
G_GNUC_WARN_UNUSED_RESULT
SatchelTrustStore *satchel_device_open_store_with_root(SatchelDevice *self, GBytes *first,
						       GError **error);

/* The lowest root of a bundle, which a device without any could trust. Bundles of fioctl begin with
 * version 3. Errors: SATCHEL_ERROR_METADATA_NOT_FOUND, those of reading. (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
GBytes *satchel_device_read_first_root(SatchelBundleReader *bundle, GError **error);

/* What bundles are judged for; strings are borrowed from @self. The time floor: the latest of what
 * is stored, when this program was built, and the running commit's time, unless the trusted root
 * has expired by then: by such a floor nothing would ever be valid again. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_device_get_profile(SatchelDevice *self, SatchelTrustStore *store,
				    SatchelDeviceProfile *profile, GError **error);
