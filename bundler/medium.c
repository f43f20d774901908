#include "medium.h"
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
satchel_medium_free(int dir_fd, guint64 *free_bytes, guint64 *cluster_bytes)
{
	struct statvfs info;

	if (fstatvfs(dir_fd, &info) != 0)
		return FALSE;
	*cluster_bytes = MAX(info.f_frsize, 512);
	if (!g_uint64_checked_mul(free_bytes, info.f_bavail, *cluster_bytes))
		*free_bytes = G_MAXUINT64;
	return TRUE;
}
