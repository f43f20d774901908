#pragma once
#include "media_mount.h"
#include "media_receipt.h"
#include "media_scan.h"
#include "signals.h"
#include <satchel/media.h>

/* One stick that is served: what happens with what lies in a folder, on a device that is open. */
typedef struct {
	SatchelDevice *device;		 /* opened for update */
	const char *const *config_paths; /* (nullable): with these */
	SatchelSignals *signals;
	const char *folder;		 /* where the stick is mounted */
	SatchelMediaMount *mount;	 /* (nullable): where we have mounted it */
	const SatchelMediaDevice *stick; /* NULL likewise */
	int root_fd; /* the stick's root folder, open for reading; -1 once it was let go */
	GCancellable *cancellable;
	SatchelMediaListener listener;
	SatchelMediaScan scan; /* (owned) */
	gboolean begun;	       /* something was chosen, and is pulled or installed */
	gint64 begun_s;
	char *bundle_sha256; /* (nullable) */
	const char *chosen;  /* (nullable): path of a verdict */
	char *text;	     /* what it came to, for people */
} SatchelMediaUpdate;

/* As satchel_media_serve(), without the reboot: where *@outcome is NEEDS_REBOOT it is due. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_media_update_run(SatchelMediaUpdate *self, SatchelOutcome *outcome,
				  GError **error);

/* The same for a stick that could not even be mounted. */
void satchel_media_update_fail(SatchelMediaUpdate *self, const GError *failure);

/* Says one line to whoever listens. */
void satchel_media_update_say(const SatchelMediaUpdate *self, const char *format, ...)
	G_GNUC_PRINTF(2, 3);

void satchel_media_update_clear(SatchelMediaUpdate *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SatchelMediaUpdate, satchel_media_update_clear)
