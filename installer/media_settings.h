#pragma once
#include "config.h"

/* [media] of satchel.toml(5): what happens when a stick is inserted. Pure. */

typedef struct {
	guint begin_min, end_min; /* of the day; the same: none */
} SatchelQuietHours;

typedef struct {
	gboolean enabled;
	gboolean automatic; /* FALSE: what a stick has is only told */
	gboolean reboot;
	gboolean receipt; /* one is written onto the stick */
	GStrv file_systems;
	GStrv signers;	       /* (nullable): keyids, one of which must have signed */
	char *user;	       /* whom the reader of a stick becomes */
	char *run_dir;	       /* what needs to last until the next boot only */
	char *approval_file;   /* (nullable) */
	char *approval_switch; /* (nullable): a file whose content tells how a key switch stands */
	char *approval_switch_value;
	GStrv approval_command; /* (nullable) */
	GStrv check_command;	/* (nullable) */
	guint64 command_limit_s;
	SatchelQuietHours quiet;
	char *battery_file;	 /* (nullable): holds a charge in percent */
	guint64 battery_percent; /* the lowest that will do */
} SatchelMediaSettings;

/* Errors: SATCHEL_ERROR_USAGE, with file and line of the value. (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
SatchelMediaSettings *satchel_media_settings_new(const SatchelConfig *config, GError **error);

/* "22:00-06:30"; "" is none. FALSE where it is of another form. */
gboolean satchel_quiet_hours_parse(const char *text, SatchelQuietHours *quiet);
/* @min: of the day. The hours may reach over midnight; the last minute is not in them. */
gboolean satchel_quiet_hours_contain(const SatchelQuietHours *quiet, guint min);

void satchel_media_settings_free(SatchelMediaSettings *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelMediaSettings, satchel_media_settings_free)
