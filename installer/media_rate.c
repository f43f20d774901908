#include "media_rate.h"

/* Of the starts within the window, oldest first. (transfer full) */
static GArray *
read_recent(const char *record, gint64 now_s)
{
	g_auto(GStrv) lines = g_strsplit(record, "\n", -1);
	GArray *recent = g_array_new(FALSE, FALSE, sizeof(gint64));

	for (guint i = 0; lines[i] != NULL; i++) {
		gint64 at_s = 0;

		if (g_ascii_string_to_signed(lines[i], 10, 0, now_s, &at_s, NULL) &&
		    at_s > now_s - SATCHEL_MEDIA_RATE_WINDOW_S)
			g_array_append_val(recent, at_s);
	}
	return recent;
}

gint64
satchel_media_rate_wait_s(const char *record, gint64 now_s)
{
	g_autoptr(GArray) recent = read_recent(record, now_s);
	gint64 oldest_s;

	if (recent->len < SATCHEL_MEDIA_RATE_STARTS)
		return 0;
	oldest_s = g_array_index(recent, gint64, recent->len - SATCHEL_MEDIA_RATE_STARTS);
	return oldest_s + SATCHEL_MEDIA_RATE_WINDOW_S - now_s;
}

char *
satchel_media_rate_add(const char *record, gint64 now_s)
{
	g_autoptr(GArray) recent = read_recent(record, now_s);
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < recent->len; i++)
		g_string_append_printf(text, "%" G_GINT64_FORMAT "\n",
				       g_array_index(recent, gint64, i));
	g_string_append_printf(text, "%" G_GINT64_FORMAT "\n", now_s);
	return g_string_free(text, FALSE);
}
