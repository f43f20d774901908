#include "synced_commit.h"
#include <errno.h>
#include <unistd.h>

static gboolean
sync_file_system(OstreeRepo *repo, GError **error)
{
	int saved_errno;

	if (syncfs(ostree_repo_get_dfd(repo)) == 0)
		return TRUE;
	saved_errno = errno;
	g_set_error(error, G_IO_ERROR, (gint)g_io_error_from_errno(saved_errno), "syncfs: %s",
		    g_strerror(saved_errno));
	return FALSE;
}

/* libostree syncs the file system, moves the objects into place, and then syncs each of the 256
 * folders of objects, every time with a flush of the drive. Syncing the file system once more is no
 * less, and one flush. */
gboolean
satchel_synced_commit(OstreeRepo *repo, GError **error)
{
	gboolean committed;

	/* Whoever set that wants speed and no more. */
	if (ostree_repo_get_disable_fsync(repo))
		return ostree_repo_commit_transaction(repo, NULL, NULL, error);
	if (!sync_file_system(repo, error))
		return FALSE;
	ostree_repo_set_disable_fsync(repo, TRUE);
	committed = ostree_repo_commit_transaction(repo, NULL, NULL, error);
	ostree_repo_set_disable_fsync(repo, FALSE);
	return committed && sync_file_system(repo, error);
}
