#include "pull_room.h"
#include "held_objects.h"
#include "ostree_pull.h"

/* What libostree's own clean-up removes, no more: not what a deployment or anybody's ref needs. */
static void
prune(SatchelSysroot *sysroot)
{
	OstreeRepoPruneOptions options = {.flags = OSTREE_REPO_PRUNE_FLAGS_REFS_ONLY};
	g_autoptr(GError) local_error = NULL;
	gint n_objects = 0, n_pruned = 0;
	guint64 pruned_bytes = 0;

	options.reachable = ostree_repo_traverse_new_reachable();
	if (!ostree_sysroot_cleanup_prune_repo(satchel_sysroot_get_ostree(sysroot), &options,
					       &n_objects, &n_pruned, &pruned_bytes, NULL,
					       &local_error))
		g_debug("the repository is not pruned: %s", local_error->message);
	g_hash_table_unref(options.reachable);
}

/* Only under the sysroot's lock: a deployment that somebody writes just now may not be listed
 * yet. */
static gboolean
prune_alone(SatchelSysroot *sysroot, GError **error)
{
	OstreeSysroot *ostree = satchel_sysroot_get_ostree(sysroot);
	gboolean locked = FALSE;
	gboolean good;

	if (!ostree_sysroot_try_lock(ostree, &locked, NULL) || !locked)
		return TRUE;
	good = satchel_sysroot_reload(sysroot, error);
	if (good)
		prune(sysroot);
	ostree_sysroot_unlock(ostree);
	return good;
}

gboolean
satchel_pull_room_make(SatchelSysroot *sysroot, const char *commit, GError **error)
{
	OstreeRepo *repo = satchel_sysroot_get_repo(sysroot);

	if (!satchel_ostree_pull_forget(repo, commit, error) || !prune_alone(sysroot, error))
		return FALSE;
	satchel_held_objects_clear_staging(repo);
	return TRUE;
}
