#pragma once
#include <glib.h>

/*
 * What people see of an update, in one table: everything that shows a state is driven by it. Pure.
 */
typedef enum {
	SATCHEL_SIGNAL_IDLE,
	SATCHEL_SIGNAL_CHECKING,
	SATCHEL_SIGNAL_COPYING, /* with a percentage */
	SATCHEL_SIGNAL_SAFE,	/* the stick may be removed */
	SATCHEL_SIGNAL_INSTALLING,
	SATCHEL_SIGNAL_REBOOTING,
	SATCHEL_SIGNAL_DONE,
	SATCHEL_SIGNAL_REFUSED,
	SATCHEL_SIGNAL_FAILED,
} SatchelSignalState;
#define SATCHEL_SIGNAL_LAST SATCHEL_SIGNAL_FAILED

typedef enum { SATCHEL_LED_OFF, SATCHEL_LED_ON, SATCHEL_LED_BLINK } SatchelLedMode;

/* The lights that a device may have; one lamp may be any of them. */
typedef enum { SATCHEL_LIGHT_WORKING, SATCHEL_LIGHT_SAFE, SATCHEL_LIGHT_FAILED } SatchelLight;
#define SATCHEL_N_LIGHTS 3

typedef struct {
	const char *name;	/* "safe-to-remove": never changes, for scripts */
	const char *message_id; /* of its line in the journal: never changes */
	guint priority;		/* of syslog(3) */
	SatchelLedMode lights[SATCHEL_N_LIGHTS];
} SatchelSignalRow;

const SatchelSignalRow *satchel_signal_table_get(SatchelSignalState state);

/* What was told last. Zero: nothing yet. */
typedef struct {
	gboolean told;
	SatchelSignalState state;
	int percent;
} SatchelSignalMemory;

typedef enum {
	SATCHEL_SIGNAL_NO_NEWS,
	SATCHEL_SIGNAL_PROGRESS, /* the same state, some percent further */
	SATCHEL_SIGNAL_TRANSITION,
} SatchelSignalNews;

/* @percent: 0 to 100, or -1: unknown, or no matter of this state. What it gives is told now. */
SatchelSignalNews satchel_signal_memory_take(SatchelSignalMemory *self, SatchelSignalState state,
					     int percent);

/* "copying 43%: board-lmp-2". (transfer full) */
char *satchel_signal_line(SatchelSignalState state, int percent, const char *text);
