#include "pull_space.h"
#include <errno.h>
#include <sys/statvfs.h>

/* A content's last block is half empty on average; inode, name and folder come on top. */
#define OBJECT_OVERHEAD_BYTES 4096u

static guint64
saturating_add(guint64 a, guint64 b)
{
	guint64 sum = 0;

	return g_uint64_checked_add(&sum, a, b) ? sum : G_MAXUINT64;
}

void
satchel_pull_space_add(SatchelPullSpace *self, guint64 size_bytes)
{
	self->content_bytes = saturating_add(self->content_bytes, size_bytes);
	self->n_objects = saturating_add(self->n_objects, 1);
}

guint64
satchel_pull_space_total_bytes(const SatchelPullSpace *self)
{
	guint64 overhead = 0;

	if (!g_uint64_checked_mul(&overhead, self->n_objects, OBJECT_OVERHEAD_BYTES))
		overhead = G_MAXUINT64;
	return saturating_add(self->content_bytes, overhead);
}

guint64
satchel_pull_space_reserve_bytes(const SatchelPullSpace *self, guint64 size_bytes,
				 guint64 repo_bytes)
{
	return MAX(repo_bytes, size_bytes / 100 * self->reserved_percent);
}

static gboolean
measure(const SatchelPullSpace *self, OstreeRepo *repo, guint64 *free_bytes, guint64 *reserve,
	GError **error)
{
	struct statvfs fs;

	if (fstatvfs(ostree_repo_get_dfd(repo), &fs) != 0) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
			    "free space of the repository: %s", g_strerror(errno));
		return FALSE;
	}
	*free_bytes = (guint64)fs.f_bavail * fs.f_frsize;
	/* A repository without a reserve of its own has libostree's default. */
	if (!ostree_repo_get_min_free_space_bytes(repo, reserve, NULL))
		*reserve = (guint64)fs.f_blocks * fs.f_frsize / 100 * 3;
	/* libostree knows the repository's alone, and keeps to it while it writes. */
	*reserve = satchel_pull_space_reserve_bytes(self, (guint64)fs.f_blocks * fs.f_frsize,
						    *reserve);
	return TRUE;
}

gboolean
satchel_pull_space_get_usable(const SatchelPullSpace *self, OstreeRepo *repo, guint64 *usable_bytes,
			      GError **error)
{
	guint64 free_bytes = 0, reserve = 0;

	if (!measure(self, repo, &free_bytes, &reserve, error))
		return FALSE;
	*usable_bytes = free_bytes > reserve ? free_bytes - reserve : 0;
	return TRUE;
}

gboolean
satchel_pull_space_check(const SatchelPullSpace *self, OstreeRepo *repo, GError **error)
{
	guint64 needed = satchel_pull_space_total_bytes(self);
	guint64 free_bytes = 0, reserve = 0, usable;

	if (self->n_objects == 0)
		return TRUE;
	if (!measure(self, repo, &free_bytes, &reserve, error))
		return FALSE;
	usable = free_bytes > reserve ? free_bytes - reserve : 0;
	if (needed <= usable)
		return TRUE;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_NO_SPACE,
		    "%" G_GUINT64_FORMAT " bytes are lacking: the update needs %" G_GUINT64_FORMAT
		    ", %" G_GUINT64_FORMAT " are free and %" G_GUINT64_FORMAT
		    " of these are kept in reserve",
		    needed - usable, needed, free_bytes, reserve);
	return FALSE;
}
