#include "tuf_delegated.h"
#include "delegation.h"
#include "path_safety.h"
#include "tuf_source_stream.h"

struct SatchelTufDelegated {
	SatchelTrustStore *store;
	SatchelTufSource *source;
	SatchelTrustedSet *set;
	/* Role → GBytes, as it came in this run: a role that two roles delegate to is verified for
	 * each of them, and fetched once. */
	GHashTable *fetched;
};

SatchelTufDelegated *
satchel_tuf_delegated_new(SatchelTrustStore *store, SatchelTufSource *source,
			  SatchelTrustedSet *set)
{
	SatchelTufDelegated *self = g_new0(SatchelTufDelegated, 1);

	self->store = store;
	self->source = source;
	self->set = set;
	self->fetched = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
					      (GDestroyNotify)g_bytes_unref);
	return self;
}

static const SatchelTargets *
fetch_role(SatchelTufDelegated *self, const char *role, const SatchelTargets *delegator,
	   GError **error)
{
	SatchelRoot *root = satchel_trusted_set_get_root(self->set);
	const SatchelTargets *delegated = NULL;
	g_autoptr(GBytes) document = NULL;
	gint64 version = 0;
	gsize max_bytes = 0;

	if (!satchel_trusted_set_get_listed(self->set, role, SATCHEL_LIMIT_TARGETS_BYTES, &version,
					    &max_bytes, error))
		return NULL;
	if (!satchel_root_get_consistent_snapshot(root))
		version = 0;
	document = satchel_tuf_source_fetch_role(self->source, role, version, max_bytes, error);
	if (document == NULL)
		return NULL;
	g_hash_table_insert(self->fetched, g_strdup(role), g_bytes_ref(document));
	delegated =
		satchel_trusted_set_update_delegated(self->set, role, delegator, document, error);
	if (delegated == NULL || !satchel_trust_store_save(self->store, role, document, error))
		return NULL;
	return delegated;
}

/* From this run, from the store, or from the source, in this order. */
static const SatchelTargets *
load_role(SatchelTufDelegated *self, const char *role, const SatchelTargets *delegator,
	  GError **error)
{
	const SatchelTargets *delegated =
		satchel_trusted_set_get_delegated(self->set, role, delegator);
	GBytes *fetched = g_hash_table_lookup(self->fetched, role);
	g_autoptr(GError) local_error = NULL;
	g_autoptr(GBytes) stored = NULL;

	if (delegated != NULL)
		return delegated;
	if (fetched != NULL)
		return satchel_trusted_set_update_delegated(self->set, role, delegator, fetched,
							    error);
	stored = satchel_trust_store_load(self->store, role, SATCHEL_LIMIT_TARGETS_BYTES,
					  &local_error);
	if (local_error != NULL) {
		g_propagate_error(error, g_steal_pointer(&local_error));
		return NULL;
	}
	if (stored != NULL)
		delegated = satchel_trusted_set_update_delegated(self->set, role, delegator, stored,
								 &local_error);
	return delegated != NULL ? delegated : fetch_role(self, role, delegator, error);
}

static const SatchelTarget *
fail_not_found(const char *path, GError **error)
{
	g_autofree char *quoted = satchel_path_quote(path);

	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_TARGET_NOT_FOUND,
		    "%s: no role that may say so lists this target", quoted);
	return NULL;
}

const SatchelTarget *
satchel_tuf_delegated_find(SatchelTufDelegated *self, const char *path, GError **error)
{
	const SatchelTargets *targets = satchel_trusted_set_get_targets(self->set);
	const SatchelTarget *found = NULL;
	g_autoptr(SatchelDelegationWalk) walk = NULL;

	if (targets == NULL) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND,
			    "targets: not loaded; refresh first");
		return NULL;
	}
	found = satchel_targets_lookup(targets, path);
	if (found != NULL)
		return found;
	walk = satchel_delegation_walk_new(targets, path);
	for (;;) {
		const char *role = NULL;
		const SatchelTargets *delegator = NULL;
		const SatchelTargets *delegated = NULL;

		if (!satchel_delegation_walk_next(walk, &role, &delegator, error))
			return NULL;
		if (role == NULL)
			return fail_not_found(path, error);
		/* One that is missing or wrong ends the search: the next in line must not answer
		 * for it. TUF 5.6.7.2. */
		delegated = load_role(self, role, delegator, error);
		if (delegated == NULL)
			return NULL;
		found = satchel_targets_lookup(delegated, path);
		if (found != NULL)
			return found;
		satchel_delegation_walk_enter(walk, delegated);
	}
}

void
satchel_tuf_delegated_free(SatchelTufDelegated *self)
{
	if (self == NULL)
		return;
	g_hash_table_unref(self->fetched);
	g_free(self);
}
