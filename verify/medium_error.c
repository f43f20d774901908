#include "medium_error.h"
#include "path_safety.h"

gboolean
satchel_medium_error_set(GError **error, SatchelMediumFault fault, const char *member,
			 guint64 offset, const char *detail)
{
	g_autofree char *quoted = satchel_path_quote(member);
	g_autofree char *place = g_strdup_printf("%s, byte %" G_GUINT64_FORMAT, quoted, offset);

	switch (fault) {
	case SATCHEL_MEDIUM_MISSING:
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
			    "%s is missing; the copy is incomplete: copy it again", quoted);
		break;
	case SATCHEL_MEDIUM_TOO_SHORT:
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
			    "%s: it ends there; the copy is incomplete: copy it again", place);
		break;
	case SATCHEL_MEDIUM_UNREADABLE:
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
			    "%s: cannot be read (%s); the stick is failing", place, detail);
		break;
	case SATCHEL_MEDIUM_WRONG_HASH:
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
			    "%s: it is damaged or was altered; where nobody altered it, the stick "
			    "is failing",
			    place);
		break;
	}
	return FALSE;
}
