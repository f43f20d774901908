#include "digest.h"
#include "role_parse.h"
#include <string.h>

/* An edge of the graph of delegations that waits its turn. */
typedef struct {
	const SatchelTargets *delegator;     /* outlives the walk */
	const SatchelDelegation *delegation; /* borrowed from it */
} Edge;

struct SatchelDelegationWalk {
	char *path;
	char *path_sha256;
	GArray *stack;	     /* Edge; the next one is last */
	GHashTable *visited; /* GBytes: names of delegator and role */
};

/* Names have no NUL: the JSON reader refuses it. */
static GBytes *
edge_to_key(const Edge *edge)
{
	const char *delegator = satchel_targets_get_role(edge->delegator);
	GByteArray *key = g_byte_array_new();

	g_byte_array_append(key, (const guint8 *)delegator, strlen(delegator) + 1);
	g_byte_array_append(key, (const guint8 *)edge->delegation->name,
			    strlen(edge->delegation->name));
	return g_byte_array_free_to_bytes(key);
}

SatchelDelegationWalk *
satchel_delegation_walk_new(const SatchelTargets *targets, const char *path)
{
	SatchelDelegationWalk *self = g_new0(SatchelDelegationWalk, 1);

	self->path = g_strdup(path);
	self->path_sha256 = satchel_digest_sha256_hex(path, strlen(path));
	self->stack = g_array_new(FALSE, FALSE, sizeof(Edge));
	self->visited = g_hash_table_new_full(g_bytes_hash, g_bytes_equal,
					      (GDestroyNotify)g_bytes_unref, NULL);
	satchel_delegation_walk_enter(self, targets);
	return self;
}

void
satchel_delegation_walk_enter(SatchelDelegationWalk *self, const SatchelTargets *delegated)
{
	const SatchelDelegations *delegations = satchel_targets_get_delegations(delegated);
	guint n_roles = delegations == NULL ? 0 : satchel_delegations_get_n_roles(delegations);
	g_autoptr(GArray) matching = g_array_new(FALSE, FALSE, sizeof(Edge));

	for (guint i = 0; i < n_roles; i++) {
		Edge edge = {delegated, satchel_delegations_get_role(delegations, i)};

		if (!satchel_delegation_matches(edge.delegation, self->path, self->path_sha256))
			continue;
		g_array_append_val(matching, edge);
		/* Nobody behind a terminating delegation is asked, neither here nor further up.
		 * TUF 5.6.7.2.1. */
		if (edge.delegation->terminating) {
			g_array_set_size(self->stack, 0);
			break;
		}
	}
	for (guint i = matching->len; i > 0; i--)
		g_array_append_val(self->stack, g_array_index(matching, Edge, i - 1));
}

gboolean
satchel_delegation_walk_next(SatchelDelegationWalk *self, const char **role,
			     const SatchelTargets **delegator, GError **error)
{
	*role = NULL;
	*delegator = NULL;
	while (self->stack->len > 0) {
		Edge edge = g_array_index(self->stack, Edge, self->stack->len - 1);
		g_autoptr(GBytes) key = edge_to_key(&edge);

		g_array_set_size(self->stack, self->stack->len - 1);
		if (g_hash_table_contains(self->visited, key))
			continue;
		if (g_hash_table_size(self->visited) >= SATCHEL_LIMIT_DELEGATIONS) {
			g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
				    "the search leads to more than %u delegated roles",
				    SATCHEL_LIMIT_DELEGATIONS);
			return FALSE;
		}
		g_hash_table_add(self->visited, g_steal_pointer(&key));
		*role = edge.delegation->name;
		*delegator = edge.delegator;
		return TRUE;
	}
	return TRUE;
}

void
satchel_delegation_walk_free(SatchelDelegationWalk *self)
{
	g_free(self->path);
	g_free(self->path_sha256);
	g_array_unref(self->stack);
	g_hash_table_unref(self->visited);
	g_free(self);
}
