#include "options.h"
#include "../verify/cli.h"
#include <string.h>

const char *
satchel_options_parse(const GOptionEntry *entries, int argc, char **argv, const char *what,
		      GError **error)
{
	if (!satchel_cli_parse(entries, &argc, &argv, error))
		return NULL;
	if (argc == 2 && argv[1][0] != '\0')
		return argv[1];
	satchel_cli_usage_error(error, "exactly one %s is wanted", what);
	return NULL;
}

gboolean
satchel_options_parse_number(const char *what, const char *text, gint64 min, gint64 max,
			     gint64 *value, GError **error)
{
	/* Only digits: GLib would take leading blanks and signs. */
	if (text[0] != '\0' && strspn(text, "0123456789") == strlen(text) &&
	    g_ascii_string_to_signed(text, 10, min, max, value, NULL))
		return TRUE;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE,
		    "%s must be a whole number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT,
		    what, min, max);
	return FALSE;
}

gboolean
satchel_options_parse_per_role(const char *what, char **texts, gint64 min, gint64 max,
			       gint64 values[SATCHEL_N_ROLES], GError **error)
{
	for (; texts != NULL && *texts != NULL; texts++) {
		g_auto(GStrv) parts = g_strsplit(*texts, "=", 2);
		SatchelRole role;

		if (g_strv_length(parts) != 2 || !satchel_role_author_lookup(parts[0], &role)) {
			return satchel_cli_usage_error(
				error,
				"%s wants ROLE=NUMBER; roles: root targets snapshot timestamp",
				what);
		}
		if (!satchel_options_parse_number(what, parts[1], min, max, &values[role], error))
			return FALSE;
	}
	return TRUE;
}

gboolean
satchel_options_require(const char *what, gconstpointer value, GError **error)
{
	if (value != NULL)
		return TRUE;
	return satchel_cli_usage_error(error, "%s is needed", what);
}
