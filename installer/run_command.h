#pragma once
#include <gio/gio.h>
#include <satchel/error.h>

/*
 * Runs a program that somebody else wrote: the boot loader's tools, a configured callback. By its
 * arguments, never through a shell.
 */

typedef struct {
	const char *const *argv;	/* argv[0]: a path, or a name to look for in PATH */
	const char *const *environment; /* (nullable): exactly this one; NULL: the caller's */
	guint limit_s;			/* not 0; after that it and what it started are killed */
	GCancellable *cancellable;	/* (nullable): the same when it is cancelled */
} SatchelCommand;

/* Of each of the two streams this much is kept, and the rest read and dropped: who writes more is
 * not held up. */
#define SATCHEL_COMMAND_OUTPUT_BYTES (64u * 1024u)

typedef struct {
	int exit_status; /* 0 to 255 */
	char *output;	 /* what it wrote to stdout, up to the first NUL byte */
	char *messages;	 /* the same of stderr */
	gboolean cut;	 /* one of them was longer than is kept */
} SatchelCommandResult;

/**
 * satchel_run_command:
 * @result: (out): to be cleared; filled where the program ended by itself
 *
 * Runs it to its end: stdin is /dev/null, no other descriptor is open in it, no signal blocked or
 * ignored; a session of its own, so that it can be killed with all that it started. What it leaves
 * running behind its end is let be. An exit status other than 0 is a result, not an error.
 *
 * Errors: SATCHEL_ERROR_FAILED: it could not be started, took too long or was killed; the message
 * names the program. SATCHEL_ERROR_CANCELLED.
 * Blocks; callable from any thread.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_run_command(const SatchelCommand *command, SatchelCommandResult *result,
			     GError **error);

/* Why a program that ended with @result failed, in one line that is fit for a message: "NAME: exit
 * status 3: " and its last four lines that are not blank, with "; " between. (transfer full) */
char *satchel_command_result_explain(const SatchelCommandResult *result, const char *name);

void satchel_command_result_clear(SatchelCommandResult *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SatchelCommandResult, satchel_command_result_clear)
