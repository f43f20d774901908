#include "reboot_sentinel.h"
#include "../verify/path_safety.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

gboolean
satchel_reboot_sentinel_set(const char *dir, const char *name, GError **error)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	g_autofree char *quoted = NULL;
	int fd = -1;

	if (g_mkdir_with_parents(dir, 0700) == 0)
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0) {
		close(fd);
		return TRUE;
	}
	quoted = satchel_path_quote(path);
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
		    "%s: %s; without this file a reboot cannot be noticed", quoted,
		    g_strerror(errno));
	return FALSE;
}

gboolean
satchel_reboot_sentinel_is_set(const char *dir, const char *name)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);

	return access(path, F_OK) == 0;
}

void
satchel_reboot_sentinel_clear(const char *dir, const char *name)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);

	(void)unlink(path);
}
