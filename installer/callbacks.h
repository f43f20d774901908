#pragma once
#include "device_parts.h"

/*
 * pacman.callback_program: a program that is told what the device is about to do and what came of
 * it, in the variables of aktualizr-lite's callbacks: MESSAGE, CURRENT_TARGET (the path of the file
 * that satchel_current_target_update() writes), CURRENT_TARGET_NAME, INSTALL_TARGET_NAME, RESULT.
 * Without such a program nothing happens. What goes wrong with it is a remark of the device.
 */

typedef enum {
	SATCHEL_CALLBACK_CHECK_PRE,
	SATCHEL_CALLBACK_CHECK_POST,
	SATCHEL_CALLBACK_DOWNLOAD_PRE,
	SATCHEL_CALLBACK_DOWNLOAD_POST,
	SATCHEL_CALLBACK_INSTALL_PRE,
	SATCHEL_CALLBACK_INSTALL_POST,
	SATCHEL_CALLBACK_FINAL_PRE,
} SatchelCallback;

#define SATCHEL_CALLBACK_OK "OK"
#define SATCHEL_CALLBACK_NEEDS_COMPLETION "NEEDS_COMPLETION"

/* @target: (nullable): name of the target that it is about. @result: (nullable). Blocks until the
 * program has ended, at most satchel.callback_timeout_s. */
void satchel_callbacks_tell(SatchelDevice *device, SatchelCallback callback, const char *target,
			    const char *result);

/* The same with the result "FAILED: reason" where @failure (nullable) is set, else @good. */
void satchel_callbacks_tell_result(SatchelDevice *device, SatchelCallback callback,
				   const char *target, const char *good, const GError *failure);

/* The same for a step that the program may refuse, with satchel.callback_veto: whatever does not
 * end with exit status 0 does, and one that cannot be run. Error: SATCHEL_ERROR_FAILED, saying who
 * refused. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_callbacks_ask(SatchelDevice *device, SatchelCallback callback, const char *target,
			       const char *result, GError **error);
