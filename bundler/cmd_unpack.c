#include "../verify/cli_progress.h"
#include "../verify/progress.h"
#include "commands.h"
#include "interrupt.h"
#include "options.h"
#include "place.h"
#include "unpack_bundle.h"
#include "work_folder.h"
#include <sys/stat.h>

static gboolean
unpack(const char *from, const char *to, gboolean force, GError **error)
{
	g_autoptr(SatchelBundleReader) bundle = satchel_bundle_reader_open(from, error);
	g_autoptr(SatchelPackedOrder) order = NULL;
	g_autoptr(SatchelWorkFolder) folder = NULL;
	g_autoptr(SatchelProgress) progress = NULL;

	if (bundle == NULL || !satchel_place_check(to, force, error))
		return FALSE;
	order = satchel_packed_order_new(bundle, error);
	if (order == NULL)
		return FALSE;
	folder = satchel_work_folder_begin(to, error);
	if (folder == NULL)
		return FALSE;
	progress = satchel_progress_begin(satchel_cli_progress(), "unpacking", order->size_bytes);
	if (!satchel_unpack_bundle(bundle, order, satchel_work_folder_get_fd(folder), to, NULL,
				   progress, error) ||
	    !satchel_work_folder_commit(folder, force, error))
		return FALSE;
	g_clear_pointer(&progress, satchel_progress_end);
	satchel_cli_note("%s: unpacked, %u files", to, order->members->len + 1);
	return TRUE;
}

gboolean
satchel_cmd_unpack(int argc, char **argv, SatchelOutcome *outcome, GError **error)
{
	gboolean force = FALSE;
	const GOptionEntry entries[] = {
		{"force", 0, 0, G_OPTION_ARG_NONE, &force, "Replace the bundle that is at DIR",
		 NULL},
		G_OPTION_ENTRY_NULL,
	};
	const char *from = NULL;
	const char *to = NULL;

	if (!satchel_options_parse_pair(entries, argc, argv, "FILE and DIR", &from, &to, error))
		return FALSE;
	satchel_interrupt_watch();
	(void)umask(022); /* whoever unpacks it: everybody may read a bundle */
	return unpack(from, to, force, error);
}
