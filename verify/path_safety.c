#include "path_safety.h"
#include "digest.h"
#include <satchel/limits.h>

/* Longest quotation of a hostile string in a message. */
#define QUOTE_CHARS 200

/* Room that a caller needs around an encoded name: `.json`. */
#define ENCODED_NAME_BYTES (SATCHEL_LIMIT_NAME_BYTES - 5)

/* What is wrong with one component, or NULL. (transfer full) */
static char *
component_problem(const char *component, gsize n_bytes)
{
	if (n_bytes == 0)
		return g_strdup("has an empty component");
	if (n_bytes == 1 && component[0] == '.')
		return g_strdup("has a component '.'");
	if (n_bytes == 2 && component[0] == '.' && component[1] == '.')
		return g_strdup("has a component '..'");
	if (n_bytes > SATCHEL_LIMIT_NAME_BYTES)
		return g_strdup_printf("has a component longer than %u bytes",
				       SATCHEL_LIMIT_NAME_BYTES);
	for (gsize i = 0; i < n_bytes; i++) {
		if (g_ascii_iscntrl(component[i]))
			return g_strdup("has a control character");
	}
	return NULL;
}

/* What is wrong with @path, or NULL. (transfer full) */
static char *
path_problem(const char *path)
{
	if (path[0] == '\0')
		return g_strdup("is empty");
	if (path[0] == '/')
		return g_strdup("is not relative");
	if (strlen(path) > SATCHEL_LIMIT_PATH_BYTES)
		return g_strdup_printf("is longer than %u bytes", SATCHEL_LIMIT_PATH_BYTES);
	for (const char *component = path;;) {
		gsize n_bytes = strcspn(component, "/");
		char *problem = component_problem(component, n_bytes);

		if (problem != NULL || component[n_bytes] == '\0')
			return problem;
		component += n_bytes + 1;
	}
}

gboolean
satchel_path_check(const char *path, GError **error)
{
	g_autofree char *problem = path_problem(path);
	g_autofree char *quoted = NULL;

	if (problem == NULL)
		return TRUE;
	quoted = satchel_path_quote(path);
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID, "path '%s' %s", quoted,
		    problem);
	return FALSE;
}

static gboolean
is_unreserved(char c)
{
	return g_ascii_isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

char *
satchel_path_encode_name(const char *name, GError **error)
{
	g_autoptr(GString) encoded = g_string_new(NULL);

	/* A leading dot would make `..`, or a file that listings hide. */
	for (const char *c = name; *c != '\0' && encoded->len <= ENCODED_NAME_BYTES; c++) {
		if (is_unreserved(*c) && !(*c == '.' && c == name))
			g_string_append_c(encoded, *c);
		else
			g_string_append_printf(encoded, "%%%02X", (guint8)*c);
	}
	if (encoded->len == 0 || encoded->len > ENCODED_NAME_BYTES) {
		g_autofree char *quoted = satchel_path_quote(name);

		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
			    encoded->len == 0 ? "name '%s' is empty"
					      : "name '%s' is too long for a file name",
			    quoted);
		return NULL;
	}
	return g_string_free(g_steal_pointer(&encoded), FALSE);
}

char *
satchel_path_file_name(const char *name)
{
	char *encoded = satchel_path_encode_name(name, NULL);
	g_autofree char *digest = NULL;

	if (encoded != NULL)
		return encoded;
	/* `%` itself is always encoded as `%25`. */
	digest = satchel_digest_sha256_hex(name, strlen(name));
	return g_strconcat("%sha256-", digest, NULL);
}

char *
satchel_path_quote(const char *text)
{
	g_autoptr(GString) quoted = g_string_new(NULL);

	for (const char *c = text; *c != '\0'; c++) {
		gboolean plain = g_ascii_isprint(*c);

		if (quoted->len + (plain ? 1 : 4) > QUOTE_CHARS) {
			g_string_append(quoted, "...");
			break;
		}
		if (plain)
			g_string_append_c(quoted, *c);
		else
			g_string_append_printf(quoted, "\\x%02x", (guint8)*c);
	}
	return g_string_free(g_steal_pointer(&quoted), FALSE);
}
