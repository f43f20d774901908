#include "../verify/cli_progress.h"
#include "../verify/progress.h"
#include "commands.h"
#include "interrupt.h"
#include "options.h"
#include "unpack_bundle.h"
#include "work_folder.h"
#include <sys/stat.h>

static gboolean
check_is_free(const char *path, GError **error)
{
	g_autoptr(GError) local_error = NULL;

	if (satchel_work_folder_is_free(path, &local_error))
		return TRUE;
	if (local_error != NULL)
		g_propagate_error(error, g_steal_pointer(&local_error));
	else
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED, "%s: not empty", path);
	return FALSE;
}

static gboolean
unpack(const char *from, const char *to, GError **error)
{
	g_autoptr(SatchelBundleReader) bundle = satchel_bundle_reader_open(from, error);
	g_autoptr(SatchelPackedOrder) order = NULL;
	g_autoptr(SatchelWorkFolder) folder = NULL;
	g_autoptr(SatchelProgress) progress = NULL;

	if (bundle == NULL || !check_is_free(to, error))
		return FALSE;
	order = satchel_packed_order_new(bundle, error);
	if (order == NULL)
		return FALSE;
	folder = satchel_work_folder_begin(to, error);
	if (folder == NULL)
		return FALSE;
	progress = satchel_progress_begin(satchel_cli_progress(), "unpacking", order->size_bytes);
	if (!satchel_unpack_bundle(bundle, order, satchel_work_folder_get_fd(folder), to, progress,
				   error) ||
	    !satchel_work_folder_commit(folder, FALSE, error))
		return FALSE;
	g_clear_pointer(&progress, satchel_progress_end);
	satchel_cli_note("%s: unpacked, %u files", to, order->members->len + 1);
	return TRUE;
}

gboolean
satchel_cmd_unpack(int argc, char **argv, SatchelOutcome *outcome, GError **error)
{
	const GOptionEntry entries[] = {G_OPTION_ENTRY_NULL};
	const char *from = NULL;
	const char *to = NULL;

	if (!satchel_options_parse_pair(entries, argc, argv, "FILE and DIR", &from, &to, error))
		return FALSE;
	satchel_interrupt_watch();
	(void)umask(022); /* whoever unpacks it: everybody may read a bundle */
	return unpack(from, to, error);
}
