#pragma once
#include <satchel/error.h>

/* `YYYY-MM-DDTHH:MM:SSZ` and nothing else, years 1970 to 9999. Pure: no clock, no locale. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_utc_time_parse(const char *text, gint64 *seconds, GError **error);

/* (transfer full): the same form. @seconds in the range above; outside it, it is clamped. */
char *satchel_utc_time_format(gint64 seconds);
