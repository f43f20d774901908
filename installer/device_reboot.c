#include "device_parts.h"
#include "run_command.h"

/* What reboots a system returns at once, or never. */
#define REBOOT_LIMIT_S 60u

gboolean
satchel_device_check_reboot(const SatchelDevice *self, GError **error)
{
	const char *name = self->settings->reboot_command[0];
	g_autofree char *found = g_find_program_in_path(name);

	if (!self->settings->booted || found != NULL)
		return TRUE;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
		    "bootloader.reboot_command: %s is no program that can be run", name);
	return FALSE;
}

gboolean
satchel_device_reboot(const SatchelDevice *self, GError **error)
{
	const SatchelCommand command = {
		.argv = (const char *const *)self->settings->reboot_command,
		.limit_s = REBOOT_LIMIT_S,
	};
	g_auto(SatchelCommandResult) result = {0};
	g_autofree char *why = NULL;

	if (!self->settings->booted)
		return TRUE;
	if (!satchel_run_command(&command, &result, error))
		return FALSE;
	if (result.exit_status == 0)
		return TRUE;
	why = satchel_command_result_explain(&result, command.argv[0]);
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED, "no reboot: %s", why);
	return FALSE;
}
