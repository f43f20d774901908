#pragma once
#include <gio/gio.h>
#include <satchel/error.h>

/*
 * A process in which the content of a stick is parsed: what reads it there can do nothing else.
 *
 * It is a program that is started anew, and no copy of the caller: there is nothing of the caller's
 * memory in it, and no lock that another thread of the caller's held. Where the caller is root, the
 * reader's root folder is the stick's, it is another user, and it can never become anybody else.
 * Everywhere it has no descriptor but the stick's folder, /dev/null and a pipe, can open files for
 * reading only, and can neither start a program nor reach a network; the kernel enforces that by a
 * filter of system calls. Memory and processor time are bounded, so that content which unpacks to
 * any size takes the reader with it and not the device.
 */

/* First argument of a program that is to be a reader; media_reader.h has the others. */
#define SATCHEL_MEDIA_READER_WORD "--read-stick"

/* More than that is not taken from it. */
#define SATCHEL_MEDIA_JAIL_BYTES (1024u * 1024u)

typedef struct {
	const char *program; /* without a slash: in PATH */
	int root_fd;	     /* of the stick */
	gint64 end_us;	     /* of the monotonic clock: after that it is killed */
	GCancellable *cancellable;
} SatchelMediaJail;

/**
 * satchel_media_jail_run:
 * @arguments: of the reader, after SATCHEL_MEDIA_READER_WORD
 *
 * Starts a reader, and blocks until it has ended.
 *
 * Errors: SATCHEL_ERROR_DOWNLOAD_FAILED ("the stick is unreadable") where it crashed, was killed or
 * gave nothing; SATCHEL_ERROR_FAILED where it could not be shut in, and so did not begin;
 * SATCHEL_ERROR_CANCELLED.
 *
 * Returns: (transfer full): what the reader gave, without a NUL byte, or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
char *satchel_media_jail_run(const SatchelMediaJail *jail, const char *const *arguments,
			     GError **error);

/* ---- in the reader */

/* Before anything else: the reader ends with whoever waits for it, and what it opens from here on
 * has none of the numbers that it was given. */
void satchel_media_jail_prepare(void);

/**
 * satchel_media_jail_enter:
 * @user: whom the reader becomes; "nobody" where there is no such user
 * @limit_s: of processor time
 *
 * From here on the stick's root is the current folder, and all that is left. FALSE: it is not shut
 * in, and must not begin.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_media_jail_enter(const char *user, guint limit_s);

/* @result: (nullable): what reaches the caller. Nothing is cleaned up. */
void satchel_media_jail_leave(const char *result) G_GNUC_NORETURN;

/* The same for a reader that does not begin, and was not shut in; no word of it is the stick's. */
void satchel_media_jail_stay_out(const char *result) G_GNUC_NORETURN;
