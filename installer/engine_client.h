#pragma once
#include "../verify/json.h"
#include <gio/gio.h>

/*
 * An unmodified container engine, Docker or Podman, by the HTTP API that both speak on a Unix
 * socket. Answers are bounded, every request has a time limit. Not thread-safe.
 */
typedef struct SatchelEngine SatchelEngine;

/* Where Docker listens when nothing says otherwise. */
#define SATCHEL_ENGINE_DEFAULT_HOST "unix:///var/run/docker.sock"

/* "unix://" and an absolute path. */
gboolean satchel_engine_is_host(const char *host);

/**
 * satchel_engine_new:
 * @host: as satchel_engine_is_host() has it, borrowed
 *
 * Connects to nothing yet. (transfer full)
 */
SatchelEngine *satchel_engine_new(const char *host);

/* Ends what waits for an answer. @cancellable: (nullable) */
void satchel_engine_set_cancellable(SatchelEngine *self, GCancellable *cancellable);

/* Errors of all that follow, where nothing else is said: SATCHEL_ERROR_FAILED, with the engine's
 * own words; SATCHEL_ERROR_CANCELLED where a cancellable was given. */

/* Has it answered the last request, and does it still? If not, then what failed says nothing about
 * what it was asked for. */
gboolean satchel_engine_answers(SatchelEngine *self);

/* Below /v1.40: @path with its query, made of what satchel_engine_escape() gave. A JSON value.
 * @absent: (out) (nullable): TRUE with NULL and no error where there is no such thing.
 * (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
SatchelJson *satchel_engine_get(SatchelEngine *self, const char *path, gboolean *absent,
				GError **error);

/* POST without a body, or DELETE. What is gone, or as it should be, already is no error. @limit_s:
 * how long the engine may take. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_engine_post(SatchelEngine *self, const char *path, guint limit_s, GError **error);
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_engine_delete(SatchelEngine *self, const char *path, guint limit_s,
			       GError **error);

/* A part of a path or of a query. (transfer full) */
char *satchel_engine_escape(const char *text);

/* Gives the next @n_bytes at most, 0 at the end, -1 with an error, which is passed on. */
typedef gssize (*SatchelEngineRead)(gpointer user_data, gpointer buffer, gsize n_bytes,
				    GError **error);

/**
 * satchel_engine_load:
 * @read: gives an archive of images, of exactly @total_bytes
 * @limit_s: for all of it, the engine's own work included
 *
 * Streams it: no more than one buffer of it is in memory. Where @read fails the engine has got no
 * whole archive and keeps no image.
 *
 * Errors: those of @read; SATCHEL_ERROR_TARGET_UNREADABLE where the engine is not there, goes away
 * or refuses it; SATCHEL_ERROR_CANCELLED.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_engine_load(SatchelEngine *self, SatchelEngineRead read, gpointer user_data,
			     guint64 total_bytes, guint limit_s, GCancellable *cancellable,
			     GError **error);

void satchel_engine_free(SatchelEngine *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelEngine, satchel_engine_free)
