#pragma once
#include <satchel/error.h>
#pragma GCC visibility push(default)

/*
 * Exit statuses of the three programs: the numbers of aktualizr-lite, so that scripts carry over.
 * This enum is the only place where the numbers stand. Each one has a row in the manuals.
 */
typedef enum {
	SATCHEL_STATUS_OK = 0,
	SATCHEL_STATUS_ERROR = 1,
	SATCHEL_STATUS_OK_CACHED = 3,
	SATCHEL_STATUS_METADATA_FAILURE = 4,
	SATCHEL_STATUS_OK_REBOOT_FOR_BOOT_FIRMWARE = 5,
	SATCHEL_STATUS_NO_MATCHING_TARGET = 6,
	SATCHEL_STATUS_NO_TARGET_CONTENT = 8,
	SATCHEL_STATUS_APPS_NEED_FINALIZATION = 10,
	SATCHEL_STATUS_METADATA_INVALID = 11,
	SATCHEL_STATUS_METADATA_EXPIRED = 12,
	SATCHEL_STATUS_METADATA_DOWNLOAD = 13,
	SATCHEL_STATUS_METADATA_NOT_FOUND = 14,
	SATCHEL_STATUS_BUNDLE_INVALID = 15,
	SATCHEL_STATUS_UPDATE_NEW_VERSION = 16,
	SATCHEL_STATUS_UPDATE_SYNC_APPS = 17,
	SATCHEL_STATUS_UPDATE_ROLLBACK = 18,
	SATCHEL_STATUS_TARGET_NOT_FOUND = 20,
	SATCHEL_STATUS_ROLLBACK_TARGET_NOT_FOUND = 21,
	SATCHEL_STATUS_INSTALLATION_IN_PROGRESS = 30,
	SATCHEL_STATUS_NO_PENDING_INSTALLATION = 40,
	SATCHEL_STATUS_DOWNLOAD_FAILED = 50,
	SATCHEL_STATUS_NO_SPACE = 60,
	SATCHEL_STATUS_CONTENT_INVALID = 70,
	SATCHEL_STATUS_TARGET_UNREADABLE = 80,
	SATCHEL_STATUS_REBOOT_FOR_BOOT_FIRMWARE = 90,
	SATCHEL_STATUS_NEEDS_REBOOT = 100,
	SATCHEL_STATUS_DOWNGRADE_REFUSED = 102,
	SATCHEL_STATUS_ROLLED_BACK = 110,
	SATCHEL_STATUS_ROLLBACK_NEEDS_REBOOT = 120,
	SATCHEL_STATUS_ROLLBACK_FAILED = 130,
} SatchelStatus;

/*
 * What a command that did not fail came to. Not an error: "installed, reboot now" is good news.
 */
typedef enum {
	SATCHEL_OUTCOME_DONE,
	SATCHEL_OUTCOME_CACHED,		    /* nothing to do, by stored metadata */
	SATCHEL_OUTCOME_UPDATE_NEW_VERSION, /* check, list: a newer target is there */
	SATCHEL_OUTCOME_UPDATE_ROLLBACK,    /* check, list: the current one is failing; go back */
	SATCHEL_OUTCOME_NEEDS_REBOOT,	    /* installed; reboot, then run */
	SATCHEL_OUTCOME_REBOOT_FOR_BOOT_FIRMWARE, /* done; reboot to finish a boot-firmware update
						   */
	SATCHEL_OUTCOME_APPS_NEED_FINALIZATION,	  /* apps installed, not started; run */
	SATCHEL_OUTCOME_UPDATE_SYNC_APPS, /* check, list: the current target's apps need work */
} SatchelOutcome;

/**
 * satchel_status_from_result:
 * @outcome: what the command came to; ignored when @error is set
 * @error: (nullable): why it failed, borrowed; a foreign domain gives SATCHEL_STATUS_ERROR
 *
 * The one place where an outcome or an error becomes a number. main() calls it, and receipts tell
 * it. Pure; callable from any thread.
 */
SatchelStatus satchel_status_from_result(SatchelOutcome outcome, const GError *error);

#pragma GCC visibility pop
