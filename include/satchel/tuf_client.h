#pragma once
#include <satchel/metadata.h>
#include <satchel/trust_store.h>
#include <satchel/tuf_source.h>
#pragma GCC visibility push(default)

/*
 * The client workflow of TUF 1.0.34, section 5, over any source and store. One client is one run:
 * its time is fixed when it is made. Not thread-safe; several in one process do not disturb each
 * other.
 */
typedef struct SatchelTufClient SatchelTufClient;

/**
 * satchel_tuf_client_init:
 * @store: borrowed; empty, or one that has trusted @root before, so that every run may begin so
 * @root: the root that the caller vouches for, borrowed
 *
 * Trusts @root and stores it. Asks nothing of any source. A store whose root.json is damaged is
 * repaired from @root and the history.
 *
 * Errors: SATCHEL_ERROR_METADATA_INVALID where @root is no root signed by its own keys;
 * SATCHEL_ERROR_METADATA_FAILURE where the store trusts a root that does not come from @root (it is
 * left as it is), or cannot be written.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_tuf_client_init(SatchelTrustStore *store, GBytes *root, GError **error);

/**
 * satchel_tuf_client_new:
 * @store: borrowed; must outlive the client
 * @source: (nullable): borrowed; must outlive the client. Without one the client knows what is
 *   stored, and whatever would ask a source fails with SATCHEL_ERROR_METADATA_DOWNLOAD, or
 *   SATCHEL_ERROR_DOWNLOAD_FAILED for a target
 * @now_s: the run's one value of "now": the later of clock and floor
 *
 * Errors: SATCHEL_ERROR_METADATA_NOT_FOUND where the store has no trusted root;
 * SATCHEL_ERROR_METADATA_FAILURE where the stored root is damaged.
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelTufClient *satchel_tuf_client_new(SatchelTrustStore *store, SatchelTufSource *source,
					 gint64 now_s, GError **error);

/**
 * satchel_tuf_client_update_root:
 *
 * The first half of a refresh, for callers that need the newest root alone: follows N+1, N+2 … (at
 * most SATCHEL_LIMIT_ROOT_ROTATIONS), stores each, then checks the last one's expiry unless
 * @allow_expired.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_tuf_client_update_root(SatchelTufClient *self, gboolean allow_expired,
					GError **error);

/**
 * satchel_tuf_client_refresh:
 *
 * Root, timestamp, snapshot, targets, each stored as soon as it is verified. After an error the
 * store holds what was verified before it, and the next refresh goes on from there.
 *
 * Errors: SATCHEL_ERROR_METADATA_INVALID, _EXPIRED, _NOT_FOUND, _DOWNLOAD, _FAILURE; the message
 * names role, version and rule.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_tuf_client_refresh(SatchelTufClient *self, GError **error);

/**
 * satchel_tuf_client_load_stored:
 *
 * Like refresh, but from the store alone: what the device trusted last, verified again at @now_s.
 * Errors: as refresh; SATCHEL_ERROR_METADATA_NOT_FOUND where a role was never stored.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_tuf_client_load_stored(SatchelTufClient *self, GError **error);

/* Newest verified roles; NULL before they were. Borrowed until the client's next call. */
const SatchelRoot *satchel_tuf_client_get_root(const SatchelTufClient *self);
const SatchelTimestamp *satchel_tuf_client_get_timestamp(const SatchelTufClient *self);
const SatchelSnapshot *satchel_tuf_client_get_snapshot(const SatchelTufClient *self);
const SatchelTargets *satchel_tuf_client_get_targets(const SatchelTufClient *self);

/**
 * satchel_tuf_client_find_target:
 * @path: target path
 *
 * Searches the targets role and its delegations in order of trust (pre-order, terminating ones end
 * it), loading delegated roles as needed. TUF 5.6.7. Call after a refresh.
 *
 * Errors: SATCHEL_ERROR_TARGET_NOT_FOUND, and those of refresh.
 *
 * Returns: (transfer none): the entry, valid until the client is freed
 */
G_GNUC_WARN_UNUSED_RESULT
const SatchelTarget *satchel_tuf_client_find_target(SatchelTufClient *self, const char *path,
						    GError **error);

/**
 * satchel_tuf_client_download:
 * @target: from satchel_tuf_client_find_target()
 * @dir: existing folder; the artifact is placed in it by rename under its encoded path
 * @placed: (out) (nullable) (transfer full): where it is
 *
 * Length and every known hash are checked while streaming; a good copy that is there is not fetched
 * again; nothing is left behind on failure. TUF 5.7.
 *
 * Errors: SATCHEL_ERROR_DOWNLOAD_FAILED.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_tuf_client_download(SatchelTufClient *self, const SatchelTarget *target,
				     const char *dir, char **placed, GError **error);

void satchel_tuf_client_free(SatchelTufClient *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelTufClient, satchel_tuf_client_free)

#pragma GCC visibility pop
