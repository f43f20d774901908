#pragma once
#include "command_line.h"

/* What the commands have in common: the device, what is on offer, and how to stop. */
typedef struct {
	SatchelCommandLine line;
	SatchelDevice *device;	   /* (owned) */
	SatchelOffer *offer;	   /* (owned) (nullable) */
	GCancellable *cancellable; /* cancelled by SIGINT, SIGTERM and SIGHUP */
	gboolean done;		   /* there is nothing left to do: opening the device did it */
} SatchelCommandRun;

typedef enum {
	SATCHEL_COMMAND_CHECK,	 /* judges the bundle of --src-dir */
	SATCHEL_COMMAND_LIST,	 /* lists by stored metadata; writes nothing */
	SATCHEL_COMMAND_PULL,	 /* judges the bundle; no installation may be under way */
	SATCHEL_COMMAND_INSTALL, /* the same, by stored metadata where no bundle is given */
	SATCHEL_COMMAND_UPDATE,	 /* pull and install in one */
} SatchelCommandKind;

/* Opens the device for a command that takes neither bundle nor target, says what was worth a
 * remark, and shows its progress. Errors: as satchel_device_open(). */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_command_run_open(SatchelCommandRun *run, SatchelDeviceMode mode, GError **error);

/**
 * satchel_command_run_begin:
 * @run: (out caller-allocates): zero before
 * @outcome: (out): set where @run->done
 *
 * The opening steps of the commands that act on an offer: command line, device, no installation
 * under way, the offer.
 *
 * Errors: SATCHEL_ERROR_USAGE, those of opening the device and of making an offer,
 * SATCHEL_ERROR_INSTALLATION_IN_PROGRESS.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_command_run_begin(int argc, char **argv, SatchelCommandKind kind,
				   SatchelCommandRun *run, SatchelOutcome *outcome, GError **error);

/* Prints what is on offer, and gives what `check` and `list` come to.
 *
 * Errors: SATCHEL_ERROR_TARGET_NOT_FOUND, _ROLLBACK_TARGET_NOT_FOUND; the list is printed then,
 * too, for it is good. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_command_run_print(const SatchelCommandRun *run, SatchelOutcome *outcome,
				   GError **error);

/* Says what an installation came to. */
void satchel_command_run_tell_installed(const SatchelOstreeTarget *target, SatchelOutcome outcome);

void satchel_command_run_clear(SatchelCommandRun *run);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SatchelCommandRun, satchel_command_run_clear)
