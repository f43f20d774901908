#pragma once
#include "packed_order.h"

/*
 * The content of a bundle's members, one after the other, read and hashed ahead of who writes it
 * by two threads of its own: reading and hashing take as long as writing. While it lives, the
 * bundle's reader is its own. Memory: a few MiB. Not thread-safe.
 */
typedef struct SatchelMemberFeed SatchelMemberFeed;

/* @bundle, @order: borrowed for the life of the feed; bundle-targets.json is passed over.
 * (transfer full) */
SatchelMemberFeed *satchel_member_feed_start(SatchelBundleReader *bundle,
					     const SatchelPackedOrder *order);

/**
 * satchel_member_feed_next:
 * @max_bytes: at least 1
 * @n_bytes: (out): how many there are, at least 1
 *
 * Errors: SATCHEL_ERROR_DOWNLOAD_FAILED where a member cannot be read or is not what the manifest
 * says; it may come before the bytes of that member do.
 *
 * Returns: bytes to be used before the next call; NULL with @error set
 */
G_GNUC_WARN_UNUSED_RESULT
const guint8 *satchel_member_feed_next(SatchelMemberFeed *self, gsize max_bytes, gsize *n_bytes,
				       GError **error);

/* After the last byte: TRUE when all members were what the manifest says. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_member_feed_finish(SatchelMemberFeed *self, GError **error);

/* At any time. */
void satchel_member_feed_free(SatchelMemberFeed *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelMemberFeed, satchel_member_feed_free)
