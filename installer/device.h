#pragma once
#include "device_identity.h"
#include "lock.h"
#include "settings.h"
#include "state.h"
#include "sysroot.h"
#include "update_plan.h"
#include <satchel/bundle_judge.h>

/*
 * The device as the commands see it: its settings, state, sysroot and trust, opened together. Reads
 * and writes no stream; what is worth a word stands in `remark`. Not thread-safe; several may be
 * open in one process.
 */
typedef enum {
	SATCHEL_DEVICE_READ_ONLY, /* no lock, nothing is written */
	SATCHEL_DEVICE_UPDATE,	  /* locked; the state is brought in line with the sysroot */
} SatchelDeviceMode;

typedef struct {
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
	char *remark;		 /* (nullable): something was set right */
	char *trust_remark;	 /* (nullable): the same, of the stored trust, once that is open */
	gint64 ignored_commit_s; /* that the running commit claims and that is no time floor; or 0
				  */
	gboolean rebuilt;	 /* the state is what the sysroot tells, and no more */
	gboolean resumed;	 /* an installation that was cut off was brought to its end */
} SatchelDevice;

/**
 * satchel_device_open:
 * @config_paths: (nullable): as satchel_config_files_read() takes them
 * @mode: see above
 *
 * Errors: SATCHEL_ERROR_USAGE (configuration), SATCHEL_ERROR_BUSY, SATCHEL_ERROR_FAILED.
 *
 * Returns: (transfer full): the device, or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelDevice *satchel_device_open(const char *const *config_paths, SatchelDeviceMode mode,
				   GError **error);

/* What the sysroot says now; strings are borrowed from it until it changes. */
SatchelSysrootFacts satchel_device_get_facts(const SatchelDevice *self);
/* Borrowed. NULL: unknown, or nothing is deployed. */
const char *satchel_device_get_running_commit(const SatchelDevice *self);
const SatchelStateTarget *satchel_device_get_running_target(const SatchelDevice *self);

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

/* What bundles are judged for; strings are borrowed from @self. The time floor: the latest of what
 * is stored, when this program was built, and the running commit's time, unless the trusted root
 * has expired by then: by such a floor nothing would ever be valid again. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_device_get_profile(SatchelDevice *self, SatchelTrustStore *store,
				    SatchelDeviceProfile *profile, GError **error);

void satchel_device_close(SatchelDevice *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelDevice, satchel_device_close)
