#pragma once
#include "signal_settings.h"

/*
 * Tells people and programs what an update is at. Who is not there is not told; nothing that goes
 * wrong here is an error, for no update shall fail because of a lamp.
 */
typedef struct SatchelSignals SatchelSignals;

/* @settings: borrowed, must outlive it. (transfer full) */
SatchelSignals *satchel_signals_new(const SatchelSignalSettings *settings);

/* @percent: -1: none. @text: for people; NULL: none. What was told already is not told again. */
void satchel_signals_tell(SatchelSignals *self, SatchelSignalState state, int percent,
			  const char *text);

void satchel_signals_free(SatchelSignals *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelSignals, satchel_signals_free)
