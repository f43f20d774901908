#include "bundle_roots.h"
#include <satchel/bundle_layout.h>

static char *
member_of(guint version)
{
	return g_strdup_printf(SATCHEL_BUNDLE_TUF "/%u.root.json", version);
}

/* NULL without error where there is none. */
static GBytes *
read_root(SatchelBundleReader *bundle, guint version, GError **error)
{
	g_autofree char *member = member_of(version);
	g_autoptr(GError) local_error = NULL;
	GBytes *file =
		satchel_bundle_reader_read(bundle, member, SATCHEL_LIMIT_ROOT_BYTES, &local_error);

	if (file == NULL &&
	    !g_error_matches(local_error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND))
		g_propagate_error(error, g_steal_pointer(&local_error));
	return file;
}

static GBytes *
read_oldest(SatchelBundleReader *bundle, guint *version, GError **error)
{
	for (guint i = 1; i <= SATCHEL_LIMIT_ROOT_ROTATIONS; i++) {
		g_autoptr(GError) local_error = NULL;
		GBytes *file = read_root(bundle, i, &local_error);

		if (local_error != NULL) {
			g_propagate_error(error, g_steal_pointer(&local_error));
			return NULL;
		}
		if (file != NULL) {
			*version = i;
			return file;
		}
	}
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND,
		    "%s: no N.root.json in its folder " SATCHEL_BUNDLE_TUF,
		    satchel_bundle_reader_get_path(bundle));
	return NULL;
}

SatchelRoot *
satchel_bundle_roots_newest(SatchelBundleReader *bundle, GError **error)
{
	guint version = 0;
	g_autoptr(GBytes) file = read_oldest(bundle, &version, error);
	g_autoptr(SatchelRoot) root = file != NULL ? satchel_root_new_trusted(file, error) : NULL;

	while (root != NULL) {
		g_autoptr(GError) local_error = NULL;
		SatchelRoot *next;

		g_clear_pointer(&file, g_bytes_unref);
		file = read_root(bundle, ++version, &local_error);
		if (local_error != NULL) {
			g_propagate_error(error, g_steal_pointer(&local_error));
			return NULL;
		}
		if (file == NULL)
			return g_steal_pointer(&root);
		next = satchel_root_advance(root, file, error);
		satchel_root_unref(g_steal_pointer(&root));
		root = next;
	}
	g_prefix_error(error, SATCHEL_BUNDLE_TUF "/%u.root.json: ", version);
	return NULL;
}
