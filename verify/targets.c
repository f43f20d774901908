#include "path_safety.h"
#include "role_parse.h"

struct SatchelTarget {
	char *name;
	guint64 length_bytes;
	SatchelHashList *hashes;
	GBytes *custom;
};

struct SatchelTargets {
	GBytes *bytes;
	char *role;
	gint64 version;
	gint64 expires_s;
	GPtrArray *targets; /* SatchelTarget, by name */
	SatchelDelegations *delegations;
};

static void
target_free(gpointer data)
{
	SatchelTarget *self = data;

	g_free(self->name);
	g_clear_pointer(&self->hashes, satchel_hash_list_free);
	g_clear_pointer(&self->custom, g_bytes_unref);
	g_free(self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelTarget, target_free)

/* An object, or nothing. */
static gboolean
target_parse_custom(SatchelTarget *self, const json_t *entry, GError **error)
{
	const json_t *custom = json_object_get(entry, "custom");

	if (custom == NULL || json_is_null(custom))
		return TRUE;
	if (!json_is_object(custom)) {
		g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
				    "'custom' is no object");
		return FALSE;
	}
	/* The uptane form is JSON that can be read again; that of tuf leaves control characters
	 * bare. */
	self->custom = satchel_json_canonicalize(custom, SATCHEL_DIALECT_UPTANE, error);
	return self->custom != NULL;
}

static gboolean
target_parse_entry(SatchelTarget *self, const json_t *entry, GError **error)
{
	json_t *hashes;
	gint64 length_bytes;

	if (!json_is_object(entry)) {
		g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
				    "no object");
		return FALSE;
	}
	if (!satchel_json_get_int(entry, "length", 0, G_MAXINT64, &length_bytes, error))
		return FALSE;
	hashes = satchel_json_get_object(entry, "hashes", error);
	if (hashes == NULL)
		return FALSE;
	self->length_bytes = (guint64)length_bytes;
	self->hashes = satchel_hash_list_parse(hashes, error);
	return self->hashes != NULL && target_parse_custom(self, entry, error);
}

static SatchelTarget *
target_parse(const char *name, const json_t *entry, GError **error)
{
	g_autoptr(SatchelTarget) self = g_new0(SatchelTarget, 1);

	if (strlen(name) > SATCHEL_LIMIT_PATH_BYTES) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
			    "a target's name is longer than %u bytes", SATCHEL_LIMIT_PATH_BYTES);
		return NULL;
	}
	self->name = g_strdup(name);
	if (!target_parse_entry(self, entry, error)) {
		g_autofree char *quoted = satchel_path_quote(name);

		g_prefix_error(error, "target %s: ", quoted);
		return NULL;
	}
	return g_steal_pointer(&self);
}

static gint
compare_names(gconstpointer a, gconstpointer b)
{
	const SatchelTarget *const *one = a;
	const SatchelTarget *const *other = b;

	return strcmp((*one)->name, (*other)->name);
}

static gboolean
targets_parse_entries(SatchelTargets *self, const json_t *signed_, GError **error)
{
	json_t *targets = satchel_json_get_object(signed_, "targets", error);
	const char *name;
	json_t *entry;

	if (targets == NULL)
		return FALSE;
	json_object_foreach(targets, name, entry)
	{
		SatchelTarget *target = target_parse(name, entry, error);

		if (target == NULL)
			return FALSE;
		g_ptr_array_add(self->targets, target);
	}
	g_ptr_array_sort(self->targets, compare_names);
	return TRUE;
}

static gboolean
targets_parse_delegations(SatchelTargets *self, const json_t *signed_, SatchelDialect dialect,
			  GError **error)
{
	json_t *delegations;

	if (json_object_get(signed_, "delegations") == NULL)
		return TRUE;
	delegations = satchel_json_get_object(signed_, "delegations", error);
	if (delegations == NULL)
		return FALSE;
	self->delegations = satchel_delegations_parse(delegations, dialect, error);
	return self->delegations != NULL;
}

SatchelTargets *
satchel_targets_parse(const SatchelSignedDocument *document, const char *role,
		      SatchelDialect dialect, GError **error)
{
	g_autoptr(SatchelTargets) self = g_atomic_rc_box_new0(SatchelTargets);

	self->bytes = g_bytes_ref(document->bytes);
	self->role = g_strdup(role);
	self->version = document->version;
	self->expires_s = document->expires_s;
	self->targets = g_ptr_array_new_with_free_func(target_free);
	if (!targets_parse_entries(self, document->signed_, error) ||
	    !targets_parse_delegations(self, document->signed_, dialect, error))
		return NULL;
	return g_steal_pointer(&self);
}

const SatchelDelegations *
satchel_targets_get_delegations(const SatchelTargets *self)
{
	return self->delegations;
}

const char *
satchel_targets_get_role(const SatchelTargets *self)
{
	return self->role;
}

gint64
satchel_targets_get_version(const SatchelTargets *self)
{
	return self->version;
}

gint64
satchel_targets_get_expires_s(const SatchelTargets *self)
{
	return self->expires_s;
}

GBytes *
satchel_targets_get_bytes(const SatchelTargets *self)
{
	return self->bytes;
}

guint
satchel_targets_get_n_targets(const SatchelTargets *self)
{
	return self->targets->len;
}

const SatchelTarget *
satchel_targets_get_target(const SatchelTargets *self, guint index)
{
	return g_ptr_array_index(self->targets, index);
}

const SatchelTarget *
satchel_targets_lookup(const SatchelTargets *self, const char *name)
{
	guint low = 0;
	guint high = self->targets->len;

	while (low < high) {
		guint middle = low + (high - low) / 2;
		const SatchelTarget *target = g_ptr_array_index(self->targets, middle);
		int order = strcmp(name, target->name);

		if (order == 0)
			return target;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static void
targets_clear(gpointer data)
{
	SatchelTargets *self = data;

	g_bytes_unref(self->bytes);
	g_free(self->role);
	g_ptr_array_unref(self->targets);
	g_clear_pointer(&self->delegations, satchel_delegations_free);
}

SatchelTargets *
satchel_targets_ref(SatchelTargets *self)
{
	return g_atomic_rc_box_acquire(self);
}

void
satchel_targets_unref(SatchelTargets *self)
{
	g_atomic_rc_box_release_full(self, targets_clear);
}

const char *
satchel_target_get_name(const SatchelTarget *self)
{
	return self->name;
}

guint64
satchel_target_get_length_bytes(const SatchelTarget *self)
{
	return self->length_bytes;
}

const char *
satchel_target_get_hash(const SatchelTarget *self, const char *algorithm)
{
	return satchel_hash_list_get(self->hashes, algorithm);
}

GBytes *
satchel_target_get_custom(const SatchelTarget *self)
{
	return self->custom;
}
