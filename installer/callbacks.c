#include "callbacks.h"
#include "../verify/path_safety.h"
#include "current_target.h"
#include "run_command.h"
#include <errno.h>
#include <unistd.h>

static const char *const messages[] = {
	[SATCHEL_CALLBACK_CHECK_PRE] = "check-for-update-pre",
	[SATCHEL_CALLBACK_CHECK_POST] = "check-for-update-post",
	[SATCHEL_CALLBACK_DOWNLOAD_PRE] = "download-pre",
	[SATCHEL_CALLBACK_DOWNLOAD_POST] = "download-post",
	[SATCHEL_CALLBACK_INSTALL_PRE] = "install-pre",
	[SATCHEL_CALLBACK_INSTALL_POST] = "install-post",
	[SATCHEL_CALLBACK_FINAL_PRE] = "install-final-pre",
};

/* A variable that does not apply is not there, whoever may have set it for us. Takes @environment.
 * (transfer full) */
static GStrv
set_or_unset(GStrv environment, const char *name, const char *value)
{
	return value != NULL ? g_environ_setenv(environment, name, value, TRUE)
			     : g_environ_unsetenv(environment, name);
}

/* (transfer full) */
static GStrv
make_environment(const SatchelDevice *device, SatchelCallback callback, const char *target,
		 const char *result)
{
	const SatchelStateTarget *running = satchel_device_get_running_target(device);
	g_autofree char *file = satchel_current_target_path(device);
	GStrv environment = g_get_environ();

	environment = set_or_unset(environment, "MESSAGE", messages[callback]);
	environment = set_or_unset(environment, "CURRENT_TARGET", file);
	environment = set_or_unset(environment, "CURRENT_TARGET_NAME",
				   running != NULL ? running->name : NULL);
	environment = set_or_unset(environment, "INSTALL_TARGET_NAME", target);
	return set_or_unset(environment, "RESULT", result);
}

/* A program that is not there is said once, and not asked again. */
static gboolean
is_there(SatchelDevice *device)
{
	const char *program = device->settings->callback_program;
	g_autofree char *quoted = NULL;

	if (program == NULL || device->callback_is_off)
		return FALSE;
	if (access(program, X_OK) == 0)
		return TRUE;
	quoted = satchel_path_quote(program);
	satchel_device_remark(device,
			      "error: pacman.callback_program %s: %s; it is not called any more",
			      quoted, g_strerror(errno));
	device->callback_is_off = TRUE;
	return FALSE;
}

/* Error: it did not end with exit status 0. */
static gboolean
call(SatchelDevice *device, SatchelCallback callback, const char *target, const char *result,
     GError **error)
{
	const char *program = device->settings->callback_program;
	const char *const argv[] = {program, NULL};
	g_auto(GStrv) environment = make_environment(device, callback, target, result);
	SatchelCommand command = {
		.argv = argv,
		.environment = (const char *const *)environment,
		.limit_s = (guint)device->settings->callback_limit_s,
	};
	g_auto(SatchelCommandResult) outcome = {0};
	g_autofree char *why = NULL;

	if (!satchel_run_command(&command, &outcome, error))
		return FALSE;
	if (outcome.exit_status == 0)
		return TRUE;
	why = satchel_command_result_explain(&outcome, program);
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED, "%s", why);
	return FALSE;
}

void
satchel_callbacks_tell(SatchelDevice *device, SatchelCallback callback, const char *target,
		       const char *result)
{
	g_autoptr(GError) error = NULL;

	if (is_there(device) && !call(device, callback, target, result, &error))
		satchel_device_remark(device, "error: callback %s: %s", messages[callback],
				      error->message);
}

void
satchel_callbacks_tell_result(SatchelDevice *device, SatchelCallback callback, const char *target,
			      const char *good, const GError *failure)
{
	g_autofree char *bad =
		failure != NULL ? g_strdup_printf("FAILED: %s", failure->message) : NULL;

	satchel_callbacks_tell(device, callback, target, bad != NULL ? bad : good);
}

gboolean
satchel_callbacks_ask(SatchelDevice *device, SatchelCallback callback, const char *target,
		      const char *result, GError **error)
{
	const char *program = device->settings->callback_program;
	g_autofree char *quoted = NULL;

	if (!device->settings->callback_veto) {
		satchel_callbacks_tell(device, callback, target, result);
		return TRUE;
	}
	if (program == NULL)
		return TRUE;
	/* Who may refuse and cannot be asked has not agreed. */
	if (access(program, X_OK) != 0) {
		quoted = satchel_path_quote(program);
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
			    "%s cannot be asked, and without it nothing is done: "
			    "pacman.callback_program %s: %s",
			    messages[callback], quoted, g_strerror(errno));
		return FALSE;
	}
	if (call(device, callback, target, result, error))
		return TRUE;
	g_prefix_error(error, "%s was refused by ", messages[callback]);
	return FALSE;
}
