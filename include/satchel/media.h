#pragma once
#include <satchel/device.h>
#pragma GCC visibility push(default)

/*
 * The stick: finds what it has for this device, judges it in a process without privileges, and
 * updates from the best. What may happen by itself stands in [media] of satchel.toml(5).
 */

/* Who is told; all nullable. Called in the thread that called the work. */
typedef struct {
	void (*say)(const char *line, gpointer user_data); /* one line for people */
	gpointer user_data;
	const SatchelProgressSink *progress;
} SatchelMediaListener;

/**
 * satchel_media_begin:
 *
 * First in main(): what lies on a stick is read by a process without privileges, which is this very
 * program, started anew. In such a process this does not return. Who does not call it has
 * satchel-installer do it, which is looked for in PATH.
 */
void satchel_media_begin(int argc, char **argv);

/**
 * satchel_media_serve:
 * @config_paths: (nullable): as satchel_device_open()
 * @path: a folder into which a stick is mounted, or a block device, which is mounted where nobody
 *   else sees it, after a while if it comes and goes
 * @outcome: (out): CACHED where it holds nothing for this device; UPDATE_NEW_VERSION where it has
 *   an update that was not to be installed, or not now; else what the update came to
 *
 * Blocks until the update is done, and asks for the reboot that it needs, unless the configuration
 * says otherwise. From the end of the pull on the stick may be removed.
 *
 * Errors: those of opening a device, of satchel_offer_from_bundle(), of pulling and installing;
 * where it holds nothing to install and a refused bundle may be newer than what runs, the error of
 * the newest of these; SATCHEL_ERROR_DOWNLOAD_FAILED where the stick is unreadable;
 * SATCHEL_ERROR_CANCELLED.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_media_serve(const char *const *config_paths, const char *path,
			     const SatchelMediaListener *listener, GCancellable *cancellable,
			     SatchelOutcome *outcome, GError **error);

/**
 * satchel_media_watch:
 * @cancellable: ends it
 *
 * Serves the sticks that are there and those that udev tells of, one after the other, each in a
 * thread of its own; the listener is called there, too. What goes wrong with one is said.
 *
 * Errors: those of opening a device; SATCHEL_ERROR_FAILED where udev cannot be listened to.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_media_watch(const char *const *config_paths, const SatchelMediaListener *listener,
			     GCancellable *cancellable, GError **error);

/* satchel_update_finalize(), and says what came of it as [signals] tells, and in a receipt. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_media_finalize(SatchelDevice *device, GCancellable *cancellable,
				SatchelOutcome *outcome, GError **error);

/* Behind satchel_media_finalize(): asks for the reboot that is left to do, back to what worked or
 * for boot firmware, unless [media] reboot is "never". Each failed release leads to one at most.
 * What is not booted yet does not, for a boot loader that never boots it would make it one after
 * the other. A reboot that cannot be asked for is remarked. */
void satchel_media_reboot_again(SatchelDevice *device, SatchelOutcome outcome,
				const GError *failure);

/* The receipts that the device keeps, oldest first: for people, or as JSON
 * (schemas/installer-history.schema.json). (transfer full) */
char *satchel_media_history(const SatchelDevice *device, gboolean json);

#pragma GCC visibility pop
