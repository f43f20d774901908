#include "clock.h"
#include <satchel/error.h>

#ifndef SATCHEL_BUILT_S
#error "SATCHEL_BUILT_S, the time of the build, comes from the Makefile"
#endif

gint64
satchel_clock_now_s(void)
{
	return g_get_real_time() / G_USEC_PER_SEC;
}

gboolean
satchel_clock_build_now_s(gint64 *now_s, GError **error)
{
	const char *epoch = g_getenv("SOURCE_DATE_EPOCH");
	guint64 value = 0;

	if (epoch == NULL) {
		*now_s = satchel_clock_now_s();
		return TRUE;
	}
	/* 253402300799 is the last second of the year 9999, the last that metadata can write. */
	if (!g_ascii_string_to_unsigned(epoch, 10, 0, 253402300799, &value, NULL)) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE,
			    "SOURCE_DATE_EPOCH is '%s', not a number of seconds", epoch);
		return FALSE;
	}
	*now_s = (gint64)value;
	return TRUE;
}

gint64
satchel_clock_program_built_s(void)
{
	return SATCHEL_BUILT_S;
}
