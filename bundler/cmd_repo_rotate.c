#include "../verify/clock.h"
#include "commands.h"
#include "options.h"
#include "repo_publish.h"

gboolean
satchel_cmd_repo_rotate(int argc, char **argv, SatchelOutcome *outcome, GError **error)
{
	g_autofree char *name = NULL;
	const GOptionEntry entries[] = {
		{"role", 0, 0, G_OPTION_ARG_STRING, &name, "root, targets, snapshot or timestamp",
		 "ROLE"},
		G_OPTION_ENTRY_NULL,
	};
	const char *path = satchel_options_parse(entries, argc, argv, "REPO", error);
	g_autoptr(SatchelRepoStore) repo = NULL;
	SatchelRole role;
	gint64 now_s = 0;

	if (path == NULL || !satchel_options_require("--role", name, error))
		return FALSE;
	if (!satchel_role_author_lookup(name, &role))
		return satchel_cli_usage_error(
			error, "--role must be root, targets, snapshot or timestamp");
	if (!satchel_clock_build_now_s(&now_s, error))
		return FALSE;
	repo = satchel_repo_store_open(path, error);
	if (repo == NULL || !satchel_repo_publish_rotate(repo, role, now_s, error))
		return FALSE;
	satchel_cli_note("%s: root %" G_GINT64_FORMAT " gives %s a new key", path,
			 satchel_repo_store_get_root_version(repo), name);
	return TRUE;
}
