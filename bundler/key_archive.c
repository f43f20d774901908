#include "key_archive.h"
#include "../verify/hex.h"
#include "../verify/json.h"
#include "../verify/path_safety.h"
#include <archive.h>
#include <archive_entry.h>
#include <openssl/crypto.h>
#include <string.h>

/* A 4096-bit RSA key in PEM is 3.2 kB. */
#define MEMBER_MAX_BYTES (64u * 1024u)
#define MAX_MEMBERS 1024u

typedef struct archive Archive;
static void
archive_close_and_free(Archive *archive)
{
	(void)archive_read_free(archive);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Archive, archive_close_and_free)

/* A member's text; it holds a secret. */
static void
wipe(gpointer data)
{
	GByteArray *text = data;

	OPENSSL_cleanse(text->data, text->len);
	g_byte_array_unref(text);
}

static gboolean
fail(GError **error, const char *name, const char *reason)
{
	g_autofree char *quoted = satchel_path_quote(name);

	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED, "key archive: %s: %s", quoted,
		    reason);
	return FALSE;
}

static GByteArray *
read_member(Archive *archive, const char *name, GError **error)
{
	GByteArray *text = g_byte_array_sized_new(MEMBER_MAX_BYTES);
	la_ssize_t n_bytes = 0;

	/* The whole of the largest member fits, so that no secret is left behind by growing. */
	do {
		text->len += (guint)n_bytes;
		n_bytes = archive_read_data(archive, text->data + text->len,
					    MEMBER_MAX_BYTES - text->len);
	} while (n_bytes > 0 && text->len + (guint)n_bytes < MEMBER_MAX_BYTES);
	if (n_bytes == 0)
		return text;
	fail(error, name, n_bytes < 0 ? "damaged" : "longer than a key can be");
	wipe(text);
	return NULL;
}

/* All .pub and .sec members by name. */
static GHashTable *
read_members(gconstpointer data, gsize n_bytes, GError **error)
{
	g_autoptr(GHashTable) members =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, wipe);
	g_autoptr(Archive) archive = archive_read_new();
	struct archive_entry *entry;
	int result;

	if (archive == NULL || archive_read_support_filter_gzip(archive) != ARCHIVE_OK ||
	    archive_read_support_format_tar(archive) != ARCHIVE_OK ||
	    archive_read_open_memory(archive, data, n_bytes) != ARCHIVE_OK) {
		g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
				    "key archive: not a gzip-compressed tar");
		return NULL;
	}
	for (guint i = 0; (result = archive_read_next_header(archive, &entry)) == ARCHIVE_OK; i++) {
		const char *name = archive_entry_pathname(entry);
		GByteArray *text;

		if (i >= MAX_MEMBERS) {
			fail(error, "members", "too many");
			return NULL;
		}
		if (name == NULL || archive_entry_filetype(entry) != AE_IFREG ||
		    (!g_str_has_suffix(name, ".pub") && !g_str_has_suffix(name, ".sec")))
			continue;
		text = read_member(archive, name, error);
		if (text == NULL)
			return NULL;
		g_hash_table_replace(members, g_strdup(name), text);
	}
	if (result != ARCHIVE_EOF) {
		g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
				    "key archive: not a gzip-compressed tar, or a damaged one");
		return NULL;
	}
	return g_steal_pointer(&members);
}

/* keyval.@half of a key document, and its type. The tree is wiped by nobody: jansson has no way. */
static json_t *
parse_key(GByteArray *text, const char *half, const char **keytype, const char **value,
	  GError **error)
{
	g_autoptr(GBytes) bytes = g_bytes_new_static(text->data, text->len);
	g_autoptr(SatchelJson) tree = satchel_json_parse(bytes, error);
	json_t *keyval;

	if (tree == NULL)
		return NULL;
	*keytype = satchel_json_get_string(tree, "keytype", error);
	keyval = *keytype != NULL ? satchel_json_get_object(tree, "keyval", error) : NULL;
	*value = keyval != NULL ? satchel_json_get_string(keyval, half, error) : NULL;
	return *value != NULL ? g_steal_pointer(&tree) : NULL;
}

static SatchelPrivateKey *
key_from_hex(const char *hex, GError **error)
{
	g_autoptr(GBytes) raw = satchel_hex_decode(hex);
	gsize n_bytes = raw != NULL ? g_bytes_get_size(raw) : 0;

	/* fioctl reads the 64-byte form (seed and public key) too. */
	if (n_bytes == SATCHEL_PRIVATE_KEY_SEED_BYTES || n_bytes == 64)
		return satchel_private_key_new_from_seed(g_bytes_get_data(raw, NULL), error);
	g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
			    "an ed25519 private key is 32 bytes in hex");
	return NULL;
}

static SatchelPrivateKey *
parse_private(GByteArray *text, GError **error)
{
	const char *keytype = NULL;
	const char *value = NULL;
	g_autoptr(SatchelJson) tree = parse_key(text, "private", &keytype, &value, error);

	if (tree == NULL)
		return NULL;
	if (g_ascii_strcasecmp(keytype, "ED25519") == 0)
		return key_from_hex(value, error);
	if (g_ascii_strcasecmp(keytype, "RSA") == 0)
		return satchel_private_key_new_from_pem(value, strlen(value), error);
	g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
			    "neither an ED25519 nor an RSA key");
	return NULL;
}

/* A .pub that belongs to another .sec would make us sign with a key that nobody meant. */
static gboolean
check_public(GByteArray *text, const SatchelPrivateKey *key, GError **error)
{
	g_autoptr(GBytes) bytes = g_bytes_new_static(text->data, text->len);
	g_autoptr(SatchelKey) public =
		satchel_key_new_from_json(bytes, SATCHEL_DIALECT_UPTANE, error);

	if (public == NULL)
		return FALSE;
	if (strcmp(satchel_key_get_fingerprint(public), satchel_private_key_get_fingerprint(key)) ==
	    0)
		return TRUE;
	g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
			    "the .pub beside it is another key's");
	return FALSE;
}

static SatchelPrivateKey *
read_pair(GHashTable *members, const char *name, GError **error)
{
	g_autofree char *stem = g_strndup(name, strlen(name) - strlen(".sec"));
	g_autofree char *public_name = g_strconcat(stem, ".pub", NULL);
	GByteArray *public = g_hash_table_lookup(members, public_name);
	g_autoptr(GError) local_error = NULL;
	g_autoptr(SatchelPrivateKey) key =
		parse_private(g_hash_table_lookup(members, name), &local_error);

	if (key != NULL && (public == NULL || check_public(public, key, &local_error)))
		return g_steal_pointer(&key);
	fail(error, name, local_error->message);
	return NULL;
}

static gint
compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(a, b);
}

GPtrArray *
satchel_key_archive_read(gconstpointer data, gsize n_bytes, GError **error)
{
	g_autoptr(GPtrArray) keys =
		g_ptr_array_new_with_free_func((GDestroyNotify)satchel_private_key_free);
	g_autoptr(GHashTable) members = read_members(data, n_bytes, error);
	g_autoptr(GList) names = NULL;

	if (members == NULL)
		return NULL;
	names = g_list_sort(g_hash_table_get_keys(members), compare_names);
	for (GList *name = names; name != NULL; name = name->next) {
		SatchelPrivateKey *key;

		if (!g_str_has_suffix(name->data, ".sec"))
			continue;
		key = read_pair(members, name->data, error);
		if (key == NULL)
			return NULL;
		g_ptr_array_add(keys, key);
	}
	if (keys->len == 0) {
		fail(error, "members", "no private key (NAME.sec) among them");
		return NULL;
	}
	return g_steal_pointer(&keys);
}
