#pragma once
#include <glib.h>
#pragma GCC visibility push(default)

/*
 * The one error domain. A code exists when an operator would act differently, not for each place
 * that can fail. The message names the file and the reason; the code picks the exit status
 * (status.h). Errors of GIO, libostree, jansson, libarchive and curl are converted where they
 * enter.
 *
 * Every function that takes a GError ** sets it exactly when it returns FALSE or NULL.
 */
#define SATCHEL_ERROR (satchel_error_quark())
GQuark satchel_error_quark(void);

typedef enum {
	SATCHEL_ERROR_FAILED,		  /* no code of its own; the message says what */
	SATCHEL_ERROR_USAGE,		  /* wrong command line or configuration */
	SATCHEL_ERROR_BUSY,		  /* another updater holds the lock */
	SATCHEL_ERROR_METADATA_FAILURE,	  /* trusted metadata could not be read or stored */
	SATCHEL_ERROR_METADATA_INVALID,	  /* a TUF role: signature, version, type, hash, form */
	SATCHEL_ERROR_METADATA_EXPIRED,	  /* a TUF role or the bundle metadata */
	SATCHEL_ERROR_METADATA_DOWNLOAD,  /* metadata could not be fetched */
	SATCHEL_ERROR_METADATA_NOT_FOUND, /* no such metadata, or no trusted root */
	SATCHEL_ERROR_BUNDLE_INVALID,	  /* bundle metadata: missing, signature, type */
	SATCHEL_ERROR_NO_MATCHING_TARGET, /* nothing for this hardware id and tag */
	SATCHEL_ERROR_NO_TARGET_CONTENT,  /* the bundle lacks a commit, an object or an app */
	SATCHEL_ERROR_TARGET_NOT_FOUND,	  /* no target of that name or version */
	SATCHEL_ERROR_ROLLBACK_TARGET_NOT_FOUND, /* nothing to go back to */
	SATCHEL_ERROR_INSTALLATION_IN_PROGRESS, /* a pending installation must be finalized first */
	SATCHEL_ERROR_NO_PENDING_INSTALLATION,	/* nothing to finalize */
	SATCHEL_ERROR_DOWNLOAD_FAILED,		/* content unreadable, or not what it should be */
	SATCHEL_ERROR_NO_SPACE,			/* not enough free space */
	SATCHEL_ERROR_CONTENT_INVALID,	 /* content does not match its hash (verify --full) */
	SATCHEL_ERROR_DOWNGRADE_REFUSED, /* below the floor, or not asked for by name */
	SATCHEL_ERROR_ROLLED_BACK,	 /* failed; the device is back on what worked */
	SATCHEL_ERROR_ROLLBACK_FAILED,	 /* failed, and going back failed too */
	SATCHEL_ERROR_TARGET_UNREADABLE, /* app images could not be loaded into the engine */
	SATCHEL_ERROR_REBOOT_FOR_BOOT_FIRMWARE, /* a boot-firmware update is pending; reboot first
						 */
	SATCHEL_ERROR_ROLLBACK_NEEDS_REBOOT,	/* failed; back on what worked after a reboot */
	SATCHEL_ERROR_CANCELLED,		/* the caller wanted it; it may be called again */
	SATCHEL_ERROR_OTHER_TAG,		/* the bundle is for devices of another tag */
	SATCHEL_ERROR_ENGINE_UNREACHABLE,	/* the container engine; it may be called again */
} SatchelError;

/* Number of codes; tests walk all of them. */
#define SATCHEL_ERROR_LAST SATCHEL_ERROR_ENGINE_UNREACHABLE

#pragma GCC visibility pop
