#pragma once
#include <satchel/error.h>
#include <satchel/limits.h>
#include <satchel/ostree_target.h>

/*
 * What the device remembers between runs: what runs, what is being installed, what never worked.
 * A value; satchel_state_file_*() keeps it on disk. Pure.
 */

typedef struct {
	char *name;
	char *uri;
} SatchelStateApp;

/* A target as it was when it was installed; the metadata may have moved on since. Immutable. */
typedef struct {
	char *name;
	gint64 version;	       /* -1: none */
	gint64 lowest_version; /* the floor that it named; 0: none */
	char *commit;
	GPtrArray *apps;  /* SatchelStateApp, by name */
	gboolean untried; /* the system runs, and nobody has seen its apps run */
} SatchelStateTarget;

/* Without apps and floor. (transfer full) */
SatchelStateTarget *satchel_state_target_new_from_parts(const char *name, gint64 version,
							const char *commit);
void satchel_state_target_add_app(SatchelStateTarget *self, const char *name, const char *uri);
/* (transfer full) */
SatchelStateTarget *satchel_state_target_new(const SatchelOstreeTarget *target);
/* The same names and URIs. */
gboolean satchel_state_target_has_same_apps(const SatchelStateTarget *one,
					    const SatchelStateTarget *other);
SatchelStateTarget *satchel_state_target_copy(const SatchelStateTarget *self);
void satchel_state_target_free(SatchelStateTarget *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelStateTarget, satchel_state_target_free)

typedef enum {
	SATCHEL_STATE_EVENT_DEPLOYED, /* in place, not started yet */
	SATCHEL_STATE_EVENT_WORKING,  /* started, confirmed */
	SATCHEL_STATE_EVENT_FAILED,
} SatchelStateEventKind;

typedef struct {
	SatchelStateEventKind kind;
	gint64 at_s;
	char *name;
	gint64 version;
	char *commit;
	char *reason; /* NULL: none */
	char *bundle; /* SHA-256 of the bundle's metadata; NULL: none */
} SatchelStateEvent;

/* What the device came with, whose name nobody knows; and what is found deployed without a name. */
#define SATCHEL_STATE_INITIAL_NAME "Initial Target"
#define SATCHEL_STATE_UNKNOWN_NAME "Unknown Target"

/* Events beyond this are forgotten, oldest first. */
#define SATCHEL_STATE_MAX_EVENTS 256u
/* Failing targets beyond this are forgotten, oldest first. */
#define SATCHEL_STATE_MAX_FAILING 256u

typedef struct {
	SatchelStateTarget *current;	/* confirmed; NULL: what runs was never installed by us */
	SatchelStateTarget *rollback;	/* confirmed before current; NULL: none */
	SatchelStateTarget *installing; /* begun, not known to be deployed */
	SatchelStateTarget *pending;	/* deployed, not confirmed; never with installing */
	char *from_commit;		/* what ran when installing or pending began */
	char *bundle;			/* SHA-256 of the metadata of the bundle it came from */
	gint64 lowest_version;		/* highest floor of what was ever current; 0: none */
	GPtrArray *failing;		/* SatchelStateTarget: tried, never worked */
	GPtrArray *events;		/* SatchelStateEvent, oldest first */
} SatchelState;

/* A device that knows nothing. (transfer full) */
SatchelState *satchel_state_new(void);

/* The form of the document. A reader that finds a higher number must not guess. */
#define SATCHEL_STATE_FORMAT 1

/* What a document says of its form, also where it is of one that this program does not know; 0: it
 * is no such document. */
gint64 satchel_state_read_format(GBytes *document);

/**
 * satchel_state_parse:
 * @document: at most SATCHEL_LIMIT_STATE_BYTES, borrowed
 *
 * Errors: SATCHEL_ERROR_FAILED: not of the form of schemas/installer-state.schema.json.
 *
 * Returns: (transfer full): the state, or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelState *satchel_state_parse(GBytes *document, GError **error);

/* The same bytes for the same state. (transfer full) */
GBytes *satchel_state_serialize(const SatchelState *self);

/* Before anything is deployed: so that a power cut is seen as what it is.
 * @bundle: (nullable): SHA-256 of the bundle's metadata */
void satchel_state_begin(SatchelState *self, const SatchelStateTarget *target,
			 const char *from_commit, const char *bundle);
/* The target of satchel_state_begin() is deployed. */
void satchel_state_deployed(SatchelState *self, gint64 now_s);
/* The pending target runs: it is current, and what was current is where a rollback leads. */
void satchel_state_working(SatchelState *self, gint64 now_s);
/* What was begun or pending did not come to run: it is failing, current stays. */
void satchel_state_failed(SatchelState *self, gint64 now_s, const char *reason);
/* The same through no fault of its own: it is not failing and may be tried again. */
void satchel_state_put_off(SatchelState *self, gint64 now_s, const char *reason);
/* @target worked once and is not wanted any more: it is failing. */
void satchel_state_reject(SatchelState *self, const SatchelStateTarget *target, gint64 now_s,
			  const char *reason);
/* What was begun left no trace; it may be tried again. */
void satchel_state_abandon(SatchelState *self);
/* @target runs already, without a deployment of its own. */
void satchel_state_adopt(SatchelState *self, const SatchelStateTarget *target, gint64 now_s);

/* For what the device learns of its past from others: @target enters the history only. */
void satchel_state_add_event(SatchelState *self, SatchelStateEventKind kind, gint64 at_s,
			     const SatchelStateTarget *target, const char *reason);

gboolean satchel_state_is_failing(const SatchelState *self, const char *name, const char *commit);

void satchel_state_free(SatchelState *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelState, satchel_state_free)
