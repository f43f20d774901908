#pragma once
#include "app_containers.h"

/* Starts an app with the configured Compose program, run by its arguments, and sees whether it
 * comes up. */

typedef struct {
	const char *const *program; /* "docker compose", "docker-compose", "podman-compose" */
	const char *host;	    /* the engine's, for the program */
	guint limit_s;		    /* for apps to come up, once the program has ended */
	guint settle_s;		    /* it must have run that long without a restart */
} SatchelCompose;

/* What we add to an app's Compose file; beside it. */
#define SATCHEL_COMPOSE_OVERRIDE ".satchel.json"

/* The Compose project of an app: its name as Compose programs make a project's of it, lower case
 * and without what is not a-z, 0-9, - and _. NULL where nothing is left. (transfer full) */
char *satchel_compose_project(const char *app);

/* @folder: with docker-compose.yml and the override in it. Error: SATCHEL_ERROR_CONTENT_INVALID
 * with what the program says last; SATCHEL_ERROR_NO_SPACE, here and below, where that is so;
 * SATCHEL_ERROR_FAILED where it cannot be run. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_compose_check(const SatchelCompose *self, const char *folder, const char *project,
			       GError **error);

/* Makes the containers and does not start them; those of other versions go.
 * Error: SATCHEL_ERROR_FAILED. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_compose_create(const SatchelCompose *self, const char *folder, const char *project,
				GError **error);

/* Makes and starts what is not there yet. Error: SATCHEL_ERROR_FAILED. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_compose_up(const SatchelCompose *self, const char *folder, const char *project,
			    GError **error);

/* A moment, before the engine is asked again. Error: SATCHEL_ERROR_CANCELLED. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_compose_pause(GCancellable *cancellable, GError **error);

/* An app that was started. */
typedef struct {
	const char *name;    /* for messages; borrowed */
	const char *project; /* borrowed */
	const char *sha256;  /* of its manifest; borrowed */
	GStrv services;	     /* of each there is to be a container */
	char *mark;	     /* of the last look */
	gint64 good_since_us;
} SatchelComposeApp;

/**
 * satchel_compose_wait:
 * @apps: of SatchelComposeApp, by value
 *
 * Until all of them run, and have for settle_s.
 *
 * Errors: SATCHEL_ERROR_FAILED: one of them does not, and why; SATCHEL_ERROR_CANCELLED.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_compose_wait(const SatchelCompose *self, SatchelEngine *engine, GArray *apps,
			      GCancellable *cancellable, GError **error);
