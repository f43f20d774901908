#pragma once
#include <glib.h>

/* The system calls that are left to the reader of a stick (media_jail.h): memory, reading below
 * its root folder, and writing to @pipe_fd. All others fail with EPERM, for good. FALSE where the
 * kernel does not take the filter; only async-signal-safe in so far as libseccomp is. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_media_filter_apply(int pipe_fd);
