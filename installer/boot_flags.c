#include "boot_flags.h"
#include "run_command.h"
#include <string.h>

/* A tool that writes to slow flash, or waits for the secure world, is given this long. */
#define TOOL_LIMIT_S 60u

/* Ours with @extra (nullable), and messages that are not translated: one of them is looked at.
 * (transfer full) */
static GStrv
make_environment(const char *extra)
{
	GStrv environment = g_environ_setenv(g_get_environ(), "LC_ALL", "C", TRUE);
	g_auto(GStrv) parts = extra == NULL ? NULL : g_strsplit(extra, "=", 2);

	if (parts != NULL)
		environment = g_environ_setenv(environment, parts[0], parts[1], TRUE);
	return environment;
}

static gboolean
run_tool(const char *const *argv, const char *extra, SatchelCommandResult *result, GError **error)
{
	g_auto(GStrv) environment = make_environment(extra);
	SatchelCommand command = {.argv = argv,
				  .environment = (const char *const *)environment,
				  .limit_s = TOOL_LIMIT_S};

	if (satchel_run_command(&command, result, error))
		return TRUE;
	g_prefix_error(error, "the boot loader's variables: ");
	return FALSE;
}

static gboolean
tool_fail(const SatchelCommandResult *result, const char *tool, const char *name, GError **error)
{
	g_autofree char *why = satchel_command_result_explain(result, tool);

	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED, "the boot loader's variable %s: %s",
		    name, why);
	return FALSE;
}

gboolean
satchel_boot_flags_read(SatchelRollbackMode mode, const char *name, char **value, GError **error)
{
	const char *const *reader = satchel_boot_rules_get_reader(mode);
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	g_auto(SatchelCommandResult) result = {0};

	*value = NULL;
	if (reader == NULL)
		return TRUE;
	for (guint i = 0; reader[i] != NULL; i++)
		g_ptr_array_add(argv, (gpointer)(guintptr)reader[i]);
	g_ptr_array_add(argv, (gpointer)(guintptr)name);
	g_ptr_array_add(argv, NULL);
	if (!run_tool((const char *const *)argv->pdata, NULL, &result, error))
		return FALSE;
	if (result.exit_status != 0)
		return satchel_boot_rules_is_unset(mode, name, result.messages) ||
		       tool_fail(&result, reader[0], name, error);
	g_strstrip(result.output);
	if (*result.output != '\0')
		*value = g_steal_pointer(&result.output);
	return TRUE;
}

gboolean
satchel_boot_flags_is_set(SatchelRollbackMode mode, const char *name, gboolean *set, GError **error)
{
	g_autofree char *value = NULL;

	if (!satchel_boot_flags_read(mode, name, &value, error))
		return FALSE;
	*set = g_strcmp0(value, "1") == 0;
	return TRUE;
}

gboolean
satchel_boot_flags_write(SatchelRollbackMode mode, const char *name, const char *value,
			 const char *environment, GError **error)
{
	const char *const argv[] = {satchel_boot_rules_get_writer(mode), name, value, NULL};
	g_auto(SatchelCommandResult) result = {0};

	if (argv[0] == NULL)
		return TRUE;
	return run_tool(argv, environment, &result, error) &&
	       (result.exit_status == 0 || tool_fail(&result, argv[0], name, error));
}

gboolean
satchel_boot_flags_set(SatchelRollbackMode mode, const SatchelBootFlag *flags, GError **error)
{
	for (; flags->name != NULL; flags++) {
		g_autofree char *value = NULL;

		if (!satchel_boot_flags_read(mode, flags->name, &value, error))
			return FALSE;
		if (g_strcmp0(value, flags->value) != 0 &&
		    !satchel_boot_flags_write(mode, flags->name, flags->value, NULL, error))
			return FALSE;
	}
	return TRUE;
}
