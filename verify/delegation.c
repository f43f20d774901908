#include "delegation.h"
#include "path_pattern.h"
#include "path_safety.h"

struct SatchelDelegations {
	GPtrArray *roles;    /* SatchelDelegation, in order of trust */
	GHashTable *by_name; /* borrowed from roles */
};

static void
delegation_free(gpointer data)
{
	SatchelDelegation *self = data;

	g_free(self->name);
	g_clear_pointer(&self->keys, satchel_role_keys_unref);
	g_strfreev(self->paths);
	g_strfreev(self->path_hash_prefixes);
	g_free(self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelDelegation, delegation_free)

static gboolean
fail(GError **error, const char *reason)
{
	g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID, reason);
	return FALSE;
}

/* A delegated role must never be taken for one that root appoints. */
static gboolean
name_is_reserved(const char *name)
{
	static const char *const reserved[] = {"root", "timestamp", "snapshot", "targets"};

	for (guint i = 0; i < G_N_ELEMENTS(reserved); i++)
		if (g_ascii_strcasecmp(name, reserved[i]) == 0)
			return TRUE;
	return FALSE;
}

static gboolean
check_name(const char *name, GError **error)
{
	if (*name == '\0')
		return fail(error, "a delegated role has an empty name");
	if (strlen(name) > SATCHEL_LIMIT_NAME_BYTES) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
			    "a delegated role's name is longer than %u bytes",
			    SATCHEL_LIMIT_NAME_BYTES);
		return FALSE;
	}
	if (name_is_reserved(name))
		return fail(error, "a delegated role has the name of a top-level role");
	return TRUE;
}

static gboolean
check_prefixes(const char *const *prefixes, GError **error)
{
	for (; *prefixes != NULL; prefixes++) {
		gsize n_digits = strlen(*prefixes);

		if (n_digits < 1 || n_digits > 64 ||
		    strspn(*prefixes, "0123456789abcdef") != n_digits)
			return fail(error, "'path_hash_prefixes' has what is no prefix of a "
					   "SHA-256 in lower-case hex");
	}
	return TRUE;
}

/* Which paths: one of both ways. With both or none, readers would differ in what they mean. */
static gboolean
delegation_parse_paths(SatchelDelegation *self, const json_t *role, GError **error)
{
	gboolean has_paths = json_object_get(role, "paths") != NULL;
	gboolean has_prefixes = json_object_get(role, "path_hash_prefixes") != NULL;

	if (has_paths == has_prefixes)
		return fail(error, "exactly one of 'paths' and 'path_hash_prefixes' must be there");
	if (has_paths) {
		self->paths = satchel_json_get_strv(role, "paths", error);
		return self->paths != NULL;
	}
	self->path_hash_prefixes = satchel_json_get_strv(role, "path_hash_prefixes", error);
	return self->path_hash_prefixes != NULL &&
	       check_prefixes((const char *const *)self->path_hash_prefixes, error);
}

static gboolean
delegation_parse_terminating(SatchelDelegation *self, const json_t *role, SatchelDialect dialect,
			     GError **error)
{
	const json_t *terminating = json_object_get(role, "terminating");

	if (terminating == NULL && dialect == SATCHEL_DIALECT_UPTANE)
		return TRUE;
	if (!json_is_boolean(terminating))
		return fail(error, "'terminating' is no boolean");
	self->terminating = json_is_true(terminating);
	return TRUE;
}

static SatchelDelegation *
delegation_parse(SatchelRoleKeyTable *keys, const json_t *role, SatchelDialect dialect,
		 GError **error)
{
	g_autoptr(SatchelDelegation) self = g_new0(SatchelDelegation, 1);
	const char *name;

	if (!json_is_object(role)) {
		fail(error, "'roles' has what is no object");
		return NULL;
	}
	name = satchel_json_get_string(role, "name", error);
	if (name == NULL || !check_name(name, error))
		return NULL;
	self->name = g_strdup(name);
	self->keys = satchel_role_keys_new_from_table(keys, role, error);
	if (self->keys == NULL || !delegation_parse_paths(self, role, error) ||
	    !delegation_parse_terminating(self, role, dialect, error)) {
		g_autofree char *quoted = satchel_path_quote(name);

		g_prefix_error(error, "delegated role %s: ", quoted);
		return NULL;
	}
	return g_steal_pointer(&self);
}

static gboolean
delegations_add(SatchelDelegations *self, SatchelDelegation *role, GError **error)
{
	/* The array frees it, whatever comes. */
	g_ptr_array_add(self->roles, role);
	if (g_hash_table_insert(self->by_name, role->name, role))
		return TRUE;
	return fail(error, "a role is delegated to twice");
}

SatchelDelegations *
satchel_delegations_parse(json_t *delegations, SatchelDialect dialect, GError **error)
{
	g_autoptr(SatchelDelegations) self = g_new0(SatchelDelegations, 1);
	g_autoptr(SatchelRoleKeyTable) table = NULL;
	const json_t *keys, *roles;
	gsize i;
	json_t *value;

	self->roles = g_ptr_array_new_with_free_func(delegation_free);
	self->by_name = g_hash_table_new(g_str_hash, g_str_equal);
	/* aktualizr's servers write an empty object where nobody is delegated to. */
	if (dialect == SATCHEL_DIALECT_UPTANE && json_object_size(delegations) == 0)
		return g_steal_pointer(&self);
	if (json_object_get(delegations, "succinct_roles") != NULL) {
		fail(error, "'succinct_roles' (TAP 15) is not supported");
		return NULL;
	}
	keys = satchel_json_get_object(delegations, "keys", error);
	if (keys == NULL)
		return NULL;
	table = satchel_role_key_table_new(keys, dialect, error);
	if (table == NULL)
		return NULL;
	roles = satchel_json_get_array(delegations, "roles", error);
	if (roles == NULL)
		return NULL;
	json_array_foreach(roles, i, value)
	{
		SatchelDelegation *role = delegation_parse(table, value, dialect, error);

		if (role == NULL || !delegations_add(self, role, error))
			return NULL;
	}
	return g_steal_pointer(&self);
}

guint
satchel_delegations_get_n_roles(const SatchelDelegations *self)
{
	return self->roles->len;
}

const SatchelDelegation *
satchel_delegations_get_role(const SatchelDelegations *self, guint index)
{
	return g_ptr_array_index(self->roles, index);
}

const SatchelDelegation *
satchel_delegations_lookup(const SatchelDelegations *self, const char *name)
{
	return g_hash_table_lookup(self->by_name, name);
}

gboolean
satchel_delegation_matches(const SatchelDelegation *self, const char *path, const char *path_sha256)
{
	for (guint i = 0; self->paths != NULL && self->paths[i] != NULL; i++)
		if (satchel_path_pattern_matches(self->paths[i], path))
			return TRUE;
	for (guint i = 0; self->path_hash_prefixes != NULL && self->path_hash_prefixes[i] != NULL;
	     i++)
		if (g_str_has_prefix(path_sha256, self->path_hash_prefixes[i]))
			return TRUE;
	return FALSE;
}

void
satchel_delegations_free(SatchelDelegations *self)
{
	g_hash_table_unref(self->by_name);
	g_ptr_array_unref(self->roles);
	g_free(self);
}
