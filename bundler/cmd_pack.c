#include "../verify/path_safety.h"
#include "commands.h"
#include "interrupt.h"
#include "options.h"
#include "pack_bundle.h"
#include <sys/stat.h>

static void
note_left_out(const char *path, const GPtrArray *left_out)
{
	g_autofree char *first = NULL;

	if (left_out->len == 0)
		return;
	first = satchel_path_quote(left_out->pdata[0]);
	satchel_cli_note("note: %s: %u %s that its manifest does not list left out: %s%s", path,
			 left_out->len, left_out->len == 1 ? "file" : "files", first,
			 left_out->len == 1 ? "" : ", ...");
}

static gboolean
pack(const char *from, const char *to, const SatchelPackedOutputOptions *options, GError **error)
{
	g_autoptr(SatchelBundleReader) bundle = satchel_bundle_reader_open(from, error);
	g_autoptr(SatchelPackedOrder) order = NULL;
	g_autoptr(SatchelPackedOutput) output = NULL;

	if (bundle == NULL)
		return FALSE;
	/* First, so that nothing is hashed for minutes for a place that is taken. */
	output = satchel_packed_output_begin(to, options, error);
	if (output == NULL)
		return FALSE;
	order = satchel_packed_order_new(bundle, error);
	if (order == NULL)
		return FALSE;
	note_left_out(from, order->left_out);
	if (!satchel_pack_bundle(bundle, order, output, error))
		return FALSE;
	satchel_pack_bundle_note(to, output, "packed");
	if (!order->manifest_is_signed)
		satchel_cli_note("note: %s: its manifest is not signed: devices check the content "
				 "by the signed targets alone",
				 to);
	return TRUE;
}

gboolean
satchel_cmd_pack(int argc, char **argv, SatchelOutcome *outcome, GError **error)
{
	g_autofree char *split = NULL;
	SatchelPackedOutputOptions options = {0};
	const GOptionEntry entries[] = {
		{"split", 0, 0, G_OPTION_ARG_STRING, &split,
		 "Files of at most SIZE, FILE.000 and so on (700M, 4GB)", "SIZE"},
		{"force", 0, 0, G_OPTION_ARG_NONE, &options.replace,
		 "Replace a packed bundle that is at FILE", NULL},
		G_OPTION_ENTRY_NULL,
	};
	const char *from = NULL;
	const char *to = NULL;

	if (!satchel_options_parse_pair(entries, argc, argv, "DIR and FILE", &from, &to, error) ||
	    (split != NULL &&
	     !satchel_options_parse_size("--split", split, &options.split_bytes, error)))
		return FALSE;
	satchel_interrupt_watch();
	(void)umask(022); /* whoever packs it: everybody may read a bundle */
	return pack(from, to, &options, error);
}
