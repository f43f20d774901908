#include "provisioned_root.h"
#include "../verify/safe_read.h"
#include <string.h>

#define ROOT_SUFFIX ".root.json"
/* The roots that the production and the CI side of a factory have in common. */
#define LAST_SHARED_VERSION 2

/* The version in "N.root.json"; 0 for other names. */
static gint64
version_of(const char *name)
{
	g_autofree char *digits = NULL;
	guint64 version = 0;

	if (!g_str_has_suffix(name, ROOT_SUFFIX))
		return 0;
	digits = g_strndup(name, strlen(name) - strlen(ROOT_SUFFIX));
	if (*digits == '0' ||
	    !g_ascii_string_to_unsigned(digits, 10, 1, G_MAXINT32, &version, NULL))
		return 0;
	return (gint64)version;
}

/* The highest version in the folder, at most @limit; 0 where there is none. */
static gint64
newest_version(const char *folder, gint64 limit)
{
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	const char *name = NULL;
	gint64 newest = 0;

	while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
		gint64 version = version_of(name);

		if (version <= limit && version > newest)
			newest = version;
	}
	return newest;
}

/* NULL without error where it is not there. (transfer full) */
static GBytes *
read_root(const char *folder, gint64 version, GError **error)
{
	g_autofree char *path =
		g_strdup_printf("%s/%" G_GINT64_FORMAT ROOT_SUFFIX, folder, version);
	g_autoptr(GError) local_error = NULL;
	g_autoptr(GBytes) document =
		satchel_safe_read_named(path, SATCHEL_LIMIT_ROOT_BYTES, &local_error);

	if (document == NULL &&
	    !g_error_matches(local_error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND))
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_FAILURE,
			    "provisioned root: %s", local_error->message);
	return g_steal_pointer(&document);
}

/* The lowest version from which an unbroken row of files leads to @newest. */
static gboolean
first_version(const char *folder, gint64 newest, gint64 *first, GError **error)
{
	for (*first = newest; *first > 1; (*first)--) {
		g_autoptr(GError) local_error = NULL;
		g_autoptr(GBytes) before = read_root(folder, *first - 1, &local_error);

		if (local_error != NULL) {
			g_propagate_error(error, g_steal_pointer(&local_error));
			return FALSE;
		}
		if (before == NULL)
			return TRUE;
	}
	return TRUE;
}

/* (transfer full): the root at the end of the row, each signed by the one before it */
static SatchelRoot *
follow(const char *folder, gint64 first, gint64 newest, GError **error)
{
	g_autoptr(SatchelRoot) root = NULL;

	for (gint64 version = first; version <= newest; version++) {
		g_autoptr(GError) local_error = NULL;
		g_autoptr(GBytes) document = read_root(folder, version, &local_error);
		g_autoptr(SatchelRoot) before = g_steal_pointer(&root);

		if (document == NULL) {
			g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_FAILURE, "%s",
				    local_error == NULL ? "a provisioned root went away"
							: local_error->message);
			return NULL;
		}
		root = before == NULL ? satchel_root_new_trusted(document, error)
				      : satchel_root_advance(before, document, error);
		if (root == NULL) {
			g_prefix_error(error, "%s/%" G_GINT64_FORMAT ROOT_SUFFIX ": ", folder,
				       version);
			return NULL;
		}
	}
	return g_steal_pointer(&root);
}

/* NULL without error where the folder has none. (transfer full) */
static SatchelRoot *
read_folder(const char *folder, gint64 limit, GError **error)
{
	gint64 newest = newest_version(folder, limit);
	gint64 first = 0;

	if (newest == 0 || !first_version(folder, newest, &first, error))
		return NULL;
	return follow(folder, first, newest, error);
}

static SatchelRoot *
not_found(GError **error, const char *dir)
{
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND,
		    "this device has no trusted root: %s/ci and %s/prod hold no N.root.json", dir,
		    dir);
	return NULL;
}

/* Both folders have roots and nothing tells which side is ours: what they agree on. */
static SatchelRoot *
read_shared(const char *ci, const char *prod, GError **error)
{
	g_autoptr(GError) local_error = NULL;
	g_autoptr(SatchelRoot) a = read_folder(ci, LAST_SHARED_VERSION, &local_error);
	g_autoptr(SatchelRoot) b =
		local_error != NULL ? NULL : read_folder(prod, LAST_SHARED_VERSION, &local_error);

	if (local_error != NULL) {
		g_propagate_error(error, g_steal_pointer(&local_error));
		return NULL;
	}
	if (a != NULL && b != NULL &&
	    g_bytes_equal(satchel_root_get_bytes(a), satchel_root_get_bytes(b)))
		return g_steal_pointer(&a);
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND,
		    "%s and %s hold different roots and there is no client certificate that tells "
		    "which one is this device's",
		    ci, prod);
	return NULL;
}

const char *
satchel_provisioned_root_guess_type(const char *dir)
{
	g_autofree char *ci = g_build_filename(dir, "ci", NULL);
	g_autofree char *prod = g_build_filename(dir, "prod", NULL);
	gboolean has_ci = newest_version(ci, G_MAXINT32) > 0;
	gboolean has_prod = newest_version(prod, G_MAXINT32) > 0;

	if (has_ci == has_prod)
		return NULL;
	return has_ci ? "ci" : "prod";
}

SatchelRoot *
satchel_provisioned_root_read(const char *dir, const char *type, GError **error)
{
	g_autofree char *ci = g_build_filename(dir, "ci", NULL);
	g_autofree char *prod = g_build_filename(dir, "prod", NULL);
	g_autoptr(GError) local_error = NULL;
	g_autoptr(SatchelRoot) root = NULL;

	if (type == NULL && newest_version(ci, G_MAXINT32) == 0 &&
	    newest_version(prod, G_MAXINT32) == 0)
		return not_found(error, dir);
	if (type == NULL)
		return read_shared(ci, prod, error);
	root = read_folder(g_str_equal(type, "prod") ? prod : ci, G_MAXINT32, &local_error);
	if (local_error != NULL) {
		g_propagate_error(error, g_steal_pointer(&local_error));
		return NULL;
	}
	return root == NULL ? not_found(error, dir) : g_steal_pointer(&root);
}
