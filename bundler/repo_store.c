#include "repo_store.h"
#include "../verify/atomic_write.h"
#include "../verify/json.h"
#include "../verify/safe_read.h"
#include "../verify/threshold.h"
#include "../verify/write_all.h"
#include "file_error.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SETTINGS_FILE "repo.json"
#define KEY_FILE_MAX_BYTES (64u * 1024u)
#define MAX_DAYS 36525
#define LAST_SECOND 253402300799 /* of the year 9999 */

struct SatchelRepoStore {
	int dir_fd; /* locked */
	int keys_fd;
	int metadata_fd;
	char *path;
	SatchelRepoSettings settings;
	gint64 root_version;
	json_t *root;
};

static const char *const scheme_names[] = {
	[SATCHEL_SCHEME_ED25519] = "ed25519",
	[SATCHEL_SCHEME_RSASSA_PSS_SHA256] = "rsa",
	[SATCHEL_SCHEME_ECDSA_SHA2_NISTP256] = "ecdsa",
};

static const char *const dialect_names[] = {
	[SATCHEL_DIALECT_TUF] = "tuf",
	[SATCHEL_DIALECT_UPTANE] = "uptane",
};

/* ---- settings ---- */

static gboolean
save_settings(SatchelRepoStore *self, GError **error)
{
	const SatchelRepoSettings *settings = &self->settings;
	g_autoptr(SatchelJson) days = json_object();
	g_autoptr(SatchelJson) tree = NULL;
	g_autoptr(GBytes) file = NULL;

	for (guint i = 0; i < SATCHEL_N_ROLES; i++)
		json_object_set_new(days, satchel_role_author_name((SatchelRole)i),
				    json_integer(settings->expires_days[i]));
	tree = json_pack("{s:s, s:s, s:O}", "dialect", dialect_names[settings->dialect], "key-type",
			 scheme_names[settings->scheme], "expires-days", days);
	file = satchel_role_author_file(tree, error);
	return file != NULL && satchel_atomic_write(self->dir_fd, SETTINGS_FILE, file, 0644, error);
}

static gboolean
lookup_name(json_t *tree, const char *member, const char *const *names, guint n_names, guint *found,
	    GError **error)
{
	const char *text = satchel_json_get_string(tree, member, error);

	for (guint i = 0; text != NULL && i < n_names; i++) {
		if (strcmp(text, names[i]) == 0) {
			*found = i;
			return TRUE;
		}
	}
	if (text != NULL)
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
			    "'%s' has no known value", member);
	return FALSE;
}

static gboolean
read_settings(json_t *tree, SatchelRepoSettings *settings, GError **error)
{
	guint dialect = 0;
	guint scheme = 0;
	json_t *days;

	if (!lookup_name(tree, "dialect", dialect_names, G_N_ELEMENTS(dialect_names), &dialect,
			 error) ||
	    !lookup_name(tree, "key-type", scheme_names, G_N_ELEMENTS(scheme_names), &scheme,
			 error))
		return FALSE;
	settings->dialect = (SatchelDialect)dialect;
	settings->scheme = (SatchelScheme)scheme;
	days = satchel_json_get_object(tree, "expires-days", error);
	for (guint i = 0; i < SATCHEL_N_ROLES; i++)
		if (days == NULL ||
		    !satchel_json_get_int(days, satchel_role_author_name((SatchelRole)i), 1,
					  MAX_DAYS, &settings->expires_days[i], error))
			return FALSE;
	return TRUE;
}

static gboolean
load_settings(SatchelRepoStore *self, GError **error)
{
	g_autoptr(GBytes) file =
		satchel_safe_read(self->dir_fd, SETTINGS_FILE, KEY_FILE_MAX_BYTES, error);
	g_autoptr(SatchelJson) tree = NULL;

	if (file == NULL) {
		g_prefix_error(error, "%s is no repository made by `repo init`: ", self->path);
		return FALSE;
	}
	tree = satchel_json_parse(file, error);
	if (tree != NULL && read_settings(tree, &self->settings, error))
		return TRUE;
	g_prefix_error(error, "%s/" SETTINGS_FILE ": ", self->path);
	return FALSE;
}

const SatchelRepoSettings *
satchel_repo_store_get_settings(const SatchelRepoStore *self)
{
	return &self->settings;
}

gint64
satchel_repo_store_expiry(const SatchelRepoStore *self, SatchelRole role, gint64 now_s)
{
	return MIN(now_s + self->settings.expires_days[role] * 86400, LAST_SECOND);
}

/* ---- opening ---- */

static SatchelRepoStore *
store_new(int dir_fd, const char *path)
{
	SatchelRepoStore *self = g_new0(SatchelRepoStore, 1);

	self->dir_fd = dir_fd;
	self->keys_fd = -1;
	self->metadata_fd = -1;
	self->path = g_strdup(path);
	return self;
}

static gboolean
open_folders(SatchelRepoStore *self, GError **error)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

	self->keys_fd = openat(self->dir_fd, "keys", flags);
	if (self->keys_fd < 0)
		return satchel_file_error_set(error, errno, self->path, "open its folder 'keys'");
	self->metadata_fd = openat(self->dir_fd, "metadata", flags);
	if (self->metadata_fd < 0)
		return satchel_file_error_set(error, errno, self->path,
					      "open its folder 'metadata'");
	return TRUE;
}

SatchelRepoStore *
satchel_repo_store_create(int dir_fd, const char *path, const SatchelRepoSettings *settings,
			  GError **error)
{
	g_autoptr(SatchelRepoStore) self = store_new(fcntl(dir_fd, F_DUPFD_CLOEXEC, 3), path);

	self->settings = *settings;
	if (self->dir_fd < 0 || mkdirat(dir_fd, "keys", 0700) != 0 ||
	    mkdirat(dir_fd, "metadata", 0755) != 0) {
		satchel_file_error_set(error, errno, path, "make its folders");
		return NULL;
	}
	if (!open_folders(self, error) || !save_settings(self, error))
		return NULL;
	return g_steal_pointer(&self);
}

/* The newest root: the last of an unbroken run from 1. */
static gboolean
load_newest_root(SatchelRepoStore *self, GError **error)
{
	g_autoptr(GBytes) newest = NULL;
	g_autoptr(SatchelRoot) root = NULL;

	for (gint64 version = 1; version <= G_MAXINT32; version++) {
		g_autofree char *name = g_strdup_printf("%" G_GINT64_FORMAT ".root.json", version);
		g_autoptr(GError) local_error = NULL;
		g_autoptr(GBytes) file = satchel_safe_read(self->metadata_fd, name,
							   SATCHEL_LIMIT_ROOT_BYTES, &local_error);

		if (file == NULL && version > 1 &&
		    g_error_matches(local_error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND))
			break;
		if (file == NULL) {
			g_propagate_prefixed_error(error, g_steal_pointer(&local_error),
						   "%s/metadata: ", self->path);
			return FALSE;
		}
		g_clear_pointer(&newest, g_bytes_unref);
		newest = g_steal_pointer(&file);
		self->root_version = version;
	}
	root = satchel_root_new_trusted(newest, error);
	self->root = root != NULL ? satchel_json_parse(newest, error) : NULL;
	if (self->root == NULL) {
		g_prefix_error(error, "%s/metadata/%" G_GINT64_FORMAT ".root.json: ", self->path,
			       self->root_version);
		return FALSE;
	}
	return TRUE;
}

SatchelRepoStore *
satchel_repo_store_open(const char *path, GError **error)
{
	g_autoptr(SatchelRepoStore) self =
		store_new(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), path);

	if (self->dir_fd < 0) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND,
			    "%s: no repository there: %s; `repo init` makes one", path,
			    g_strerror(errno));
		return NULL;
	}
	if (flock(self->dir_fd, LOCK_EX | LOCK_NB) != 0) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_BUSY,
			    "%s: another satchel-bundler is changing this repository", path);
		return NULL;
	}
	if (!load_settings(self, error) || !open_folders(self, error) ||
	    !load_newest_root(self, error))
		return NULL;
	/* What an author who was killed has left; with the lock it is nobody's. */
	satchel_atomic_write_sweep(self->dir_fd);
	satchel_atomic_write_sweep(self->metadata_fd);
	return g_steal_pointer(&self);
}

/* ---- roles ---- */

gint64
satchel_repo_store_get_root_version(const SatchelRepoStore *self)
{
	return self->root_version;
}

json_t *
satchel_repo_store_get_root(const SatchelRepoStore *self)
{
	return self->root;
}

gboolean
satchel_repo_store_save_root(SatchelRepoStore *self, GBytes *file, GError **error)
{
	g_autoptr(SatchelJson) tree = satchel_json_parse(file, error);
	g_autofree char *name =
		g_strdup_printf("%" G_GINT64_FORMAT ".root.json", self->root_version + 1);

	if (tree == NULL || !satchel_atomic_write(self->metadata_fd, name, file, 0644, error))
		return FALSE;
	self->root_version += 1;
	json_decref(self->root);
	self->root = g_steal_pointer(&tree);
	return TRUE;
}

static json_t *
role_of(const SatchelRepoStore *self, SatchelRole role)
{
	json_t *roles = json_object_get(json_object_get(self->root, "signed"), "roles");

	return json_object_get(roles, satchel_role_author_name(role));
}

static SatchelRoleKeys *
role_keys(const SatchelRepoStore *self, SatchelRole role, GError **error)
{
	json_t *keys = json_object_get(json_object_get(self->root, "signed"), "keys");

	return satchel_role_keys_new(keys, role_of(self, role), self->settings.dialect, error);
}

guint
satchel_repo_store_get_n_keys(const SatchelRepoStore *self, SatchelRole role)
{
	return (guint)json_array_size(json_object_get(role_of(self, role), "keyids"));
}

guint
satchel_repo_store_get_threshold(const SatchelRepoStore *self, SatchelRole role)
{
	return (guint)json_integer_value(json_object_get(role_of(self, role), "threshold"));
}

json_t *
satchel_repo_store_load_role(SatchelRepoStore *self, SatchelRole role, gboolean *valid,
			     GError **error)
{
	g_autofree char *name = g_strdup_printf("%s.json", satchel_role_author_name(role));
	g_autoptr(GBytes) file =
		satchel_safe_read(self->metadata_fd, name, SATCHEL_LIMIT_TARGETS_BYTES, error);
	g_autoptr(SatchelJson) tree = file != NULL ? satchel_json_parse(file, error) : NULL;
	g_autoptr(SatchelRoleKeys) keys = NULL;
	g_autoptr(GBytes) message = NULL;
	json_t *signed_ = tree != NULL ? satchel_json_get_object(tree, "signed", error) : NULL;
	json_t *signatures =
		signed_ != NULL ? satchel_json_get_array(tree, "signatures", error) : NULL;

	if (signatures != NULL)
		keys = role_keys(self, role, error);
	if (keys != NULL)
		message = satchel_json_canonicalize(signed_, self->settings.dialect, error);
	if (message == NULL) {
		g_prefix_error(error, "%s/metadata/%s: ", self->path, name);
		return NULL;
	}
	*valid = satchel_role_keys_verify(keys, signatures, message, NULL);
	return g_steal_pointer(&tree);
}

gboolean
satchel_repo_store_save_role(SatchelRepoStore *self, SatchelRole role, GBytes *file, GError **error)
{
	g_autofree char *name = g_strdup_printf("%s.json", satchel_role_author_name(role));

	return satchel_atomic_write(self->metadata_fd, name, file, 0644, error);
}

/* ---- keys ---- */

/* O_EXCL on the final name: a key that is there is never replaced, not even by itself. Killed
 * before the root names it, it is an orphan that does no harm. */
static gboolean
save_key(SatchelRepoStore *self, SatchelRole role, const SatchelPrivateKey *key, GError **error)
{
	g_autofree char *keyid = satchel_private_key_keyid(key, self->settings.dialect);
	g_autofree char *name = g_strdup_printf("%s-%s.pem", satchel_role_author_name(role), keyid);
	g_autofree char *path = g_build_filename(self->path, "keys", name, NULL);
	g_autoptr(GBytes) pem = satchel_private_key_to_pem(key, error);
	int fd;
	int system_error = 0;

	if (pem == NULL)
		return FALSE;
	fd = openat(self->keys_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	if (fd < 0)
		return satchel_file_error_set(error, errno, path, "create it");
	if (!satchel_write_all(fd, g_bytes_get_data(pem, NULL), g_bytes_get_size(pem)) ||
	    fsync(fd) != 0)
		system_error = errno;
	if (close(fd) != 0 && system_error == 0)
		system_error = errno;
	if (system_error == 0 && fsync(self->keys_fd) != 0)
		system_error = errno;
	if (system_error == 0)
		return TRUE;
	(void)unlinkat(self->keys_fd, name, 0);
	return satchel_file_error_set(error, system_error, path, "write it");
}

GPtrArray *
satchel_repo_store_make_keys(SatchelRepoStore *self, SatchelRole role, guint n_keys, GError **error)
{
	g_autoptr(GPtrArray) keys =
		g_ptr_array_new_with_free_func((GDestroyNotify)satchel_private_key_free);

	for (guint i = 0; i < n_keys; i++) {
		SatchelPrivateKey *key = satchel_private_key_generate(self->settings.scheme, error);

		if (key == NULL)
			return NULL;
		g_ptr_array_add(keys, key);
		if (!save_key(self, role, key, error))
			return NULL;
	}
	return g_steal_pointer(&keys);
}

/* NULL without error where the file is absent: several people may keep the keys of one role. */
static SatchelPrivateKey *
load_key(SatchelRepoStore *self, const char *name, const char *keyid, GError **error)
{
	g_autoptr(GError) local_error = NULL;
	g_autoptr(SatchelPrivateKey) key = NULL;
	g_autofree char *actual = NULL;
	gsize n_bytes = 0;
	GBytes *file = satchel_safe_read(self->keys_fd, name, KEY_FILE_MAX_BYTES, &local_error);
	gpointer pem;

	if (file == NULL) {
		if (!g_error_matches(local_error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND))
			g_propagate_prefixed_error(error, g_steal_pointer(&local_error),
						   "%s/keys: ", self->path);
		return NULL;
	}
	pem = g_bytes_unref_to_data(file, &n_bytes);
	key = satchel_private_key_new_from_pem(pem, n_bytes, error);
	OPENSSL_cleanse(pem, n_bytes);
	g_free(pem);
	if (key == NULL) {
		g_prefix_error(error, "%s/keys/%s: ", self->path, name);
		return NULL;
	}
	actual = satchel_private_key_keyid(key, self->settings.dialect);
	if (strcmp(actual, keyid) != 0) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
			    "%s/keys/%s: holds another key, %s", self->path, name, actual);
		return NULL;
	}
	return g_steal_pointer(&key);
}

GPtrArray *
satchel_repo_store_load_keys(SatchelRepoStore *self, SatchelRole role, GError **error)
{
	g_autoptr(GPtrArray) keys =
		g_ptr_array_new_with_free_func((GDestroyNotify)satchel_private_key_free);
	json_t *keyids = json_object_get(role_of(self, role), "keyids");
	guint threshold = satchel_repo_store_get_threshold(self, role);
	const char *role_name = satchel_role_author_name(role);

	for (size_t i = 0; i < json_array_size(keyids); i++) {
		const char *keyid = json_string_value(json_array_get(keyids, i));
		g_autofree char *name = g_strdup_printf("%s-%s.pem", role_name, keyid);
		g_autoptr(GError) local_error = NULL;
		SatchelPrivateKey *key = load_key(self, name, keyid, &local_error);

		if (local_error != NULL) {
			g_propagate_error(error, g_steal_pointer(&local_error));
			return NULL;
		}
		if (key != NULL)
			g_ptr_array_add(keys, key);
	}
	if (keys->len < threshold) {
		g_set_error(
			error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
			"%s/keys: %u of the %u keys that must sign %s are here; put the missing "
			"%s-KEYID.pem there",
			self->path, keys->len, threshold, role_name, role_name);
		return NULL;
	}
	return g_steal_pointer(&keys);
}

void
satchel_repo_store_free(SatchelRepoStore *self)
{
	if (self->dir_fd >= 0)
		close(self->dir_fd);
	if (self->keys_fd >= 0)
		close(self->keys_fd);
	if (self->metadata_fd >= 0)
		close(self->metadata_fd);
	json_decref(self->root);
	g_free(self->path);
	g_free(self);
}
