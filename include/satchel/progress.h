#pragma once
#include <glib.h>

/*
 * Where long work tells how far it is. Whoever calls the work gives the sink, and shows what comes
 * as it likes; the work itself prints nothing.
 */

typedef enum {
	SATCHEL_PROGRESS_BEGUN,
	SATCHEL_PROGRESS_RUNNING,
	SATCHEL_PROGRESS_ENDED, /* done, failed or cancelled; the work's result says which */
} SatchelProgressPhase;

/* Borrowed for the call. */
typedef struct {
	SatchelProgressPhase phase;
	const char *what;    /* "checking", "pulling" */
	guint64 done_bytes;  /* never shrinks between BEGUN and ENDED */
	guint64 total_bytes; /* 0: unknown; may be corrected on the way */
} SatchelProgressReport;

typedef struct {
	/* Called in the thread that called the work, as often as once for each file: to be quick.
	 * It must not call back into what reports; it may cancel the work's GCancellable. */
	void (*report)(const SatchelProgressReport *report, gpointer user_data);
	gpointer user_data;
} SatchelProgressSink;
