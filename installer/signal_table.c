#include "signal_table.h"

/* Priorities of syslog(3). */
#define NOTICE 5u
#define WARNING 4u
#define ERR 3u

#define OFF SATCHEL_LED_OFF
#define ON SATCHEL_LED_ON
#define BLINK SATCHEL_LED_BLINK

/*                         working, safe, failed */
static const SatchelSignalRow table[] = {
	[SATCHEL_SIGNAL_IDLE] = {"idle",
				 "c3b9e2fd0b1f4d6f9a4f5a1c6d1e0a01",
				 NOTICE,
				 {OFF, OFF, OFF}},
	[SATCHEL_SIGNAL_CHECKING] = {"checking",
				     "c3b9e2fd0b1f4d6f9a4f5a1c6d1e0a02",
				     NOTICE,
				     {BLINK, OFF, OFF}},
	[SATCHEL_SIGNAL_COPYING] = {"copying",
				    "c3b9e2fd0b1f4d6f9a4f5a1c6d1e0a03",
				    NOTICE,
				    {BLINK, OFF, OFF}},
	[SATCHEL_SIGNAL_SAFE] = {"safe-to-remove",
				 "c3b9e2fd0b1f4d6f9a4f5a1c6d1e0a04",
				 NOTICE,
				 {BLINK, ON, OFF}},
	[SATCHEL_SIGNAL_INSTALLING] = {"installing",
				       "c3b9e2fd0b1f4d6f9a4f5a1c6d1e0a05",
				       NOTICE,
				       {BLINK, ON, OFF}},
	[SATCHEL_SIGNAL_REBOOTING] = {"rebooting",
				      "c3b9e2fd0b1f4d6f9a4f5a1c6d1e0a06",
				      NOTICE,
				      {BLINK, ON, OFF}},
	[SATCHEL_SIGNAL_DONE] = {"done",
				 "c3b9e2fd0b1f4d6f9a4f5a1c6d1e0a07",
				 NOTICE,
				 {OFF, ON, OFF}},
	[SATCHEL_SIGNAL_REFUSED] = {"refused",
				    "c3b9e2fd0b1f4d6f9a4f5a1c6d1e0a08",
				    WARNING,
				    {OFF, OFF, BLINK}},
	[SATCHEL_SIGNAL_FAILED] = {"failed",
				   "c3b9e2fd0b1f4d6f9a4f5a1c6d1e0a09",
				   ERR,
				   {OFF, OFF, ON}},
};

const SatchelSignalRow *
satchel_signal_table_get(SatchelSignalState state)
{
	return &table[state];
}

SatchelSignalNews
satchel_signal_memory_take(SatchelSignalMemory *self, SatchelSignalState state, int percent)
{
	SatchelSignalNews news = SATCHEL_SIGNAL_NO_NEWS;

	if (!self->told || self->state != state)
		news = SATCHEL_SIGNAL_TRANSITION;
	/* A total that is corrected on the way would make it go back. */
	else if (percent > self->percent)
		news = SATCHEL_SIGNAL_PROGRESS;
	else
		return news;
	self->told = TRUE;
	self->state = state;
	self->percent = percent;
	return news;
}

char *
satchel_signal_line(SatchelSignalState state, int percent, const char *text)
{
	const char *name = table[state].name;

	if (percent < 0)
		return *text == '\0' ? g_strdup(name) : g_strdup_printf("%s: %s", name, text);
	return *text == '\0' ? g_strdup_printf("%s %d%%", name, percent)
			     : g_strdup_printf("%s %d%%: %s", name, percent, text);
}
