#include "commands.h"
#include "copy_bundle.h"
#include "interrupt.h"
#include "options.h"
#include <sys/stat.h>

gboolean
satchel_cmd_copy(int argc, char **argv, SatchelOutcome *outcome, GError **error)
{
	gboolean force = FALSE;
	const GOptionEntry entries[] = {
		{"force", 0, 0, G_OPTION_ARG_NONE, &force,
		 "Replace a bundle of the same name on the stick", NULL},
		G_OPTION_ENTRY_NULL,
	};
	const char *from = NULL;
	const char *stick = NULL;

	if (!satchel_options_parse_pair(entries, argc, argv, "BUNDLE and STICK", &from, &stick,
					error))
		return FALSE;
	satchel_interrupt_watch();
	(void)umask(022); /* whoever copies it: everybody may read a bundle */
	return satchel_copy_bundle(from, stick, force, error);
}
