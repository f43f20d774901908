#pragma once
#include "apps_settings.h"
#include "boot_rules.h"
#include "config.h"
#include "media_settings.h"
#include "signal_settings.h"

/* What the commands need of the configuration, with aktualizr-lite's defaults filled in. Pure. */
typedef struct {
	char *hardware_id;
	char *storage_path;
	char *root_dir;	     /* uptane_metadata_path: {ci,prod}/N.root.json */
	char *database_path; /* aktualizr-lite's */
	char *import_dir;    /* what an image brings for it */
	char *client_key;    /* likewise */
	char *client_cert;   /* a PEM file that need not be there */
	char *sysroot;
	char *os;
	gboolean booted;	  /* FALSE: a sysroot that is not running */
	GStrv tags;		  /* NULL: any */
	guint64 reserved_percent; /* of the sysroot's file system, 3 to 50; 0: not set */
	char *callback_program;	  /* (nullable) */
	char *reboot_sentinel_dir;
	char *reboot_sentinel_name;
	GStrv reboot_command; /* its arguments; never empty */
	char *foreign_lock;   /* NULL: none */
	char *source;	      /* where daemon looks for a bundle; NULL: not set */
	guint64 polling_s;    /* between two looks */
	SatchelRollbackMode rollback_mode;
	gboolean ostree_update_block; /* nothing is installed while boot firmware waits */
	gboolean trust_on_first_use;
	gboolean require_bundle_metadata;
	gboolean auto_downgrade;
	guint64 lowest_version;	      /* 0: any */
	GStrv secondary_hardware_ids; /* (nullable) */
	guint64 callback_limit_s;
	gboolean callback_veto;
	SatchelMediaSettings *media;
	SatchelSignalSettings *signals;
	SatchelAppsSettings *apps; /* NULL: this device runs none */
} SatchelSettings;

/**
 * satchel_settings_new:
 * @config: borrowed
 * @host_name: stands in for a hardware id that is not set, borrowed
 *
 * Errors: SATCHEL_ERROR_USAGE, with file and line of the value.
 *
 * Returns: (transfer full): the settings, or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelSettings *satchel_settings_new(const SatchelConfig *config, const char *host_name,
				      GError **error);

void satchel_settings_free(SatchelSettings *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelSettings, satchel_settings_free)
