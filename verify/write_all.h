#pragma once
#include <glib.h>

/**
 * satchel_write_all:
 *
 * Writes all of @data to @fd, however often the system takes a part of it only or a signal comes
 * between. FALSE with errno set; a part may have been written then.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_write_all(int fd, gconstpointer data, gsize n_bytes);
