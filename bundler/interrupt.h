#pragma once
#include <satchel/error.h>

/*
 * SIGINT, SIGTERM and SIGHUP ask long work to stop, so that it can clear away what it has begun.
 * satchel_interrupt_watch() once per process; the check is thread-safe.
 */
void satchel_interrupt_watch(void);

/* SATCHEL_ERROR_FAILED naming the signal, once one has come. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_interrupt_check(GError **error);
