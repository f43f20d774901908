#include "file_error.h"
#include <errno.h>

gboolean
satchel_file_error_set(GError **error, int system_error, const char *path, const char *verb)
{
	gboolean full = system_error == ENOSPC || system_error == EDQUOT;

	g_set_error(error, SATCHEL_ERROR, full ? SATCHEL_ERROR_NO_SPACE : SATCHEL_ERROR_FAILED,
		    "%s: cannot %s: %s", path, verb, g_strerror(system_error));
	return FALSE;
}
