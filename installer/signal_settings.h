#pragma once
#include "config.h"
#include "signal_table.h"

/* [signals] of satchel.toml(5): who is told what an update is at. Pure. */
typedef struct {
	char *leds[SATCHEL_N_LIGHTS]; /* (nullable): names below leds_path */
	char *leds_path;
	GStrv command;	   /* (nullable) */
	char *status_file; /* (nullable) */
	char *socket;	   /* (nullable): where somebody listens */
	char *journal;	   /* (nullable): the journal's socket */
	gboolean bus;
} SatchelSignalSettings;

/* Errors: SATCHEL_ERROR_USAGE, with file and line of the value. (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
SatchelSignalSettings *satchel_signal_settings_new(const SatchelConfig *config, GError **error);

void satchel_signal_settings_free(SatchelSignalSettings *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelSignalSettings, satchel_signal_settings_free)
