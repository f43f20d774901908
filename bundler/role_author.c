#include "role_author.h"
#include "../verify/digest.h"
#include "../verify/hex.h"
#include "../verify/json.h"
#include "../verify/utc_time.h"
#include <satchel/limits.h>
#include <string.h>

static const struct {
	const char *name;
	const char *uptane; /* what `_type` says there */
} roles[SATCHEL_N_ROLES] = {
	[SATCHEL_ROLE_ROOT] = {"root", "Root"},
	[SATCHEL_ROLE_TARGETS] = {"targets", "Targets"},
	[SATCHEL_ROLE_SNAPSHOT] = {"snapshot", "Snapshot"},
	[SATCHEL_ROLE_TIMESTAMP] = {"timestamp", "Timestamp"},
};

const char *
satchel_role_author_name(SatchelRole role)
{
	return roles[role].name;
}

gboolean
satchel_role_author_lookup(const char *name, SatchelRole *role)
{
	for (guint i = 0; i < SATCHEL_N_ROLES; i++) {
		if (strcmp(roles[i].name, name) == 0) {
			*role = (SatchelRole)i;
			return TRUE;
		}
	}
	return FALSE;
}

static json_t *
signed_new(SatchelRole role, const SatchelRoleHead *head)
{
	g_autofree char *expires = satchel_utc_time_format(head->expires_s);

	if (head->dialect == SATCHEL_DIALECT_UPTANE)
		return json_pack("{s:s, s:s, s:I}", "_type", roles[role].uptane, "expires", expires,
				 "version", (json_int_t)head->version);
	return json_pack("{s:s, s:s, s:s, s:I}", "_type", roles[role].name, "expires", expires,
			 "spec_version", SATCHEL_ROLE_AUTHOR_SPEC_VERSION, "version",
			 (json_int_t)head->version);
}

json_t *
satchel_role_author_root(const SatchelRoleHead *head)
{
	json_t *root = signed_new(SATCHEL_ROLE_ROOT, head);

	/* Bundles and the field's readers use names without version. */
	json_object_set_new(root, "consistent_snapshot", json_false());
	json_object_set_new(root, "keys", json_object());
	json_object_set_new(root, "roles", json_object());
	return root;
}

json_t *
satchel_role_author_targets(const SatchelRoleHead *head)
{
	json_t *targets = signed_new(SATCHEL_ROLE_TARGETS, head);

	json_object_set_new(targets, "targets", json_object());
	return targets;
}

static json_t *
listing_new(SatchelRole role, const SatchelRoleHead *head, const char *name, GBytes *file,
	    gint64 file_version)
{
	json_t *listing = signed_new(role, head);
	g_autofree char *sha256 =
		satchel_digest_sha256_hex(g_bytes_get_data(file, NULL), g_bytes_get_size(file));
	json_t *entry =
		json_pack("{s:{s:s}, s:I, s:I}", "hashes", "sha256", sha256, "length",
			  (json_int_t)g_bytes_get_size(file), "version", (json_int_t)file_version);

	json_object_set_new(listing, "meta", json_pack("{s:o}", name, entry));
	return listing;
}

json_t *
satchel_role_author_snapshot(const SatchelRoleHead *head, GBytes *file, gint64 file_version)
{
	return listing_new(SATCHEL_ROLE_SNAPSHOT, head, "targets.json", file, file_version);
}

json_t *
satchel_role_author_timestamp(const SatchelRoleHead *head, GBytes *file, gint64 file_version)
{
	return listing_new(SATCHEL_ROLE_TIMESTAMP, head, "snapshot.json", file, file_version);
}

void
satchel_role_author_renew(json_t *signed_, gint64 version, gint64 expires_s)
{
	g_autofree char *expires = satchel_utc_time_format(expires_s);

	json_object_set_new(signed_, "version", json_integer(version));
	json_object_set_new(signed_, "expires", json_string(expires));
}

static gboolean
is_listed(json_t *root_roles, const char *keyid)
{
	const char *name;
	json_t *role;

	json_object_foreach(root_roles, name, role)
	{
		json_t *keyids = json_object_get(role, "keyids");

		for (size_t i = 0; i < json_array_size(keyids); i++)
			if (g_strcmp0(json_string_value(json_array_get(keyids, i)), keyid) == 0)
				return TRUE;
	}
	return FALSE;
}

static void
drop_unlisted_keys(json_t *root)
{
	json_t *keys = json_object_get(root, "keys");
	const char *keyid;
	json_t *key;
	void *next;

	json_object_foreach_safe(keys, next, keyid, key)
	{
		if (!is_listed(json_object_get(root, "roles"), keyid))
			json_object_del(keys, keyid);
	}
}

void
satchel_role_author_set_keys(json_t *root, SatchelRole role, GPtrArray *keys, guint threshold,
			     SatchelDialect dialect)
{
	json_t *keyids = json_array();
	json_t *all = json_object_get(root, "keys");

	for (guint i = 0; i < keys->len; i++) {
		const SatchelPrivateKey *key = g_ptr_array_index(keys, i);
		g_autofree char *keyid = satchel_private_key_keyid(key, dialect);

		json_array_append_new(keyids, json_string(keyid));
		json_object_set_new(all, keyid, satchel_private_key_to_public_json(key, dialect));
	}
	json_object_set_new(
		json_object_get(root, "roles"), roles[role].name,
		json_pack("{s:o, s:I}", "keyids", keyids, "threshold", (json_int_t)threshold));
	drop_unlisted_keys(root);
}

static gboolean
text_is_ascii(const char *text, gsize n_bytes, gboolean newlines)
{
	for (gsize i = 0; i < n_bytes; i++)
		if (!g_ascii_isprint(text[i]) && !(newlines && text[i] == '\n'))
			return FALSE;
	return TRUE;
}

static gboolean
check_ascii(json_t *value, const char *path, guint depth, GError **error)
{
	gboolean is_public = g_str_has_suffix(path, ".keyval.public");
	const char *name;
	json_t *child;

	if (depth > SATCHEL_LIMIT_JSON_DEPTH) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
			    "%s is nested deeper than %u levels", path, SATCHEL_LIMIT_JSON_DEPTH);
		return FALSE;
	}
	if (json_is_string(value) &&
	    !text_is_ascii(json_string_value(value), json_string_length(value), is_public)) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
			    "%s has a character that is not printable ASCII", path);
		return FALSE;
	}
	for (size_t i = 0; i < json_array_size(value); i++) {
		g_autofree char *below = g_strdup_printf("%s[%zu]", path, i);

		if (!check_ascii(json_array_get(value, i), below, depth + 1, error))
			return FALSE;
	}
	json_object_foreach(value, name, child)
	{
		g_autofree char *below = g_strdup_printf("%s.%s", path, name);

		if (!text_is_ascii(name, strlen(name), FALSE)) {
			g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
				    "%s has a member whose name is not printable ASCII", path);
			return FALSE;
		}
		if (!check_ascii(child, below, depth + 1, error))
			return FALSE;
	}
	return TRUE;
}

gboolean
satchel_role_author_check_ascii(json_t *signed_, const char *what, GError **error)
{
	return check_ascii(signed_, what, 0, error);
}

json_t *
satchel_role_author_signature(const SatchelPrivateKey *key, const char *keyid, GBytes *message,
			      SatchelDialect dialect, GError **error)
{
	static const char *const methods[] = {
		[SATCHEL_SCHEME_ED25519] = "ed25519",
		[SATCHEL_SCHEME_RSASSA_PSS_SHA256] = "rsassa-pss-sha256",
		[SATCHEL_SCHEME_ECDSA_SHA2_NISTP256] = "ecdsa-sha2-nistp256",
	};
	g_autoptr(GBytes) raw = satchel_private_key_sign(key, message, error);
	g_autofree char *text = NULL;

	if (raw == NULL)
		return NULL;
	if (dialect == SATCHEL_DIALECT_UPTANE) {
		text = g_base64_encode(g_bytes_get_data(raw, NULL), g_bytes_get_size(raw));
		return json_pack("{s:s, s:s, s:s}", "keyid", keyid, "method",
				 methods[satchel_private_key_get_scheme(key)], "sig", text);
	}
	text = satchel_hex_encode(g_bytes_get_data(raw, NULL), g_bytes_get_size(raw));
	return json_pack("{s:s, s:s}", "keyid", keyid, "sig", text);
}

static gboolean
has_signed(const json_t *signatures, const char *keyid)
{
	for (size_t i = 0; i < json_array_size(signatures); i++) {
		json_t *signature = json_array_get(signatures, i);

		if (g_strcmp0(json_string_value(json_object_get(signature, "keyid")), keyid) == 0)
			return TRUE;
	}
	return FALSE;
}

GBytes *
satchel_role_author_seal(json_t *signed_, GPtrArray *keys, SatchelDialect dialect, const char *what,
			 GError **error)
{
	g_autoptr(SatchelJson) signatures = json_array();
	g_autoptr(SatchelJson) document = NULL;
	g_autoptr(GBytes) message = NULL;

	if (!satchel_role_author_check_ascii(signed_, what, error))
		return NULL;
	message = satchel_json_canonicalize(signed_, dialect, error);
	if (message == NULL)
		return NULL;
	for (guint i = 0; i < keys->len; i++) {
		const SatchelPrivateKey *key = g_ptr_array_index(keys, i);
		g_autofree char *keyid = satchel_private_key_keyid(key, dialect);
		json_t *signature;

		if (has_signed(signatures, keyid))
			continue;
		signature = satchel_role_author_signature(key, keyid, message, dialect, error);
		if (signature == NULL)
			return NULL;
		json_array_append_new(signatures, signature);
	}
	document = json_pack("{s:O, s:O}", "signatures", signatures, "signed", signed_);
	return satchel_role_author_file(document, error);
}

GBytes *
satchel_role_author_file(const json_t *document, GError **error)
{
	return satchel_json_canonicalize(document, SATCHEL_DIALECT_UPTANE, error);
}
