#include "../verify/clock.h"
#include "commands.h"
#include "options.h"
#include "repo_publish.h"

gboolean
satchel_cmd_repo_publish(int argc, char **argv, SatchelOutcome *outcome, GError **error)
{
	const GOptionEntry entries[] = {G_OPTION_ENTRY_NULL};
	const char *path = satchel_options_parse(entries, argc, argv, "REPO", error);
	g_autoptr(SatchelRepoStore) repo = NULL;
	gint64 now_s = 0;

	if (path == NULL || !satchel_clock_build_now_s(&now_s, error))
		return FALSE;
	repo = satchel_repo_store_open(path, error);
	if (repo == NULL || !satchel_repo_publish_run(repo, now_s, error))
		return FALSE;
	satchel_cli_note("%s: snapshot and timestamp signed", path);
	return TRUE;
}
