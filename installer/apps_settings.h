#pragma once
#include "config.h"

/* What the configuration says of apps, with aktualizr-lite's keys and defaults. Pure. */
typedef struct {
	GStrv enabled;	       /* that run; NULL: all */
	GStrv kept;	       /* further ones that are pulled, as ["*"] all of them; (nullable) */
	char *store;	       /* where their blobs are */
	char *folder;	       /* below it each has the folder that it runs in */
	GStrv program;	       /* the Compose program and its first arguments; never empty */
	gboolean prune;	       /* images that no app needs any more leave the engine */
	gboolean create;       /* containers are made before the reboot into a new system */
	gboolean stop;	       /* what changes is stopped before that is deployed */
	guint64 watermark;     /* percent of the store's file system */
	guint64 start_s;       /* for apps to come up */
	guint64 engine_wait_s; /* for the engine, where nothing waits to be decided */
	guint64 settle_s;      /* how long it has to stay up */
	guint64 load_s;	       /* for one image */
} SatchelAppsSettings;

/* Errors: SATCHEL_ERROR_USAGE, with file and line. (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
SatchelAppsSettings *satchel_apps_settings_new(const SatchelConfig *config, GError **error);

/* Is that app to run? Is it to be on the device? */
gboolean satchel_apps_settings_runs(const SatchelAppsSettings *self, const char *app);
gboolean satchel_apps_settings_keeps(const SatchelAppsSettings *self, const char *app);

void satchel_apps_settings_free(SatchelAppsSettings *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelAppsSettings, satchel_apps_settings_free)
