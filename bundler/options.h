#pragma once
#include "role_author.h"

/* What the commands share in reading their options. */

/**
 * satchel_options_parse:
 * @entries: the command's own options
 * @argc, @argv: as the command's run() got them
 * @what: "REPO": the one argument that is no option
 *
 * Errors: as satchel_cli_parse(); SATCHEL_ERROR_USAGE for any other number of arguments.
 *
 * Returns: that argument, borrowed from @argv, or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
const char *satchel_options_parse(const GOptionEntry *entries, int argc, char **argv,
				  const char *what, GError **error);

/* The same for commands with two such arguments; @what: "DIR FILE". FALSE with an error. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_options_parse_pair(const GOptionEntry *entries, int argc, char **argv,
				    const char *what, const char **first, const char **second,
				    GError **error);

/* Bytes: a whole number, with K, M, G or T for powers of 1024, or KB, MB, GB, TB for powers of
 * 1000, as split(1) has them; at least 1. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_options_parse_size(const char *what, const char *text, guint64 *n_bytes,
				    GError **error);

/* A decimal number within bounds, else SATCHEL_ERROR_USAGE naming @what. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_options_parse_number(const char *what, const char *text, gint64 min, gint64 max,
				      gint64 *value, GError **error);

/* Each of @texts is ROLE=NUMBER; sets that role's element of @values. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_options_parse_per_role(const char *what, char **texts, gint64 min, gint64 max,
					gint64 values[SATCHEL_N_ROLES], GError **error);

/* SATCHEL_ERROR_USAGE where @value is NULL. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_options_require(const char *what, gconstpointer value, GError **error);
