#pragma once
#include "device_parts.h"
#include <satchel/bundle_reader.h>

/*
 * The apps of a target on this device: what of them is to be there, brought in, loaded, started. A
 * device whose configuration has no apps (settings->apps is NULL) has none of any target: all of
 * this then succeeds and does nothing.
 */

/* Copies what the store lacks of them, and checks them where they lie. Errors: as
 * satchel_blob_store_pull(); SATCHEL_ERROR_CONTENT_INVALID (a Compose file, an archive). */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_device_apps_pull(SatchelDevice *device, SatchelBundleReader *bundle,
				  const SatchelStateTarget *target, GCancellable *cancellable,
				  GError **error);

/* The bundle has what the store is to get. Errors: as satchel_app_closure_new(). */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_device_apps_check_bundle(const SatchelDevice *device, SatchelBundleReader *bundle,
					  const SatchelStateTarget *target, GError **error);

/* Error: SATCHEL_ERROR_DOWNLOAD_FAILED: the store lacks something. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_device_apps_check_store(SatchelDevice *device, const SatchelStateTarget *target,
					 GError **error);

/* Loads their images into the engine, before anything that runs is touched. Errors: as
 * satchel_apps_load(); SATCHEL_ERROR_FAILED. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_device_apps_load(SatchelDevice *device, const SatchelStateTarget *target,
				  GCancellable *cancellable, GError **error);

/* Before a new system is deployed: what runs and is not of @target in the same version is stopped,
 * where the configuration wants it. What goes wrong is a remark. */
void satchel_device_apps_stop_old(SatchelDevice *device, const SatchelStateTarget *target);

/* After it was deployed: the containers are made, where the configuration wants it. What goes wrong
 * is a remark: satchel_device_apps_start() makes them, too. */
void satchel_device_apps_create(SatchelDevice *device, const SatchelStateTarget *target);

/**
 * satchel_device_apps_start:
 *
 * Stops and takes away what @target does not have, starts what does not run, and waits until all of
 * it does. While the engine cannot be reached it is tried again, until apps_start_timeout_s is
 * over.
 *
 * Errors: as satchel_device_apps_load(); SATCHEL_ERROR_FAILED: an app does not come up.
 * SATCHEL_ERROR_ENGINE_UNREACHABLE, SATCHEL_ERROR_CANCELLED: that says nothing about the apps.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_device_apps_start(SatchelDevice *device, const SatchelStateTarget *target,
				   GCancellable *cancellable, GError **error);

/* The same where nothing depends on it: an engine that cannot be reached is waited for as long as
 * apps_engine_wait_s only, and apps that come up are not. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_device_apps_keep_up(SatchelDevice *device, const SatchelStateTarget *target,
				     GCancellable *cancellable, GError **error);

/* What neither what runs, nor what is pending, nor what a rollback leads to has, leaves store and
 * engine. */
void satchel_device_apps_prune(SatchelDevice *device);

/* Why the apps of @target need work; NULL: they are as they should be. (transfer full) */
char *satchel_device_apps_find_work(const SatchelDevice *device, const SatchelStateTarget *target);

/* Need they not be started? One all of whose services have ended with status 0 is as it should be,
 * and may be started all the same: after a reboot nobody knows whether it was stopped. */
gboolean satchel_device_apps_are_running(const SatchelDevice *device,
					 const SatchelStateTarget *target);

/* Is an app of that URI running? FALSE also where all of it has ended, or where the engine cannot
 * be asked. */
gboolean satchel_device_apps_is_running(const SatchelDevice *device, const char *app,
					const char *uri);
