#include "place.h"
#include "../verify/path_safety.h"
#include "work_folder.h"
#include <satchel/bundle_layout.h>

/* --force deletes what is there, and a path is soon mistyped: only a bundle can be made again. */
static gboolean
check_is_bundle(const char *path, GError **error)
{
	static const char *const members[] = {SATCHEL_BUNDLE_TUF, SATCHEL_BUNDLE_OSTREE_REPO,
					      SATCHEL_BUNDLE_APPS, SATCHEL_BUNDLE_MANIFEST, NULL};
	g_autofree char *tuf = g_build_filename(path, SATCHEL_BUNDLE_TUF, NULL);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	g_autofree char *strange = NULL;
	const char *name;

	while (dir != NULL && strange == NULL && (name = g_dir_read_name(dir)) != NULL) {
		if (!g_strv_contains(members, name))
			strange = satchel_path_quote(name);
	}
	if (dir != NULL && strange == NULL && g_file_test(tuf, G_FILE_TEST_IS_DIR))
		return TRUE;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
		    "%s: not a bundle%s%s, so --force does not replace it", path,
		    strange != NULL ? ": it holds " : "", strange != NULL ? strange : "");
	return FALSE;
}

gboolean
satchel_place_check(const char *path, gboolean force, GError **error)
{
	g_autoptr(GError) local_error = NULL;

	if (satchel_work_folder_is_free(path, &local_error))
		return TRUE;
	if (local_error != NULL) {
		g_propagate_error(error, g_steal_pointer(&local_error));
		return FALSE;
	}
	if (force)
		return check_is_bundle(path, error);
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
		    "%s: not empty; --force replaces it", path);
	return FALSE;
}
