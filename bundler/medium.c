#include "medium.h"
#include "../verify/progress.h"
#include "file_error.h"
#include <errno.h>
#include <linux/magic.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

#define FAT_FILE_BYTES ((guint64)4 << 30)

guint64
satchel_medium_file_limit_of(guint64 type, guint64 cluster_bytes)
{
	if (type != MSDOS_SUPER_MAGIC)
		return G_MAXUINT64;
	return FAT_FILE_BYTES - CLAMP(cluster_bytes, 512, FAT_FILE_BYTES / 2);
}

gboolean
satchel_medium_file_limit(int dir_fd, guint64 *limit_bytes)
{
	struct statfs info;

	if (fstatfs(dir_fd, &info) != 0)
		return FALSE;
	*limit_bytes = satchel_medium_file_limit_of((guint64)info.f_type, (guint64)info.f_bsize);
	return TRUE;
}

gboolean
satchel_medium_check_space(int dir_fd, const char *path, guint64 n_files, guint64 size_bytes,
			   GError **error)
{
	struct statvfs info;
	guint64 free_bytes = G_MAXUINT64;
	guint64 needed_bytes = G_MAXUINT64;
	g_autofree char *needed = NULL;
	g_autofree char *available = NULL;

	if (fstatvfs(dir_fd, &info) != 0)
		return satchel_file_error_set(error, errno, path, "look at its free space");
	(void)g_uint64_checked_mul(&free_bytes, info.f_bavail, info.f_frsize);
	/* The last block of each file is half empty on average. */
	if (!g_uint64_checked_mul(&needed_bytes, n_files, info.f_frsize / 2) ||
	    !g_uint64_checked_add(&needed_bytes, needed_bytes, size_bytes))
		needed_bytes = G_MAXUINT64;
	if (needed_bytes <= free_bytes)
		return TRUE;
	needed = satchel_progress_format_bytes(needed_bytes);
	available = satchel_progress_format_bytes(free_bytes);
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_NO_SPACE,
		    "%s: not enough space: %s needed, %s free", path, needed, available);
	return FALSE;
}
