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
satchel_options_parse_pair(const GOptionEntry *entries, int argc, char **argv, const char *what,
			   const char **first, const char **second, GError **error)
{
	if (!satchel_cli_parse(entries, &argc, &argv, error))
		return FALSE;
	if (argc != 3 || argv[1][0] == '\0' || argv[2][0] == '\0')
		return satchel_cli_usage_error(error, "exactly %s are wanted", what);
	*first = argv[1];
	*second = argv[2];
	return TRUE;
}

gboolean
satchel_options_parse_size(const char *what, const char *text, guint64 *n_bytes, GError **error)
{
	static const char *const units[] = {"", "K", "M", "G", "T", NULL};
	gsize n_digits = strspn(text, "0123456789");
	g_autofree char *digits = g_strndup(text, n_digits);
	const char *unit = text + n_digits;
	g_autofree char *letter = g_strndup(unit, *unit != '\0' ? 1 : 0);
	guint64 step = unit[0] != '\0' && strcmp(unit + 1, "B") == 0 ? 1000 : 1024;
	guint power = 0;
	gboolean good;

	while (units[power] != NULL && strcmp(units[power], letter) != 0)
		power++;
	good = n_digits > 0 && units[power] != NULL && (strlen(unit) <= 1 || step == 1000) &&
	       g_ascii_string_to_unsigned(digits, 10, 1, G_MAXINT64, n_bytes, NULL);
	for (; good && power > 0; power--)
		good = g_uint64_checked_mul(n_bytes, *n_bytes, step);
	if (good && *n_bytes <= G_MAXINT64)
		return TRUE;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE,
		    "%s wants a number of bytes, like 700M, 4GB or 1048576", what);
	return FALSE;
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
