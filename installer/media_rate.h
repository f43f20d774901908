#pragma once
#include <glib.h>

/*
 * A contact that flaps inserts a stick again and again: how long to wait before it is served once
 * more, so that the last insertion is served in any case. Pure.
 */
#define SATCHEL_MEDIA_RATE_STARTS 3u
#define SATCHEL_MEDIA_RATE_WINDOW_S 60

/* Seconds to wait at @now_s, after the starts that @record tells; 0: none. @record: one time a
 * line, oldest first; what is no time is passed over, and so is what lies in the future. */
gint64 satchel_media_rate_wait_s(const char *record, gint64 now_s);
/* The record with a start at @now_s. (transfer full) */
char *satchel_media_rate_add(const char *record, gint64 now_s);
