#pragma once
#include "engine_client.h"

/*
 * The containers of one app, by the labels that Compose programs give them and by the one that we
 * add: which version of the app a container is of.
 */

#define SATCHEL_APP_LABEL "satchel.app"

typedef enum {
	SATCHEL_APP_RUNS,    /* every service runs, is healthy, or has done what it was to do */
	SATCHEL_APP_WAITING, /* it may still come */
	SATCHEL_APP_FAILED,  /* it will not */
} SatchelAppHealth;

typedef struct {
	SatchelAppHealth health;
	guint n_running; /* the others have ended, or not begun */
	char *why;	 /* NULL where it runs: what does not, in one line */
	char *mark;	 /* which containers there are, and since when they run */
} SatchelAppView;

/**
 * satchel_app_containers_look:
 * @project: the app's Compose project
 * @sha256: of the app's manifest: other versions' containers count as not there
 * @services: of each there is to be a container
 * @view: (out): to be cleared
 *
 * Errors: SATCHEL_ERROR_FAILED: the engine cannot be asked.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_app_containers_look(SatchelEngine *engine, const char *project, const char *sha256,
				     const char *const *services, SatchelAppView *view,
				     GError **error);

/* Stops the containers of any version, each within its own time. Errors: as above. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_app_containers_stop(SatchelEngine *engine, const char *project, GError **error);

/* The same, and takes them and the project's networks away; volumes stay, they are data. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_app_containers_remove(SatchelEngine *engine, const char *project, GError **error);

void satchel_app_view_clear(SatchelAppView *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SatchelAppView, satchel_app_view_clear)
