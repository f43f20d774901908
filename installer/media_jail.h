#pragma once
#include <satchel/error.h>

/*
 * A child process in which the content of a stick is parsed: what reads it there can do nothing
 * else.
 *
 * Where the caller is root, the child's root folder is the stick's, it is another user, and it can
 * never become anybody else. Everywhere it has no descriptor but the stick's folder, /dev/null and
 * a pipe, can open files for reading only, and can neither start a program nor reach a network; the
 * kernel enforces that by a filter of system calls. It keeps a copy of the caller's memory, so the
 * caller has no private key in it yet.
 */

/* Works in the child with the stick's root as the current folder; what it returns (nullable)
 * reaches the caller. */
typedef char *(*SatchelMediaWork)(gpointer user_data);

/* More than that is cut off in the child. */
#define SATCHEL_MEDIA_JAIL_BYTES (1024u * 1024u)

typedef struct {
	int root_fd;	  /* of the stick */
	const char *user; /* whom the child becomes; "nobody" where there is no such user */
	guint limit_s;	  /* after that it is killed */
} SatchelMediaJail;

/**
 * satchel_media_jail_run:
 *
 * Blocks until the child has ended.
 *
 * Errors: SATCHEL_ERROR_DOWNLOAD_FAILED ("the stick is unreadable") where it crashed, was killed or
 * gave nothing; SATCHEL_ERROR_FAILED where the child could not be shut in, and so did not begin.
 *
 * Returns: (transfer full): what @work gave, without a NUL byte, or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
char *satchel_media_jail_run(const SatchelMediaJail *jail, SatchelMediaWork work,
			     gpointer user_data, GError **error);
