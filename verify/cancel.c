#include "cancel.h"

gboolean
satchel_cancel_check(GCancellable *cancellable, GError **error)
{
	if (!g_cancellable_is_cancelled(cancellable))
		return TRUE;
	g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_CANCELLED, "interrupted");
	return FALSE;
}
