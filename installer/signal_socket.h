#pragma once
#include <glib.h>

/*
 * One message to somebody who listens on a socket of the file system, without ever waiting for
 * them.
 */

/* A line to a stream; connects where *@fd is -1, and leaves it at -1 where nobody takes it. */
void satchel_signal_socket_send_line(int *fd, const char *path, const char *line);

/*
 * A line to the systemd journal, in its native protocol: one datagram of NAME=value lines. That is
 * all that libsystemd would do here for a short text, so it is not linked for it. @fields: lines
 * without control characters, NULL-terminated.
 */
void satchel_signal_socket_log(const char *path, const char *const *fields);
