#pragma once
#include "../../verify/digest.h"
#include "../../verify/hex.h"
#include "../../verify/json.h"
#include <satchel/tuf_source.h>
#include <sodium.h>
#include <string.h>

/*
 * A TUF repository in memory that a test edits, publishes and serves: a pluggable source that keeps
 * account of what it was asked for. Only for unit tests: what cannot be aborts.
 *
 * `signed` parts are edited through repo_signed() and reach the client by repo_publish().
 */
#define REPO_FAR "2090-01-01T00:00:00Z"
#define REPO_NOW_S G_GINT64_CONSTANT(1893456000) /* 2030-01-01T00:00:00Z */
#define REPO_PAST "2029-12-31T23:59:59Z"

typedef struct {
	SatchelTufSource source;
	SatchelDialect dialect;
	gboolean pinned;       /* lengths and hashes in timestamp and snapshot */
	GHashTable *signed_;   /* role → json_t */
	GHashTable *signers;   /* role → GStrv, names of keys */
	GHashTable *files;     /* file name → GBytes */
	GHashTable *artifacts; /* path → GBytes */
	GHashTable *broken;    /* file name → what fails: GINT_TO_POINTER(SatchelError) + 1 */
	GPtrArray *requests;   /* file names, in order */
} Repo;

/* ---- keys: made from their names, the same each time */

static inline void
repo_key(const char *name, unsigned char *public_key, unsigned char *secret_key)
{
	unsigned char seed[crypto_sign_SEEDBYTES];

	crypto_hash_sha256(seed, (const unsigned char *)name, strlen(name));
	crypto_sign_seed_keypair(public_key, secret_key, seed);
}

/* *@keyid: (transfer full) */
static inline json_t *
repo_key_json(const Repo *repo, const char *name, char **keyid)
{
	unsigned char public_key[crypto_sign_PUBLICKEYBYTES];
	unsigned char secret_key[crypto_sign_SECRETKEYBYTES];
	g_autofree char *hex = NULL;
	g_autoptr(GBytes) canonical = NULL;
	json_t *key = NULL;

	repo_key(name, public_key, secret_key);
	hex = satchel_hex_encode(public_key, sizeof(public_key));
	if (repo->dialect == SATCHEL_DIALECT_TUF)
		key = json_pack("{s:s, s:s, s:{s:s}}", "keytype", "ed25519", "scheme", "ed25519",
				"keyval", "public", hex);
	else
		key = json_pack("{s:s, s:{s:s}}", "keytype", "ED25519", "keyval", "public", hex);
	canonical = satchel_json_canonicalize(key, repo->dialect, NULL);
	*keyid = satchel_digest_sha256_hex(g_bytes_get_data(canonical, NULL),
					   g_bytes_get_size(canonical));
	return key;
}

static inline json_t *
repo_signature(const Repo *repo, const char *name, GBytes *message)
{
	unsigned char public_key[crypto_sign_PUBLICKEYBYTES];
	unsigned char secret_key[crypto_sign_SECRETKEYBYTES];
	unsigned char raw[crypto_sign_BYTES];
	g_autofree char *keyid = NULL;
	g_autofree char *text = NULL;

	json_decref(repo_key_json(repo, name, &keyid));
	repo_key(name, public_key, secret_key);
	crypto_sign_detached(raw, NULL, g_bytes_get_data(message, NULL), g_bytes_get_size(message),
			     secret_key);
	if (repo->dialect == SATCHEL_DIALECT_TUF) {
		text = satchel_hex_encode(raw, sizeof(raw));
		return json_pack("{s:s, s:s}", "keyid", keyid, "sig", text);
	}
	text = g_base64_encode(raw, sizeof(raw));
	return json_pack("{s:s, s:s, s:s}", "keyid", keyid, "method", "ed25519", "sig", text);
}

/* ---- documents */

/* Borrowed; of a role that has none yet it is made. */
static inline json_t *
repo_signed(Repo *repo, const char *role, const char *type)
{
	json_t *body = g_hash_table_lookup(repo->signed_, role);
	g_autofree char *name = g_strdup(type);

	if (body != NULL)
		return body;
	if (repo->dialect == SATCHEL_DIALECT_UPTANE)
		*name = g_ascii_toupper(*name);
	body = json_pack("{s:s, s:i, s:s, s:s}", "_type", name, "version", 1, "expires", REPO_FAR,
			 "spec_version", "1.0.34");
	g_hash_table_insert(repo->signed_, g_strdup(role), body);
	return body;
}

static inline json_t *
repo_body(Repo *repo, const char *role)
{
	return g_hash_table_lookup(repo->signed_, role);
}

static inline gint64
repo_version(Repo *repo, const char *role)
{
	return json_integer_value(json_object_get(repo_body(repo, role), "version"));
}

/* (transfer full) */
static inline GBytes *
repo_sign(Repo *repo, json_t *body, const char *const *signers)
{
	g_autoptr(GBytes) message = satchel_json_canonicalize(body, repo->dialect, NULL);
	json_t *signatures = json_array();
	g_autoptr(SatchelJson) document =
		json_pack("{s:o, s:O}", "signatures", signatures, "signed", body);
	char *text = NULL;

	for (; *signers != NULL; signers++)
		json_array_append_new(signatures, repo_signature(repo, *signers, message));
	text = json_dumps(document, JSON_INDENT(1));
	return g_bytes_new_take(text, strlen(text));
}

static inline json_t *
repo_meta_entry(Repo *repo, const char *role, GBytes *document)
{
	json_t *entry = json_pack("{s:I}", "version", (json_int_t)repo_version(repo, role));
	g_autoptr(SatchelJson) tree = NULL;
	g_autoptr(GBytes) content = g_bytes_ref(document);
	g_autofree char *hash = NULL;

	if (!repo->pinned)
		return entry;
	if (repo->dialect == SATCHEL_DIALECT_UPTANE) {
		tree = satchel_json_parse(document, NULL);
		g_bytes_unref(content);
		content = satchel_json_canonicalize(tree, repo->dialect, NULL);
	}
	hash = satchel_digest_sha256_hex(g_bytes_get_data(content, NULL),
					 g_bytes_get_size(content));
	json_object_set_new(entry, "length", json_integer((json_int_t)g_bytes_get_size(content)));
	json_object_set_new(entry, "hashes", json_pack("{s:s}", "sha256", hash));
	return entry;
}

/* What the role above says of @role's new document. */
static inline void
repo_list(Repo *repo, const char *role, GBytes *document)
{
	gboolean is_snapshot = strcmp(role, "snapshot") == 0;
	g_autofree char *file = g_strconcat(role, ".json", NULL);
	json_t *above = repo_body(repo, is_snapshot ? "timestamp" : "snapshot");

	if (strcmp(role, "root") != 0 && strcmp(role, "timestamp") != 0)
		json_object_set_new(json_object_get(above, "meta"), file,
				    repo_meta_entry(repo, role, document));
}

/* Signs what repo_body() is now and serves it: under its version and without. */
static inline void
repo_publish(Repo *repo, const char *role)
{
	GBytes *document =
		repo_sign(repo, repo_body(repo, role), g_hash_table_lookup(repo->signers, role));

	repo_list(repo, role, document);
	g_hash_table_insert(
		repo->files,
		g_strdup_printf("%" G_GINT64_FORMAT ".%s.json", repo_version(repo, role), role),
		g_bytes_ref(document));
	g_hash_table_insert(repo->files, g_strconcat(role, ".json", NULL), document);
}

static inline void
repo_set_version(Repo *repo, const char *role, gint64 version)
{
	json_object_set_new(repo_body(repo, role), "version", json_integer((json_int_t)version));
}

static inline void
repo_set_expires(Repo *repo, const char *role, const char *expires)
{
	json_object_set_new(repo_body(repo, role), "expires", json_string(expires));
}

/* Each role, in this order, with its next version. Ends with NULL. */
static inline void G_GNUC_NULL_TERMINATED
repo_bump(Repo *repo, const char *role, ...)
{
	va_list roles;

	va_start(roles, role);
	for (; role != NULL; role = va_arg(roles, const char *)) {
		repo_set_version(repo, role, repo_version(repo, role) + 1);
		repo_publish(repo, role);
	}
	va_end(roles);
}

/* Who signs @role from now on, whatever its delegator says. Ends with NULL. */
static inline void G_GNUC_NULL_TERMINATED
repo_set_signers(Repo *repo, const char *role, const char *name, ...)
{
	g_autoptr(GStrvBuilder) names = g_strv_builder_new();
	va_list list;

	va_start(list, name);
	for (; name != NULL; name = va_arg(list, const char *))
		g_strv_builder_add(names, name);
	va_end(list);
	g_hash_table_insert(repo->signers, g_strdup(role), g_strv_builder_end(names));
}

/* Root gives @role this one key. */
static inline void
repo_set_key(Repo *repo, const char *role, const char *name)
{
	json_t *root = repo_body(repo, "root");
	g_autofree char *keyid = NULL;
	json_t *key = repo_key_json(repo, name, &keyid);

	json_object_set_new(json_object_get(root, "keys"), keyid, key);
	json_object_set_new(json_object_get(root, "roles"), role,
			    json_pack("{s:[s], s:i}", "keyids", keyid, "threshold", 1));
}

/* @from delegates to @role, whose one key is called like it; its document is made if need be. */
static inline void
repo_delegate(Repo *repo, const char *from, const char *role, const char *pattern,
	      gboolean terminating)
{
	json_t *body = repo_body(repo, from);
	json_t *delegations = json_object_get(body, "delegations");
	g_autofree char *keyid = NULL;
	json_t *key = repo_key_json(repo, role, &keyid);

	if (delegations == NULL) {
		delegations = json_pack("{s:{}, s:[]}", "keys", "roles");
		json_object_set_new(body, "delegations", delegations);
	}
	json_object_set_new(json_object_get(delegations, "keys"), keyid, key);
	json_array_append_new(json_object_get(delegations, "roles"),
			      json_pack("{s:s, s:[s], s:i, s:[s], s:b}", "name", role, "keyids",
					keyid, "threshold", 1, "paths", pattern, "terminating",
					terminating));
	if (repo_body(repo, role) == NULL) {
		json_object_set_new(repo_signed(repo, role, "targets"), "targets", json_object());
		repo_set_signers(repo, role, role, NULL);
		repo_publish(repo, role);
	}
}

/* In the role and to be downloaded, with and without its hash before the name. */
static inline void
repo_add_target(Repo *repo, const char *role, const char *path, const char *content)
{
	g_autofree char *hash = satchel_digest_sha256_hex(content, strlen(content));
	g_autofree char *folder = g_path_get_dirname(path);
	g_autofree char *name = g_path_get_basename(path);
	g_autofree char *prefixed = g_strconcat(hash, ".", name, NULL);
	json_t *targets = json_object_get(repo_body(repo, role), "targets");

	json_object_set_new(targets, path,
			    json_pack("{s:I, s:{s:s}}", "length", (json_int_t)strlen(content),
				      "hashes", "sha256", hash));
	g_hash_table_insert(repo->artifacts, g_strdup(path), g_bytes_new(content, strlen(content)));
	g_hash_table_insert(repo->artifacts,
			    strcmp(folder, ".") == 0 ? g_strdup(prefixed)
						     : g_strconcat(folder, "/", prefixed, NULL),
			    g_bytes_new(content, strlen(content)));
}

/* ---- the source */

static inline GBytes *
repo_fetch_metadata(SatchelTufSource *source, const char *role, gint64 version, gsize max_bytes,
		    GError **error)
{
	Repo *repo = (Repo *)source;
	char *name = version != 0 ? g_strdup_printf("%" G_GINT64_FORMAT ".%s.json", version, role)
				  : g_strconcat(role, ".json", NULL);
	GBytes *document = g_hash_table_lookup(repo->files, name);
	int broken = GPOINTER_TO_INT(g_hash_table_lookup(repo->broken, name));

	g_ptr_array_add(repo->requests, name);
	if (broken != 0 || document == NULL) {
		g_set_error(error, SATCHEL_ERROR,
			    broken != 0 ? broken - 1 : (int)SATCHEL_ERROR_METADATA_NOT_FOUND,
			    "%s: not served", name);
		return NULL;
	}
	if (g_bytes_get_size(document) > max_bytes) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
			    "%s: longer than %" G_GSIZE_FORMAT, name, max_bytes);
		return NULL;
	}
	return g_bytes_ref(document);
}

static inline gboolean
repo_fetch_artifact(SatchelTufSource *source, const char *path, guint64 max_bytes,
		    gboolean (*sink)(gconstpointer, gsize, gpointer, GError **), gpointer user_data,
		    GError **error)
{
	Repo *repo = (Repo *)source;
	GBytes *content = g_hash_table_lookup(repo->artifacts, path);

	g_ptr_array_add(repo->requests, g_strdup(path));
	if (content == NULL) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED, "%s: not served",
			    path);
		return FALSE;
	}
	/* Byte by byte, and all of it: whoever listens has to count. */
	for (gsize i = 0; i < g_bytes_get_size(content); i++) {
		const char *data = g_bytes_get_data(content, NULL);

		if (!sink(data + i, 1, user_data, error))
			return FALSE;
	}
	return TRUE;
}

static inline void
repo_break(Repo *repo, const char *file, SatchelError code)
{
	g_hash_table_insert(repo->broken, g_strdup(file), GINT_TO_POINTER((int)code + 1));
}

/* What was asked for since the last time, with spaces between. (transfer full) */
static inline char *
repo_take_requests(Repo *repo)
{
	char *requests;

	g_ptr_array_add(repo->requests, NULL);
	requests = g_strjoinv(" ", (char **)repo->requests->pdata);
	g_ptr_array_set_size(repo->requests, 0);
	return requests;
}

static inline void
repo_free(SatchelTufSource *source)
{
	Repo *repo = (Repo *)source;

	g_hash_table_unref(repo->signed_);
	g_hash_table_unref(repo->signers);
	g_hash_table_unref(repo->files);
	g_hash_table_unref(repo->artifacts);
	g_hash_table_unref(repo->broken);
	g_ptr_array_unref(repo->requests);
	g_free(repo);
}

static inline void
repo_unref_json(gpointer value)
{
	json_decref(value);
}

/* Version 1 of the four roles, each with one key that is called like it. (transfer full) */
static inline Repo *
repo_new(SatchelDialect dialect)
{
	static const SatchelTufSourceClass klass = {
		.fetch_metadata = repo_fetch_metadata,
		.fetch_artifact = repo_fetch_artifact,
		.free = repo_free,
	};
	static const char *const roles[] = {"root", "timestamp", "snapshot", "targets"};
	Repo *repo = g_new0(Repo, 1);
	GDestroyNotify free_bytes = (GDestroyNotify)g_bytes_unref;

	g_assert_cmpint(sodium_init(), >=, 0);
	repo->source.klass = &klass;
	repo->dialect = dialect;
	repo->pinned = dialect == SATCHEL_DIALECT_UPTANE;
	repo->signed_ = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, repo_unref_json);
	repo->signers =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_strfreev);
	repo->files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_bytes);
	repo->artifacts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_bytes);
	repo->broken = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	repo->requests = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < G_N_ELEMENTS(roles); i++) {
		repo_signed(repo, roles[i], roles[i]);
		repo_set_signers(repo, roles[i], roles[i], NULL);
	}
	json_object_update_new(
		repo_body(repo, "root"),
		json_pack("{s:b, s:{}, s:{}}", "consistent_snapshot", 1, "keys", "roles"));
	for (guint i = 0; i < G_N_ELEMENTS(roles); i++)
		repo_set_key(repo, roles[i], roles[i]);
	json_object_set_new(repo_body(repo, "targets"), "targets", json_object());
	json_object_set_new(repo_body(repo, "snapshot"), "meta", json_object());
	json_object_set_new(repo_body(repo, "timestamp"), "meta", json_object());
	repo_publish(repo, "root");
	repo_publish(repo, "targets");
	repo_publish(repo, "snapshot");
	repo_publish(repo, "timestamp");
	return repo;
}
