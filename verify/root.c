#include "root_keys.h"
#include "signed_role.h"
#include <satchel/limits.h>

static const char *const ROOT_ROLES[] = {"root", "timestamp", "snapshot", "targets"};

struct SatchelRoot {
	GBytes *bytes;
	SatchelDialect dialect;
	gint64 version;
	gint64 expires_s;
	gboolean consistent_snapshot;
	SatchelRoleKeys *roles[G_N_ELEMENTS(ROOT_ROLES)];
};

static gboolean
role_is_named(const char *name, const char *role, SatchelDialect dialect)
{
	/* aktualizr lower-cases role names before it compares them. */
	if (dialect == SATCHEL_DIALECT_UPTANE)
		return g_ascii_strcasecmp(name, role) == 0;
	return strcmp(name, role) == 0;
}

/* The one member of `roles` for @role: two spellings of one name would let readers differ. */
static const json_t *
find_role(json_t *roles, const char *role, SatchelDialect dialect, GError **error)
{
	const json_t *found = NULL;
	const char *name;
	json_t *value;

	json_object_foreach(roles, name, value)
	{
		if (!role_is_named(name, role, dialect))
			continue;
		if (found != NULL) {
			g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
				    "'roles' has two spellings of %s", role);
			return NULL;
		}
		found = value;
	}
	if (found == NULL)
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
			    "'roles' lacks %s", role);
	return found;
}

static gboolean
root_parse_roles(SatchelRoot *self, const json_t *signed_, GError **error)
{
	const json_t *keys = satchel_json_get_object(signed_, "keys", error);
	json_t *roles = NULL;

	if (keys == NULL)
		return FALSE;
	roles = satchel_json_get_object(signed_, "roles", error);
	if (roles == NULL)
		return FALSE;
	for (guint i = 0; i < G_N_ELEMENTS(ROOT_ROLES); i++) {
		const json_t *role = find_role(roles, ROOT_ROLES[i], self->dialect, error);

		if (role == NULL)
			return FALSE;
		self->roles[i] = satchel_role_keys_new(keys, role, self->dialect, error);
		if (self->roles[i] == NULL) {
			g_prefix_error(error, "role %s: ", ROOT_ROLES[i]);
			return FALSE;
		}
	}
	return TRUE;
}

/* Optional, FALSE where it is left out. aktualizr never looks at it. */
static gboolean
root_parse_consistent_snapshot(SatchelRoot *self, const json_t *signed_, GError **error)
{
	const json_t *value = json_object_get(signed_, "consistent_snapshot");

	if (self->dialect == SATCHEL_DIALECT_UPTANE || value == NULL)
		return TRUE;
	if (!json_is_boolean(value)) {
		g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
				    "'consistent_snapshot' is no boolean");
		return FALSE;
	}
	self->consistent_snapshot = json_is_true(value);
	return TRUE;
}

static SatchelRoot *
root_new(const SatchelSignedDocument *document, SatchelDialect dialect, GError **error)
{
	g_autoptr(SatchelRoot) self = g_atomic_rc_box_new0(SatchelRoot);

	self->bytes = g_bytes_ref(document->bytes);
	self->dialect = dialect;
	self->version = document->version;
	self->expires_s = document->expires_s;
	if (!root_parse_consistent_snapshot(self, document->signed_, error) ||
	    !root_parse_roles(self, document->signed_, error)) {
		satchel_signed_role_prefix_error(error, "root", document->version);
		return NULL;
	}
	return g_steal_pointer(&self);
}

/* `_type` is `root` in one dialect and `Root` in the other. All else is looked at once that is
 * known. */
static gboolean
detect_dialect(GBytes *bytes, SatchelDialect *dialect, GError **error)
{
	g_autoptr(SatchelJson) tree = NULL;
	const json_t *signed_ = NULL;
	const char *type = NULL;

	if (g_bytes_get_size(bytes) > SATCHEL_LIMIT_ROOT_BYTES) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
			    "root: longer than %u bytes", SATCHEL_LIMIT_ROOT_BYTES);
		return FALSE;
	}
	tree = satchel_json_parse(bytes, error);
	if (tree != NULL)
		signed_ = satchel_json_get_object(tree, "signed", error);
	if (signed_ != NULL)
		type = satchel_json_get_string(signed_, "_type", error);
	if (type == NULL) {
		g_prefix_error_literal(error, "root: ");
		return FALSE;
	}
	/* Anything else is refused as no root of the tuf dialect. */
	*dialect = strcmp(type, "Root") == 0 ? SATCHEL_DIALECT_UPTANE : SATCHEL_DIALECT_TUF;
	return TRUE;
}

static gboolean
signed_by(const SatchelSignedDocument *document, const SatchelRoot *root, GError **error)
{
	g_autofree char *signers = g_strdup_printf("root %" G_GINT64_FORMAT, root->version);

	return satchel_signed_role_verify(document, "root",
					  satchel_root_get_role_keys(root, "root"), signers, error);
}

SatchelRoot *
satchel_root_new_trusted(GBytes *document, GError **error)
{
	g_autoptr(SatchelSignedDocument) parsed = NULL;
	g_autoptr(SatchelRoot) self = NULL;
	SatchelDialect dialect;

	g_return_val_if_fail(document != NULL, NULL);

	if (!detect_dialect(document, &dialect, error))
		return NULL;
	parsed = satchel_signed_role_parse(document, "root", "root", SATCHEL_LIMIT_ROOT_BYTES,
					   dialect, error);
	if (parsed == NULL)
		return NULL;
	self = root_new(parsed, dialect, error);
	if (self == NULL || !signed_by(parsed, self, error))
		return NULL;
	return g_steal_pointer(&self);
}

SatchelRoot *
satchel_root_advance(const SatchelRoot *trusted, GBytes *candidate, GError **error)
{
	g_autoptr(SatchelSignedDocument) parsed = NULL;
	g_autoptr(SatchelRoot) next = NULL;

	g_return_val_if_fail(trusted != NULL && candidate != NULL, NULL);

	/* In the trusted root's dialect: a repository never mixes. */
	parsed = satchel_signed_role_parse(candidate, "root", "root", SATCHEL_LIMIT_ROOT_BYTES,
					   trusted->dialect, error);
	/* Old keys prove the owner agreed; new keys prove somebody holds them. TUF 5.3.4. */
	if (parsed == NULL || !signed_by(parsed, trusted, error))
		return NULL;
	next = root_new(parsed, trusted->dialect, error);
	if (next == NULL || !signed_by(parsed, next, error))
		return NULL;
	/* Subtract, so that the largest version cannot wrap the sum. TUF 5.3.5. */
	if (next->version - 1 != trusted->version) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
			    "root %" G_GINT64_FORMAT ": cannot follow root %" G_GINT64_FORMAT,
			    next->version, trusted->version);
		return NULL;
	}
	return g_steal_pointer(&next);
}

gboolean
satchel_root_check_expiry(const SatchelRoot *self, gint64 now_s, GError **error)
{
	return satchel_signed_role_check_expiry("root", self->version, self->expires_s, now_s,
						error);
}

const SatchelRoleKeys *
satchel_root_get_role_keys(const SatchelRoot *self, const char *role)
{
	for (guint i = 0; i < G_N_ELEMENTS(ROOT_ROLES); i++)
		if (strcmp(role, ROOT_ROLES[i]) == 0)
			return self->roles[i];
	g_return_val_if_reached(NULL);
}

gboolean
satchel_root_same_role_keys(const SatchelRoot *a, const SatchelRoot *b, const char *role)
{
	return satchel_role_keys_equal(satchel_root_get_role_keys(a, role),
				       satchel_root_get_role_keys(b, role));
}

SatchelDialect
satchel_root_get_dialect(const SatchelRoot *self)
{
	return self->dialect;
}

gint64
satchel_root_get_version(const SatchelRoot *self)
{
	return self->version;
}

gint64
satchel_root_get_expires_s(const SatchelRoot *self)
{
	return self->expires_s;
}

gboolean
satchel_root_get_consistent_snapshot(const SatchelRoot *self)
{
	return self->consistent_snapshot;
}

GBytes *
satchel_root_get_bytes(const SatchelRoot *self)
{
	return self->bytes;
}

static void
root_clear(gpointer data)
{
	SatchelRoot *self = data;

	g_bytes_unref(self->bytes);
	for (guint i = 0; i < G_N_ELEMENTS(self->roles); i++)
		g_clear_pointer(&self->roles[i], satchel_role_keys_unref);
}

SatchelRoot *
satchel_root_ref(SatchelRoot *self)
{
	return g_atomic_rc_box_acquire(self);
}

void
satchel_root_unref(SatchelRoot *self)
{
	g_atomic_rc_box_release_full(self, root_clear);
}
