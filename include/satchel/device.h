#pragma once
#include <gio/gio.h>
#include <satchel/progress.h>
#include <satchel/status.h>
#include <satchel/target_choice.h>
#pragma GCC visibility push(default)

/*
 * The device: what satchel-installer does, for update agents in C. Results are values; nothing here
 * prints, reads the command line or ends the process. Several devices may be open in one process,
 * each used by one thread at a time.
 *
 *   device = satchel_device_open(NULL, SATCHEL_DEVICE_UPDATE, &error);
 *   offer = satchel_offer_from_bundle(device, "/media/stick", cancellable, &error);
 *   satchel_offer_choose(offer, device, NULL, &choice, &error);
 *   if (satchel_offer_is_update(offer, &choice)) {
 *           satchel_update_pull(device, offer, choice.selected, cancellable, &error);
 *           satchel_update_install(device, offer, choice.selected, cancellable, &outcome, &error);
 *   }
 *
 * Where the configuration names a callback program, checking a bundle, pulling, installing,
 * finalizing and rolling back call it before and after, and block as long as it takes. With
 * satchel.callback_veto it may refuse a bundle, a pull and an installation, and refuses where it
 * cannot be run: SATCHEL_ERROR_FAILED.
 *
 * What writes fails with SATCHEL_ERROR_USAGE on a device that is opened read-only.
 *
 * A @cancellable (nullable) may be cancelled by any thread and by a progress sink. Work that was
 * cancelled fails with SATCHEL_ERROR_CANCELLED; the device is then as it was, but for content that
 * was brought in and that the next pull need not read again. What can no longer be undone is
 * finished instead.
 */

typedef enum {
	SATCHEL_DEVICE_READ_ONLY, /* no lock, nothing is written; for satchel_offer_from_stored()
				     and whatever only tells something */
	SATCHEL_DEVICE_UPDATE,	  /* locked; the state is brought in line with the sysroot */
} SatchelDeviceMode;

typedef struct SatchelDevice SatchelDevice;

/**
 * satchel_device_open:
 * @config_paths: (nullable): TOML files, or folders of *.toml files, NULL-terminated; NULL: the
 *   default search path, as in satchel.toml(5)
 * @mode: see above
 *
 * For a running system and SATCHEL_DEVICE_UPDATE, the calling thread gets a mount namespace of its
 * own, and only that thread may use the device.
 *
 * Errors: SATCHEL_ERROR_USAGE (configuration), SATCHEL_ERROR_BUSY (another updater is running),
 * SATCHEL_ERROR_FAILED.
 *
 * Returns: (transfer full): the device, or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelDevice *satchel_device_open(const char *const *config_paths, SatchelDeviceMode mode,
				   GError **error);

/* Gives the lock back, too. */
void satchel_device_close(SatchelDevice *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelDevice, satchel_device_close)

/* Where long work tells how far it is. @sink: (nullable): copied; NULL: nowhere, as at first. */
void satchel_device_set_progress(SatchelDevice *self, const SatchelProgressSink *sink);

/* What was worth a word since the last call, one line each, NULL-terminated: a state that was set
 * right, further reasons why a bundle was refused, targets that were passed over. (transfer full)
 */
GStrv satchel_device_take_remarks(SatchelDevice *self);

/* Apps that the next installation changes are started by satchel_update_finalize() only; without
 * this, at once where nothing has to be rebooted. */
void satchel_device_delay_apps(SatchelDevice *self);

/* ---- who it is; strings are borrowed from the device */

/* The common name of its client certificate; NULL: it has none. */
const char *satchel_device_get_uuid(const SatchelDevice *self);
/* NULL-terminated; NULL: targets of any tag are taken. */
const char *const *satchel_device_get_tags(const SatchelDevice *self);

/* ---- what an agent that waits for updates needs of the configuration */

/* satchel.source: the path at which a bundle may appear; NULL: not set. Borrowed. */
const char *satchel_device_get_source(const SatchelDevice *self);
/* uptane.polling_sec: seconds between two looks. */
guint satchel_device_get_polling_s(const SatchelDevice *self);

/* SATCHEL_ERROR_FAILED where the device would have to reboot and its bootloader.reboot_command
 * cannot be run. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_device_check_reboot(const SatchelDevice *self, GError **error);

/* Runs bootloader.reboot_command, by its arguments and without a shell; does nothing for a sysroot
 * that does not run. Returns before the system goes down. Errors: SATCHEL_ERROR_FAILED. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_device_reboot(const SatchelDevice *self, GError **error);

/* ---- what it has; all borrowed, until a function changes the device */

/* A target that was installed, as it was then: the metadata may have moved on since. */
typedef struct SatchelDeviceTarget SatchelDeviceTarget;

const char *satchel_device_target_get_name(const SatchelDeviceTarget *self);
/* -1: none. */
gint64 satchel_device_target_get_version(const SatchelDeviceTarget *self);
const char *satchel_device_target_get_commit(const SatchelDeviceTarget *self);
guint satchel_device_target_get_n_apps(const SatchelDeviceTarget *self);
SatchelTargetApp satchel_device_target_get_app(const SatchelDeviceTarget *self, guint index);

/* Is the app to run on this device, by its configuration? Does it, in that very version? The engine
 * is asked. */
gboolean satchel_device_app_is_on(const SatchelDevice *self, const char *app);
gboolean satchel_device_app_is_running(const SatchelDevice *self, const SatchelTargetApp *app);

/* The OSTree commit that runs; NULL: nothing is deployed. */
const char *satchel_device_get_running_commit(const SatchelDevice *self);
/* The target that runs; NULL: it was never installed by an update, so nobody knows its name. */
const SatchelDeviceTarget *satchel_device_get_current(const SatchelDevice *self);
/* Installed and not finalized; NULL: none. */
const SatchelDeviceTarget *satchel_device_get_pending(const SatchelDevice *self);
/* The one before the current one that has worked; NULL: none. */
const SatchelDeviceTarget *satchel_device_get_rollback(const SatchelDevice *self);
/* Targets that were tried and do not work, oldest first. */
guint satchel_device_get_n_failing(const SatchelDevice *self);
const SatchelDeviceTarget *satchel_device_get_failing(const SatchelDevice *self, guint index);

typedef enum {
	SATCHEL_DEVICE_EVENT_DEPLOYED, /* in place, not started yet */
	SATCHEL_DEVICE_EVENT_WORKING,  /* started, confirmed */
	SATCHEL_DEVICE_EVENT_FAILED,
} SatchelDeviceEventKind;

typedef struct {
	SatchelDeviceEventKind kind;
	gint64 at_s; /* seconds since 1970, by the device's clock */
	const char *name;
	gint64 version; /* -1: none */
	const char *commit;
	const char *reason; /* NULL: none */
	const char *bundle; /* hex SHA-256 of the bundle's metadata; NULL: none */
} SatchelDeviceEvent;

/* What happened, oldest first. */
guint satchel_device_get_n_events(const SatchelDevice *self);
SatchelDeviceEvent satchel_device_get_event(const SatchelDevice *self, guint index);

/* ---- what it could take */

/* What a bundle, or the stored metadata, has for this device. Immutable; lives on its own, but is
 * good for the device only that made it, and as long as that learns nothing new: another bundle
 * that is judged, or an installation that is finalized, makes it too old to choose from, to pull
 * and to install. */
typedef struct SatchelOffer SatchelOffer;

/**
 * satchel_offer_from_bundle:
 * @device: opened for update
 * @path: the bundle
 *
 * Judges the bundle. When it is accepted, the newer roles and the time floor are committed to the
 * trust store; when it is refused, nothing was written. What runs and was not known by name so far
 * gets the name of the target that has its commit.
 *
 * Errors: the verdict's first reason, of the codes METADATA_*, BUNDLE_INVALID, OTHER_TAG,
 * NO_MATCHING_TARGET, NO_TARGET_CONTENT, DOWNLOAD_FAILED (a commit that was altered); its other
 * reasons are remarks. SATCHEL_ERROR_CANCELLED.
 *
 * Returns: (transfer full): the offer, or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelOffer *satchel_offer_from_bundle(SatchelDevice *device, const char *path,
					GCancellable *cancellable, GError **error);

/**
 * satchel_offer_recheck_bundle:
 *
 * The same without the callbacks check-for-update-pre and -post: for a bundle that was checked
 * before, and is not believed for that.
 *
 * Returns: (transfer full): the offer, or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelOffer *satchel_offer_recheck_bundle(SatchelDevice *device, const char *path,
					   GCancellable *cancellable, GError **error);

/**
 * satchel_offer_from_stored:
 * @path: (nullable): a bundle that must hold the content; nothing of it is believed
 *
 * From the metadata that the device trusted last. Writes nothing. Errors: as above.
 *
 * Returns: (transfer full): the offer, or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelOffer *satchel_offer_from_stored(SatchelDevice *device, const char *path, GError **error);

/* Targets for this device, by ascending version; borrowed. */
guint satchel_offer_get_n_targets(const SatchelOffer *self);
const SatchelOstreeTarget *satchel_offer_get_target(const SatchelOffer *self, guint index);
/* TRUE where it rests on stored metadata. */
gboolean satchel_offer_is_cached(const SatchelOffer *self);

/* What a target is to the device. */
typedef enum {
	SATCHEL_OFFER_MARK_NONE = 0,
	SATCHEL_OFFER_MARK_CURRENT = 1 << 0, /* has the version of what runs */
	SATCHEL_OFFER_MARK_NEWER = 1 << 1,   /* has a higher one */
	SATCHEL_OFFER_MARK_FAILED = 1 << 2,  /* was tried and does not work */
} SatchelOfferMarks;

SatchelOfferMarks satchel_offer_get_marks(const SatchelOffer *self, const SatchelDevice *device,
					  const SatchelOstreeTarget *target);

/**
 * satchel_offer_choose:
 * @wanted: (nullable): a target's name or version; NULL: what the device takes by itself
 * @choice: (out caller-allocates): cleared by the caller with satchel_target_choice_clear();
 *   what it names is borrowed from the offer
 *
 * By itself: the newest target, unless it is failing or older than the current one and the
 * configuration allows no automatic downgrade. Nothing below the downgrade floor of the
 * configuration, of what was installed, or of the trusted metadata: that is TOO_OLD.
 *
 * Errors: SATCHEL_ERROR_TARGET_NOT_FOUND; SATCHEL_ERROR_ROLLBACK_TARGET_NOT_FOUND where the current
 * target is failing and there is nothing to go back to; SATCHEL_ERROR_USAGE where the offer is
 * another device's; SATCHEL_ERROR_FAILED where it is too old, the cure of which is another check.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_offer_choose(const SatchelOffer *self, const SatchelDevice *device,
			      const char *wanted, SatchelTargetChoice *choice, GError **error);

/* TRUE where @choice needs a pull and an installation. */
gboolean satchel_offer_is_update(const SatchelOffer *self, const SatchelTargetChoice *choice);

/* TRUE where that is for the apps of the target that runs already. */
gboolean satchel_offer_is_app_sync(const SatchelOffer *self, const SatchelTargetChoice *choice);

void satchel_offer_free(SatchelOffer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelOffer, satchel_offer_free)

/* ---- the steps of an update, on a device that is opened for update. Each leaves a state from
 * which the next one, or the same one again, can go on, wherever it was cut off. */

/* TRUE where opening the device has just brought the installation of @wanted (nullable: of any) to
 * its end: what satchel_update_install() was asked for is done, and a reboot is needed. */
gboolean satchel_update_was_resumed(const SatchelDevice *device, const char *wanted);

/* Errors: SATCHEL_ERROR_INSTALLATION_IN_PROGRESS where an installation waits to be finalized. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_update_check_idle(const SatchelDevice *device, GError **error);

/**
 * satchel_update_pull:
 * @target: one of the offer's, of a bundle
 *
 * Brings in the content that the device lacks, every object hashed; by a static delta where the
 * bundle has one for a commit that is deployed.
 *
 * Errors: SATCHEL_ERROR_NO_TARGET_CONTENT (the bundle lacks an object, or leaves out one that this
 * device has lost), SATCHEL_ERROR_NO_SPACE
 * (before anything is written), SATCHEL_ERROR_DOWNLOAD_FAILED (not readable, or not what it should
 * be), SATCHEL_ERROR_INSTALLATION_IN_PROGRESS, SATCHEL_ERROR_DOWNGRADE_REFUSED (below the downgrade
 * floor), SATCHEL_ERROR_CANCELLED. SATCHEL_ERROR_USAGE where the offer is another device's or has
 * no bundle, or @target is none of its; SATCHEL_ERROR_FAILED where the offer is too old.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_update_pull(SatchelDevice *device, const SatchelOffer *offer,
			     const SatchelOstreeTarget *target, GCancellable *cancellable,
			     GError **error);

/**
 * satchel_update_install:
 * @target: one of the offer's, that was pulled
 * @outcome: (out): DONE where @target's commit runs already, and its apps do; NEEDS_REBOOT where it
 * is deployed; APPS_NEED_FINALIZATION where the start of its apps was put off
 *
 * Errors: SATCHEL_ERROR_DOWNLOAD_FAILED where it was not pulled; SATCHEL_ERROR_ROLLED_BACK where it
 * could not be deployed, the device being as before and @target failing, and where its apps failed
 * and those before it run again; SATCHEL_ERROR_ROLLBACK_FAILED where these do not;
 * SATCHEL_ERROR_CONTENT_INVALID and SATCHEL_ERROR_TARGET_UNREADABLE (an app's Compose file, an
 * image that the engine does not take; nothing was changed); SATCHEL_ERROR_BUSY,
 * SATCHEL_ERROR_FAILED, SATCHEL_ERROR_INSTALLATION_IN_PROGRESS, SATCHEL_ERROR_DOWNGRADE_REFUSED,
 * SATCHEL_ERROR_REBOOT_FOR_BOOT_FIRMWARE (nothing was changed), SATCHEL_ERROR_CANCELLED,
 * SATCHEL_ERROR_ENGINE_UNREACHABLE (@target waits for satchel_update_finalize()). For an
 * offer and a @target that do not fit: as satchel_update_pull().
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_update_install(SatchelDevice *device, const SatchelOffer *offer,
				const SatchelOstreeTarget *target, GCancellable *cancellable,
				SatchelOutcome *outcome, GError **error);

/**
 * satchel_update_finalize:
 * @outcome: (out): DONE where the device runs what was installed, REBOOT_FOR_BOOT_FIRMWARE where
 * its boot firmware waits for another reboot, NEEDS_REBOOT where it was not rebooted yet
 *
 * Errors: SATCHEL_ERROR_NO_PENDING_INSTALLATION; SATCHEL_ERROR_ROLLED_BACK where something else was
 * booted, or where apps failed and those before run again; SATCHEL_ERROR_ROLLBACK_NEEDS_REBOOT and
 * SATCHEL_ERROR_ROLLBACK_FAILED where apps failed on a new system; SATCHEL_ERROR_FAILED where the
 * boot loader cannot be told to keep it: call it again; SATCHEL_ERROR_CANCELLED and
 * SATCHEL_ERROR_ENGINE_UNREACHABLE, with which it waits to be finalized still: call it again.
 *
 * With NO_PENDING_INSTALLATION, too, apps of what runs that do not run were started.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_update_finalize(SatchelDevice *device, GCancellable *cancellable,
				 SatchelOutcome *outcome, GError **error);

/**
 * satchel_update_rollback:
 * @path: (nullable): a bundle with the content of the target to go back to, where the device has it
 *   no more
 * @outcome: (out): DONE where an installation was called off that had not been booted yet: what
 * runs stays. NEEDS_REBOOT where what runs is left for the newest target before it that has worked;
 *   satchel_device_get_pending() is that one
 *
 * Back by hand. The target that is left, or called off, is failing from now on.
 *
 * Errors: SATCHEL_ERROR_ROLLBACK_TARGET_NOT_FOUND; SATCHEL_ERROR_DOWNLOAD_FAILED where content is
 * lacking and no bundle is given, and as satchel_update_pull() where one is;
 * SATCHEL_ERROR_ROLLED_BACK where it failed and the device stays on what had worked,
 * SATCHEL_ERROR_ROLLBACK_FAILED on what had not been finalized, or where the apps of what runs did
 * not start again; SATCHEL_ERROR_BUSY, SATCHEL_ERROR_REBOOT_FOR_BOOT_FIRMWARE,
 * SATCHEL_ERROR_CANCELLED. With any of these but ROLLBACK_FAILED the state is what it was.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_update_rollback(SatchelDevice *device, const char *path, GCancellable *cancellable,
				 SatchelOutcome *outcome, GError **error);

#pragma GCC visibility pop
