#include "threshold.h"
#include "digest.h"
#include "hex.h"
#include "key_private.h"
#include "path_safety.h"
#include <satchel/signature.h>

/* A signature is at most 2048 bytes (RSA of 16384 bits), so 4096 hex digits. */
#define SIGNATURE_TEXT_BYTES 4096

struct SatchelRoleKeys {
	gatomicrefcount refs;
	SatchelDialect dialect;
	guint threshold;
	GPtrArray *keyids; /* of char *; NULL-terminated */
	GHashTable *keys;  /* keyid to SatchelKey, usable ones only */
};

struct SatchelRoleKeyTable {
	const json_t *keys;
	SatchelDialect dialect;
	GHashTable *read; /* keyid to SatchelKey, or NULL for one that cannot be used */
};

static void
forget_key(gpointer key)
{
	if (key != NULL)
		satchel_key_unref(key);
}

static gboolean
set_invalid(GError **error, const char *reason)
{
	g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID, reason);
	return FALSE;
}

/* TUF 4.2.1: the keyid is the digest of the key's canonical form. uptane's are opaque. */
static gboolean
is_keyid_of(const char *keyid, const json_t *key, SatchelDialect dialect)
{
	g_autoptr(GBytes) canonical = NULL;
	g_autofree char *computed = NULL;
	gsize n_bytes = 0;
	const void *data;

	if (dialect != SATCHEL_DIALECT_TUF)
		return TRUE;
	canonical = satchel_json_canonicalize(key, dialect, NULL);
	if (canonical == NULL)
		return FALSE;
	data = g_bytes_get_data(canonical, &n_bytes);
	computed = satchel_digest_sha256_hex(data, n_bytes);
	return g_str_equal(computed, keyid);
}

/* What stands under @keyid, when it can be used. (transfer full) */
static SatchelKey *
read_key(const json_t *keys, const char *keyid, SatchelDialect dialect)
{
	const json_t *tree = json_object_get(keys, keyid);

	if (tree == NULL || !is_keyid_of(keyid, tree, dialect))
		return NULL;
	return satchel_key_new_from_tree(tree, dialect, NULL);
}

SatchelRoleKeyTable *
satchel_role_key_table_new(const json_t *keys, SatchelDialect dialect, GError **error)
{
	SatchelRoleKeyTable *self;

	if (!json_is_object(keys)) {
		set_invalid(error, "member 'keys' is not an object");
		return NULL;
	}
	if (json_object_size(keys) > SATCHEL_LIMIT_KEYS) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
			    "more than %u keys", SATCHEL_LIMIT_KEYS);
		return NULL;
	}
	self = g_new0(SatchelRoleKeyTable, 1);
	self->keys = keys;
	self->dialect = dialect;
	self->read = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, forget_key);
	return self;
}

void
satchel_role_key_table_free(SatchelRoleKeyTable *self)
{
	g_hash_table_unref(self->read);
	g_free(self);
}

/* Borrowed; NULL where there is none that can be used, which is found out once too. */
static SatchelKey *
table_lookup(SatchelRoleKeyTable *table, const char *keyid)
{
	gpointer key = NULL;

	if (g_hash_table_lookup_extended(table->read, keyid, NULL, &key))
		return key;
	/* Only what is in `keys` is remembered, so that the table is bounded as it is. */
	if (json_object_get(table->keys, keyid) == NULL)
		return NULL;
	key = read_key(table->keys, keyid, table->dialect);
	g_hash_table_insert(table->read, g_strdup(keyid), key);
	return key;
}

static gboolean
read_keyids(SatchelRoleKeys *self, SatchelRoleKeyTable *table, const json_t *role, GError **error)
{
	g_auto(GStrv) listed = satchel_json_get_strv(role, "keyids", error);
	g_autoptr(GHashTable) seen = NULL;

	if (listed == NULL)
		return FALSE;
	if (g_strv_length(listed) > SATCHEL_LIMIT_KEYS) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
			    "a role with more than %u keyids", SATCHEL_LIMIT_KEYS);
		return FALSE;
	}
	seen = g_hash_table_new(g_str_hash, g_str_equal);
	for (char **keyid = listed; *keyid != NULL; keyid++) {
		SatchelKey *key;

		if (!g_hash_table_add(seen, *keyid))
			continue;
		g_ptr_array_add(self->keyids, g_strdup(*keyid));
		key = table_lookup(table, *keyid);
		if (key != NULL)
			g_hash_table_insert(self->keys, g_strdup(*keyid), satchel_key_ref(key));
	}
	g_ptr_array_add(self->keyids, NULL);
	return TRUE;
}

SatchelRoleKeys *
satchel_role_keys_new_from_table(SatchelRoleKeyTable *table, const json_t *role, GError **error)
{
	g_autoptr(SatchelRoleKeys) self = g_new0(SatchelRoleKeys, 1);
	gint64 threshold = 0;

	g_atomic_ref_count_init(&self->refs);
	self->dialect = table->dialect;
	self->keyids = g_ptr_array_new_with_free_func(g_free);
	self->keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
					   (GDestroyNotify)satchel_key_unref);
	if (!satchel_json_get_int(role, "threshold", 1, G_MAXINT32, &threshold, error))
		return NULL;
	self->threshold = (guint)threshold;
	if (!read_keyids(self, table, role, error))
		return NULL;
	return g_steal_pointer(&self);
}

SatchelRoleKeys *
satchel_role_keys_new(const json_t *keys, const json_t *role, SatchelDialect dialect,
		      GError **error)
{
	g_autoptr(SatchelRoleKeyTable) table = satchel_role_key_table_new(keys, dialect, error);

	if (table == NULL)
		return NULL;
	return satchel_role_keys_new_from_table(table, role, error);
}

/* One text for one sequence of bytes: GLib skips what is no base64, which we must not. */
static GBytes *
decode_base64(const char *text)
{
	gsize n_bytes = 0;
	g_autofree guchar *raw = g_base64_decode(text, &n_bytes);
	g_autofree char *again = g_base64_encode(raw, n_bytes);

	if (n_bytes == 0 || !g_str_equal(again, text))
		return NULL;
	return g_bytes_new_take(g_steal_pointer(&raw), n_bytes);
}

/* aktualizr takes the short name of PSS too. */
static gboolean
is_method_of(const char *method, SatchelScheme scheme)
{
	switch (scheme) { /* no default: a new scheme must not compile unmapped */
	case SATCHEL_SCHEME_ED25519:
		return g_ascii_strcasecmp(method, "ed25519") == 0;
	case SATCHEL_SCHEME_RSASSA_PSS_SHA256:
		return g_ascii_strcasecmp(method, "rsassa-pss-sha256") == 0 ||
		       g_ascii_strcasecmp(method, "rsassa-pss") == 0;
	case SATCHEL_SCHEME_ECDSA_SHA2_NISTP256:
		return FALSE;
	}
	return FALSE;
}

/* The raw bytes of a signature entry, or NULL where they cannot be @key's. */
static GBytes *
decode_signature(const json_t *entry, const SatchelKey *key, SatchelDialect dialect)
{
	const char *text = json_string_value(json_object_get(entry, "sig"));
	const char *method = json_string_value(json_object_get(entry, "method"));

	if (text == NULL || strlen(text) > SIGNATURE_TEXT_BYTES)
		return NULL;
	if (dialect == SATCHEL_DIALECT_TUF)
		return satchel_hex_decode(text);
	if (method == NULL || !is_method_of(method, satchel_key_get_scheme(key)))
		return NULL;
	return decode_base64(text);
}

/* The keyid of an entry when it is one of the role's and its signature is good, or NULL. */
static const char *
good_keyid(const SatchelRoleKeys *self, const json_t *entry, GBytes *message)
{
	const char *keyid = json_string_value(json_object_get(entry, "keyid"));
	const SatchelKey *key = keyid != NULL ? satchel_role_keys_lookup(self, keyid) : NULL;
	g_autoptr(GBytes) signature = NULL;

	if (key == NULL)
		return NULL;
	signature = decode_signature(entry, key, self->dialect);
	if (signature == NULL || !satchel_signature_verify(key, message, signature))
		return NULL;
	return keyid;
}

static gboolean
check_entry(const json_t *entry, GHashTable *seen, GError **error)
{
	const char *keyid = satchel_json_get_string(entry, "keyid", error);
	g_autofree char *quoted = NULL;

	if (keyid == NULL) {
		g_prefix_error(error, "signature: ");
		return FALSE;
	}
	if (strlen(keyid) > SATCHEL_LIMIT_NAME_BYTES)
		return set_invalid(error, "signature: keyid is too long");
	if (g_hash_table_add(seen, (gpointer)(gintptr)keyid))
		return TRUE;
	quoted = satchel_path_quote(keyid);
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
		    "keyid '%s' stands twice in the signatures", quoted);
	return FALSE;
}

/* The form of all signatures, before any of them counts. TUF 4.2.1: a keyid stands once. */
static gboolean
check_signatures(const json_t *signatures, GError **error)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

	if (!json_is_array(signatures))
		return set_invalid(error, "member 'signatures' is not an array");
	if (json_array_size(signatures) > SATCHEL_LIMIT_SIGNATURES) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
			    "more than %u signatures", SATCHEL_LIMIT_SIGNATURES);
		return FALSE;
	}
	for (gsize i = 0; i < json_array_size(signatures); i++) {
		if (!check_entry(json_array_get(signatures, i), seen, error))
			return FALSE;
	}
	return TRUE;
}

gboolean
satchel_role_keys_verify(const SatchelRoleKeys *self, const json_t *signatures, GBytes *message,
			 GError **error)
{
	/* Fingerprints: one key under two keyids is one key. */
	g_autoptr(GHashTable) counted = g_hash_table_new(g_str_hash, g_str_equal);

	if (!check_signatures(signatures, error))
		return FALSE;
	for (gsize i = 0; i < json_array_size(signatures); i++) {
		const char *keyid = good_keyid(self, json_array_get(signatures, i), message);
		const SatchelKey *key;

		if (keyid == NULL)
			continue;
		key = satchel_role_keys_lookup(self, keyid);
		g_hash_table_add(counted, (gpointer)(gintptr)satchel_key_get_fingerprint(key));
		if (g_hash_table_size(counted) >= self->threshold)
			return TRUE;
	}
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID, "%u of %u signatures",
		    g_hash_table_size(counted), self->threshold);
	return FALSE;
}

guint
satchel_role_keys_get_threshold(const SatchelRoleKeys *self)
{
	return self->threshold;
}

const char *const *
satchel_role_keys_get_keyids(const SatchelRoleKeys *self)
{
	return (const char *const *)self->keyids->pdata;
}

SatchelKey *
satchel_role_keys_lookup(const SatchelRoleKeys *self, const char *keyid)
{
	return g_hash_table_lookup(self->keys, keyid);
}

static GHashTable *
collect_fingerprints(const SatchelRoleKeys *self)
{
	GHashTable *fingerprints = g_hash_table_new(g_str_hash, g_str_equal);
	GHashTableIter iter;
	gpointer key;

	g_hash_table_iter_init(&iter, self->keys);
	while (g_hash_table_iter_next(&iter, NULL, &key))
		g_hash_table_add(fingerprints, (gpointer)(gintptr)satchel_key_get_fingerprint(key));
	return fingerprints;
}

gboolean
satchel_role_keys_equal(const SatchelRoleKeys *a, const SatchelRoleKeys *b)
{
	g_autoptr(GHashTable) of_a = collect_fingerprints(a);
	g_autoptr(GHashTable) of_b = collect_fingerprints(b);
	GHashTableIter iter;
	gpointer fingerprint;

	if (a->threshold != b->threshold || g_hash_table_size(of_a) != g_hash_table_size(of_b))
		return FALSE;
	g_hash_table_iter_init(&iter, of_a);
	while (g_hash_table_iter_next(&iter, &fingerprint, NULL)) {
		if (!g_hash_table_contains(of_b, fingerprint))
			return FALSE;
	}
	return TRUE;
}

GStrv
satchel_role_keys_good_keyids(const SatchelRoleKeys *self, const json_t *signatures,
			      GBytes *message)
{
	g_autoptr(GPtrArray) good = g_ptr_array_new_with_free_func(g_free);

	/* A longer array is refused by verify, so nothing beyond the limit is looked at. */
	for (gsize i = 0; i < MIN(json_array_size(signatures), SATCHEL_LIMIT_SIGNATURES); i++) {
		const char *keyid = good_keyid(self, json_array_get(signatures, i), message);

		if (keyid != NULL &&
		    !g_ptr_array_find_with_equal_func(good, keyid, g_str_equal, NULL))
			g_ptr_array_add(good, g_strdup(keyid));
	}
	g_ptr_array_add(good, NULL);
	return (GStrv)g_ptr_array_free(g_steal_pointer(&good), FALSE);
}

SatchelRoleKeys *
satchel_role_keys_ref(SatchelRoleKeys *self)
{
	g_atomic_ref_count_inc(&self->refs);
	return self;
}

void
satchel_role_keys_unref(SatchelRoleKeys *self)
{
	if (!g_atomic_ref_count_dec(&self->refs))
		return;
	g_ptr_array_unref(self->keyids);
	g_hash_table_unref(self->keys);
	g_free(self);
}
