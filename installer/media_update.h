#pragma once
#include "media_scan.h"
#include <satchel/media.h>

/* One stick that is served: what happens with what lies in a folder, on a device that is open. */
typedef struct {
	SatchelDevice *device; /* opened for update */
	const char *folder;    /* where the stick is mounted */
	int root_fd; /* the stick's root folder, open for reading; -1 once it was let go */
	GCancellable *cancellable;
	SatchelMediaListener listener;
	/* Called when nothing on the stick is needed any more (nullable). */
	void (*let_go)(gpointer user_data);
	gpointer user_data;
	SatchelMediaScan scan; /* (owned) */
} SatchelMediaUpdate;

/* As satchel_media_serve(), without the reboot: where *@outcome is NEEDS_REBOOT it is due. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_media_update_run(SatchelMediaUpdate *self, SatchelOutcome *outcome,
				  GError **error);

/* Says one line to whoever listens. */
void satchel_media_update_say(const SatchelMediaUpdate *self, const char *format, ...)
	G_GNUC_PRINTF(2, 3);

void satchel_media_update_clear(SatchelMediaUpdate *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SatchelMediaUpdate, satchel_media_update_clear)
