#pragma once
#include <glib.h>

/* What the daemon keeps from one look to the next, so that it neither says nor does the same again
 * and again. Zero at first; for one thread at a time. */

/* Kinds of news, each remembered by itself. */
typedef enum {
	SATCHEL_COMMAND_NEWS_PLACE, /* there is nothing to look at */
	SATCHEL_COMMAND_NEWS_CHOICE,
	SATCHEL_COMMAND_NEWS_REMARKS,
	SATCHEL_COMMAND_NEWS_ERROR,
} SatchelCommandNews;
#define SATCHEL_COMMAND_N_NEWS (SATCHEL_COMMAND_NEWS_ERROR + 1)

typedef struct {
	char *said[SATCHEL_COMMAND_N_NEWS]; /* (nullable): the last one of each kind */
	char *pulled;			    /* (nullable): the commit that was pulled last */
	char *damaged;	     /* (nullable): what could not be pulled, and how its bundle looked */
	gint64 try_again_us; /* from when on it is pulled all the same; monotonic */
} SatchelCommandMemory;

/* Says @text on standard error, unless it was the last of its kind. */
void satchel_command_memory_say(SatchelCommandMemory *self, SatchelCommandNews kind,
				const char *text);
/* The next one of that kind is said, whatever it is. */
void satchel_command_memory_forget(SatchelCommandMemory *self, SatchelCommandNews kind);

/* What a pull of @commit from the bundle at @source would read, as far as file names, sizes, times
 * and inodes at the bundle's top and in its tuf/ tell. No content is read. (transfer full) */
char *satchel_command_memory_mark(const char *source, const char *commit);

/* @mark stands for content that is damaged or lacking: not to be pulled for an hour. */
void satchel_command_memory_note_damaged(SatchelCommandMemory *self, const char *mark);
/* TRUE as long as that holds. */
gboolean satchel_command_memory_is_damaged(const SatchelCommandMemory *self, const char *mark);

void satchel_command_memory_clear(SatchelCommandMemory *self);
