#pragma once
#include "trusted_set.h"
#include <satchel/trust_store.h>
#include <satchel/tuf_source.h>

/*
 * The search through delegations with its input and output: the client's second half. TUF 5.6.7.
 * Fetches no role twice in its life. Not thread-safe.
 */
typedef struct SatchelTufDelegated SatchelTufDelegated;

/* All borrowed; they must outlive it. (transfer full) */
SatchelTufDelegated *satchel_tuf_delegated_new(SatchelTrustStore *store, SatchelTufSource *source,
					       SatchelTrustedSet *set);

/* As satchel_tuf_client_find_target(). Borrowed from the set. */
G_GNUC_WARN_UNUSED_RESULT
const SatchelTarget *satchel_tuf_delegated_find(SatchelTufDelegated *self, const char *path,
						GError **error);

void satchel_tuf_delegated_free(SatchelTufDelegated *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelTufDelegated, satchel_tuf_delegated_free)
