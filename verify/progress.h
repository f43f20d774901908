#pragma once
#include <satchel/progress.h>

/*
 * Counts the bytes of one piece of long work and reports them to a sink. Pure: nothing is printed
 * here. Not thread-safe: only the thread that began it advances it.
 */
typedef struct SatchelProgress SatchelProgress;

/* @sink: (nullable): copied; NULL: nobody listens. @total_bytes: 0 when unknown. @what: "pulling",
 * "building"; borrowed for the life of the object. */
SatchelProgress *satchel_progress_begin(const SatchelProgressSink *sink, const char *what,
					guint64 total_bytes);
void satchel_progress_set_total(SatchelProgress *self, guint64 total_bytes);
void satchel_progress_advance(SatchelProgress *self, guint64 n_bytes);
void satchel_progress_end(SatchelProgress *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelProgress, satchel_progress_end)

/* "123 bytes", "4.2 kB", "1.3 GB": decimal units, as media are sold. (transfer full) */
char *satchel_progress_format_bytes(guint64 n_bytes);

/* "pulling: 10.0 MB of 40.0 MB, 25%, 0:30 left" for work that has run @elapsed_s; no share and no
 * time where @total_bytes is 0. (transfer full) */
char *satchel_progress_describe(const char *what, guint64 done_bytes, guint64 total_bytes,
				double elapsed_s);
