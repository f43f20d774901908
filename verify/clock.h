#pragma once
#include <glib.h>

/* The system clock in seconds since 1970, to be read once per run. SOURCE_DATE_EPOCH is honoured
 * only by satchel_clock_build_now_s(), which the bundler uses for what it authors. */
gint64 satchel_clock_now_s(void);
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_clock_build_now_s(gint64 *now_s, GError **error);

/* When this program was built: the lowest time floor of all. */
gint64 satchel_clock_program_built_s(void);
