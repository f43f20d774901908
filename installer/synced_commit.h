#pragma once
#include <ostree.h>

/*
 * The end of a libostree transaction, as durable as libostree makes it, with fewer flushes of the
 * drive.
 */

/**
 * satchel_synced_commit:
 * @repo: in a transaction that sets no ref; no other thread uses it
 *
 * When this returns TRUE, the objects are in place and on the drive. None has its name in the
 * repository before its content is on the drive. After FALSE the transaction may still be open.
 *
 * Errors: libostree's and GIO's.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_synced_commit(OstreeRepo *repo, GError **error);
