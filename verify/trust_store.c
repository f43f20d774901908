#include "atomic_write.h"
#include "path_safety.h"
#include "safe_read.h"
#include "utc_time.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <satchel/trust_store.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOT_FILE "root.json"
#define HISTORY_FOLDER "roots"
#define FLOOR_FILE "time-floor"
#define FLOOR_BYTES 64u

/* Damaged floors that are kept. */
#define FLOOR_MAX_ASIDE 99u

/* What a file is to become on commit. */
typedef struct {
	GBytes *content;  /* NULL: nothing */
	gboolean removed; /* it was removed before that content came */
} StagedFile;

struct SatchelTrustStore {
	SatchelTrustStoreMode mode;
	char *dir;		    /* NULL: in memory only */
	int dir_fd;		    /* -1 while the folder is not there */
	gboolean floor_passed_over; /* it is damaged, and stands as if it were not there */
	gboolean swept;		    /* leftovers of killed processes have been removed */
	GHashTable *staged;	    /* path below the folder → StagedFile */
};

static void
staged_file_free(gpointer data)
{
	StagedFile *file = data;

	g_clear_pointer(&file->content, g_bytes_unref);
	g_free(file);
}

/* Whatever goes wrong with the store is a fault of the store, unless the disk is full. */
static void
recode(GError **error, const char *dir)
{
	if (error == NULL || *error == NULL)
		return;
	if (!g_error_matches(*error, SATCHEL_ERROR, SATCHEL_ERROR_NO_SPACE)) {
		(*error)->domain = SATCHEL_ERROR;
		(*error)->code = SATCHEL_ERROR_METADATA_FAILURE;
	}
	g_prefix_error(error, "trust store %s: ", dir);
}

static gboolean
fail_errno(const SatchelTrustStore *self, const char *file, int errsv, GError **error)
{
	g_autofree char *quoted = satchel_path_quote(file);

	g_set_error(error, SATCHEL_ERROR,
		    errsv == ENOSPC || errsv == EDQUOT ? SATCHEL_ERROR_NO_SPACE
						       : SATCHEL_ERROR_METADATA_FAILURE,
		    "trust store %s: %s: %s", self->dir, quoted, g_strerror(errsv));
	return FALSE;
}

/* ---- names */

static gboolean
is_top_level(const char *role, gboolean any_case)
{
	static const char *const roles[] = {"root", "timestamp", "snapshot", "targets"};

	for (guint i = 0; i < G_N_ELEMENTS(roles); i++) {
		if ((any_case ? g_ascii_strcasecmp(role, roles[i]) : strcmp(role, roles[i])) == 0)
			return TRUE;
	}
	return FALSE;
}

static char *
role_to_file(const char *role)
{
	g_autofree char *encoded = NULL;

	if (is_top_level(role, FALSE))
		return g_strconcat(role, ".json", NULL);
	/* `ROOT.json` is `root.json` where the file system does not tell cases apart; no other role
	 * is encoded with `%52`. */
	if (is_top_level(role, TRUE))
		return g_strdup_printf("%%%02X%s.json", (guint8)*role, role + 1);
	encoded = satchel_path_file_name(role);
	return g_strconcat(encoded, ".json", NULL);
}

static char *
history_file(gint64 version)
{
	return g_strdup_printf(HISTORY_FOLDER "/%" G_GINT64_FORMAT ".root.json", version);
}

/* ---- the disk */

/* Makes @path and what is missing above it, each durably. */
static gboolean
make_folder(const char *path)
{
	g_autofree char *parent = g_path_get_dirname(path);
	int fd;
	gboolean synced;

	if (mkdir(path, 0755) != 0) {
		if (errno == EEXIST)
			return TRUE;
		if (errno != ENOENT || strcmp(parent, path) == 0 || !make_folder(parent) ||
		    mkdir(path, 0755) != 0)
			return FALSE;
	}
	fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return FALSE;
	synced = fsync(fd) == 0;
	close(fd);
	return synced;
}

/* Leftovers of killed processes, in both folders. */
static void
store_sweep(SatchelTrustStore *self)
{
	int history = openat(self->dir_fd, HISTORY_FOLDER,
			     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	satchel_atomic_write_sweep(self->dir_fd);
	if (history < 0)
		return;
	satchel_atomic_write_sweep(history);
	close(history);
}

static gboolean
store_make_dir(SatchelTrustStore *self, GError **error)
{
	if (self->dir_fd < 0) {
		if (!make_folder(self->dir))
			return fail_errno(self, "cannot be made", errno, error);
		self->dir_fd = open(self->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (self->dir_fd < 0)
			return fail_errno(self, "cannot be opened", errno, error);
	}
	if (!self->swept)
		store_sweep(self);
	self->swept = TRUE;
	return TRUE;
}

/* The history's folder, open; the caller closes it. */
static int
store_open_history(SatchelTrustStore *self, GError **error)
{
	int fd;

	if (mkdirat(self->dir_fd, HISTORY_FOLDER, 0755) == 0) {
		if (fsync(self->dir_fd) != 0) {
			fail_errno(self, HISTORY_FOLDER, errno, error);
			return -1;
		}
	} else if (errno != EEXIST) {
		fail_errno(self, HISTORY_FOLDER, errno, error);
		return -1;
	}
	fd = openat(self->dir_fd, HISTORY_FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		fail_errno(self, HISTORY_FOLDER, errno, error);
	return fd;
}

static gboolean
disk_write(SatchelTrustStore *self, const char *file, GBytes *content, GError **error)
{
	const char *name = strrchr(file, '/');
	gboolean written;
	int folder;

	if (!store_make_dir(self, error))
		return FALSE;
	folder = name != NULL ? store_open_history(self, error) : self->dir_fd;
	if (folder < 0)
		return FALSE;
	written =
		satchel_atomic_write(folder, name != NULL ? name + 1 : file, content, 0644, error);
	if (name != NULL)
		close(folder);
	if (!written)
		recode(error, self->dir);
	return written;
}

static gboolean
disk_remove(SatchelTrustStore *self, const char *file, GError **error)
{
	if (self->dir_fd < 0)
		return TRUE;
	if (unlinkat(self->dir_fd, file, 0) != 0)
		return errno == ENOENT ? TRUE : fail_errno(self, file, errno, error);
	if (fsync(self->dir_fd) != 0)
		return fail_errno(self, file, errno, error);
	return TRUE;
}

/* ---- one file, staged or on the disk */

static GBytes *
store_read(SatchelTrustStore *self, const char *file, gsize max_bytes, GError **error)
{
	StagedFile *staged = g_hash_table_lookup(self->staged, file);
	g_autoptr(GError) local_error = NULL;
	GBytes *content = NULL;

	if (staged != NULL)
		return staged->content != NULL ? g_bytes_ref(staged->content) : NULL;
	if (self->dir_fd < 0)
		return NULL;
	content = satchel_safe_read(self->dir_fd, file, max_bytes, &local_error);
	if (content != NULL ||
	    g_error_matches(local_error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND))
		return content;
	recode(&local_error, self->dir);
	g_propagate_error(error, g_steal_pointer(&local_error));
	return NULL;
}

/* @content: NULL removes the file. */
static gboolean
store_put(SatchelTrustStore *self, const char *file, GBytes *content, GError **error)
{
	StagedFile *staged;

	if (self->mode == SATCHEL_TRUST_STORE_DIRECT)
		return content != NULL ? disk_write(self, file, content, error)
				       : disk_remove(self, file, error);
	staged = g_hash_table_lookup(self->staged, file);
	if (staged == NULL) {
		staged = g_new0(StagedFile, 1);
		g_hash_table_insert(self->staged, g_strdup(file), staged);
	}
	g_clear_pointer(&staged->content, g_bytes_unref);
	if (content != NULL)
		staged->content = g_bytes_ref(content);
	else
		staged->removed = TRUE;
	return TRUE;
}

SatchelTrustStore *
satchel_trust_store_open(const char *dir, SatchelTrustStoreMode mode, GError **error)
{
	g_autoptr(SatchelTrustStore) self = g_new0(SatchelTrustStore, 1);

	self->mode = dir != NULL ? mode : SATCHEL_TRUST_STORE_READ_ONLY;
	self->dir = g_strdup(dir);
	self->dir_fd = -1;
	self->staged = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, staged_file_free);
	if (dir == NULL)
		return g_steal_pointer(&self);
	self->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (self->dir_fd < 0 && errno != ENOENT) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_FAILURE,
			    "trust store %s: %s", dir, g_strerror(errno));
		return NULL;
	}
	return g_steal_pointer(&self);
}

GBytes *
satchel_trust_store_load(SatchelTrustStore *self, const char *role, gsize max_bytes, GError **error)
{
	g_autofree char *file = role_to_file(role);

	return store_read(self, file, max_bytes, error);
}

gboolean
satchel_trust_store_save(SatchelTrustStore *self, const char *role, GBytes *document,
			 GError **error)
{
	g_autofree char *file = role_to_file(role);

	if (strcmp(file, ROOT_FILE) == 0) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_FAILURE,
			    "only a verified root can be stored as such");
		return FALSE;
	}
	return store_put(self, file, document, error);
}

gboolean
satchel_trust_store_remove(SatchelTrustStore *self, const char *role, GError **error)
{
	g_autofree char *file = role_to_file(role);

	return store_put(self, file, NULL, error);
}

/* ---- root */

gboolean
satchel_trust_store_save_root(SatchelTrustStore *self, const SatchelRoot *root, GError **error)
{
	g_autofree char *file = history_file(satchel_root_get_version(root));

	return store_put(self, file, satchel_root_get_bytes(root), error) &&
	       store_put(self, ROOT_FILE, satchel_root_get_bytes(root), error);
}

gboolean
satchel_trust_store_knows_root(SatchelTrustStore *self, const SatchelRoot *root)
{
	g_autofree char *file = history_file(satchel_root_get_version(root));
	g_autoptr(GBytes) stored = store_read(self, file, SATCHEL_LIMIT_ROOT_BYTES, NULL);

	return stored != NULL && g_bytes_equal(stored, satchel_root_get_bytes(root));
}

gboolean
satchel_trust_store_advance_root(SatchelTrustStore *self, const SatchelRoot *trusted,
				 const SatchelRoot *next, GError **error)
{
	g_autofree char *file = history_file(satchel_root_get_version(next));

	if (!store_put(self, file, satchel_root_get_bytes(next), error))
		return FALSE;
	if ((!satchel_root_same_role_keys(trusted, next, "timestamp") ||
	     !satchel_root_same_role_keys(trusted, next, "snapshot")) &&
	    (!satchel_trust_store_remove(self, "timestamp", error) ||
	     !satchel_trust_store_remove(self, "snapshot", error)))
		return FALSE;
	return store_put(self, ROOT_FILE, satchel_root_get_bytes(next), error);
}

/* What the store has for the version after @trusted, verified; NULL where that leads nowhere. */
static SatchelRoot *
load_next_root(SatchelTrustStore *self, const SatchelRoot *trusted)
{
	gint64 version = satchel_root_get_version(trusted);
	g_autofree char *history = history_file(version < G_MAXINT64 ? version + 1 : version);
	const char *const files[] = {history, ROOT_FILE};

	for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autoptr(GBytes) document =
			store_read(self, files[i], SATCHEL_LIMIT_ROOT_BYTES, NULL);
		SatchelRoot *next = NULL;

		/* What is no root of this chain is as good as absent. */
		if (document != NULL)
			next = satchel_root_advance(trusted, document, NULL);
		if (next != NULL)
			return next;
	}
	return NULL;
}

static void
set_no_root(const SatchelTrustStore *self, GError **error)
{
	g_autofree char *quoted = satchel_path_quote(self->dir != NULL ? self->dir : "in memory");
	g_autofree char *how = self->dir == NULL
				       ? g_strdup("give it one first")
				       : g_strdup_printf("give it one: satchel-verify tuf "
							 "--metadata-dir %s init ROOT.json",
							 quoted);

	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND,
		    "trust store %s: no trusted root; %s", quoted, how);
}

/* Where the chain begins: what the caller vouches for, or root.json as it is. */
static SatchelRoot *
load_first_root(SatchelTrustStore *self, SatchelRoot *provisioned, GError **error)
{
	g_autoptr(GError) local_error = NULL;
	g_autoptr(GBytes) document = NULL;
	SatchelRoot *root;

	if (provisioned != NULL)
		return satchel_root_ref(provisioned);
	document = store_read(self, ROOT_FILE, SATCHEL_LIMIT_ROOT_BYTES, &local_error);
	if (local_error != NULL) {
		g_propagate_error(error, g_steal_pointer(&local_error));
		return NULL;
	}
	if (document == NULL) {
		set_no_root(self, error);
		return NULL;
	}
	root = satchel_root_new_trusted(document, &local_error);
	if (root == NULL)
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_FAILURE,
			    "trust store %s: " ROOT_FILE
			    " is damaged (%s); begin again with the root that you trust",
			    self->dir != NULL ? self->dir : "in memory", local_error->message);
	return root;
}

/* Follows @first to the newest root that the store has. From @stored on, each link is stored as if
 * it came now; the links before it have been. */
static SatchelRoot *
follow_roots(SatchelTrustStore *self, SatchelRoot *first, GBytes *stored, gboolean *met_stored,
	     GError **error)
{
	g_autoptr(SatchelRoot) newest = satchel_root_ref(first);

	for (;;) {
		g_autoptr(SatchelRoot) next = NULL;

		if (stored != NULL && g_bytes_equal(satchel_root_get_bytes(newest), stored))
			*met_stored = TRUE;
		next = load_next_root(self, newest);
		if (next == NULL)
			return g_steal_pointer(&newest);
		if (*met_stored && !satchel_trust_store_advance_root(self, newest, next, error))
			return NULL;
		satchel_root_unref(newest);
		newest = g_steal_pointer(&next);
	}
}

/* Puts @root in the place of what @stored holds, which is not of its chain. */
static gboolean
replace_root(SatchelTrustStore *self, GBytes *stored, const SatchelRoot *root, GError **error)
{
	g_autoptr(SatchelRoot) old = NULL;

	if (stored != NULL)
		old = satchel_root_new_trusted(stored, NULL);
	return old != NULL ? satchel_trust_store_advance_root(self, old, root, error)
			   : satchel_trust_store_save_root(self, root, error);
}

SatchelRoot *
satchel_trust_store_load_root(SatchelTrustStore *self, SatchelRoot *provisioned, GError **error)
{
	g_autoptr(GBytes) stored = NULL;
	g_autoptr(SatchelRoot) first = NULL;
	g_autoptr(SatchelRoot) newest = NULL;
	gboolean met_stored = FALSE;

	first = load_first_root(self, provisioned, error);
	if (first == NULL)
		return NULL;
	/* Unreadable is as bad as foreign: both are replaced. */
	stored = store_read(self, ROOT_FILE, SATCHEL_LIMIT_ROOT_BYTES, NULL);
	newest = follow_roots(self, first, stored, &met_stored, error);
	if (newest == NULL)
		return NULL;
	if (!met_stored && !replace_root(self, stored, newest, error))
		return NULL;
	return g_steal_pointer(&newest);
}

/* The highest N of "N.root.json" in the history; 0 where it is empty, negative where it cannot be
 * read. */
static gint64
newest_in_history(const SatchelTrustStore *self, gint64 below)
{
	g_autofree char *path = g_strdup_printf("%s/" HISTORY_FOLDER, self->dir);
	g_autoptr(GError) local_error = NULL;
	g_autoptr(GDir) dir = g_dir_open(path, 0, &local_error);
	const char *name = NULL;
	gint64 newest = 0;

	if (dir == NULL)
		return g_error_matches(local_error, G_FILE_ERROR, G_FILE_ERROR_NOENT) ? 0 : -1;
	while ((name = g_dir_read_name(dir)) != NULL) {
		gint64 version = g_ascii_strtoll(name, NULL, 10);
		g_autofree char *file = history_file(version);

		if (version < below && version > newest &&
		    strcmp(file + strlen(HISTORY_FOLDER "/"), name) == 0)
			newest = version;
	}
	return newest;
}

static gboolean
has_root_file(const SatchelTrustStore *self)
{
	struct stat info;

	return fstatat(self->dir_fd, ROOT_FILE, &info, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

SatchelRoot *
satchel_trust_store_load_remembered(SatchelTrustStore *self, GError **error)
{
	gint64 version = self->dir_fd < 0 ? 0 : newest_in_history(self, G_MAXINT64);
	gboolean empty = version == 0 && (self->dir_fd < 0 || !has_root_file(self));

	if (empty)
		return NULL;
	for (; version > 0; version = newest_in_history(self, version)) {
		g_autofree char *file = history_file(version);
		g_autoptr(GBytes) document = store_read(self, file, SATCHEL_LIMIT_ROOT_BYTES, NULL);
		SatchelRoot *root =
			document == NULL ? NULL : satchel_root_new_trusted(document, NULL);

		if (root != NULL && satchel_root_get_version(root) == version)
			return root;
		g_clear_pointer(&root, satchel_root_unref);
	}
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_FAILURE,
		    "trust store %s: " ROOT_FILE
		    " is damaged, and so are the roots before it; give "
		    "the device the root that you trust, or remove the folder to begin again",
		    self->dir);
	return NULL;
}

/* ---- time floor */

gboolean
satchel_trust_store_load_floor(SatchelTrustStore *self, gint64 *floor_s, GError **error)
{
	g_autoptr(GError) local_error = NULL;
	g_autoptr(GBytes) content = NULL;
	g_autofree char *text = NULL;

	*floor_s = 0;
	if (self->floor_passed_over)
		return TRUE;
	content = store_read(self, FLOOR_FILE, FLOOR_BYTES, &local_error);
	if (local_error != NULL) {
		g_propagate_error(error, g_steal_pointer(&local_error));
		return FALSE;
	}
	if (content == NULL)
		return TRUE;
	text = g_strndup(g_bytes_get_data(content, NULL), g_bytes_get_size(content));
	/* Exactly what was written: a NUL or a second line is damage, too. */
	if (strlen(text) == g_bytes_get_size(content) && g_str_has_suffix(text, "\n")) {
		text[strlen(text) - 1] = '\0';
		if (satchel_utc_time_parse(text, floor_s, NULL))
			return TRUE;
	}
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_FAILURE,
		    "trust store %s: " FLOOR_FILE
		    " is damaged; set it to a time that has passed for certain, or remove it",
		    self->dir);
	return FALSE;
}

/* A name that is free for the damaged floor. (transfer full) (nullable) */
static char *
floor_aside_name(const SatchelTrustStore *self)
{
	for (guint i = 1; i <= FLOOR_MAX_ASIDE; i++) {
		g_autofree char *name = g_strdup_printf(FLOOR_FILE ".damaged-%u", i);
		struct stat info;

		if (fstatat(self->dir_fd, name, &info, AT_SYMLINK_NOFOLLOW) != 0)
			return errno == ENOENT ? g_steal_pointer(&name) : NULL;
	}
	return NULL;
}

gboolean
satchel_trust_store_set_floor_aside(SatchelTrustStore *self, GError **error)
{
	g_autofree char *name = NULL;

	if (self->mode == SATCHEL_TRUST_STORE_READ_ONLY || self->dir_fd < 0) {
		self->floor_passed_over = TRUE;
		return TRUE;
	}
	name = floor_aside_name(self);
	if (name == NULL)
		return fail_errno(self, FLOOR_FILE, EEXIST, error);
	if (renameat(self->dir_fd, FLOOR_FILE, self->dir_fd, name) != 0 || fsync(self->dir_fd) != 0)
		return fail_errno(self, FLOOR_FILE, errno, error);
	return TRUE;
}

gboolean
satchel_trust_store_raise_floor(SatchelTrustStore *self, gint64 verified_s, GError **error)
{
	gint64 floor_s = 0;
	g_autofree char *time = NULL;
	g_autofree char *line = NULL;
	g_autoptr(GBytes) content = NULL;

	if (!satchel_trust_store_load_floor(self, &floor_s, error))
		return FALSE;
	if (verified_s <= floor_s)
		return TRUE;
	time = satchel_utc_time_format(verified_s);
	line = g_strconcat(time, "\n", NULL);
	content = g_bytes_new(line, strlen(line));
	return store_put(self, FLOOR_FILE, content, error);
}

/* ---- a copy */

/* Puts what lies in one folder of the store into @copy. @below: "" or HISTORY_FOLDER "/". */
static gboolean
copy_folder(SatchelTrustStore *self, const char *below, SatchelTrustStore *copy, GError **error)
{
	int fd = openat(self->dir_fd, *below == '\0' ? "." : below,
			O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry = NULL;
	g_autoptr(GError) local_error = NULL;
	gboolean good = TRUE;

	/* No history is fine. */
	if (entries == NULL) {
		if (fd >= 0)
			close(fd);
		return TRUE;
	}
	while (good && local_error == NULL && (entry = readdir(entries)) != NULL) {
		g_autofree char *file = g_strconcat(below, entry->d_name, NULL);
		g_autoptr(GBytes) content = NULL;

		if (!g_str_has_suffix(file, ".json"))
			continue;
		content = store_read(self, file, SATCHEL_LIMIT_TARGETS_BYTES, &local_error);
		if (content != NULL)
			good = store_put(copy, file, content, &local_error);
	}
	(void)closedir(entries);
	if (local_error == NULL)
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&local_error));
	return FALSE;
}

SatchelTrustStore *
satchel_trust_store_copy(SatchelTrustStore *self, GError **error)
{
	g_autoptr(SatchelTrustStore) copy =
		satchel_trust_store_open(NULL, SATCHEL_TRUST_STORE_READ_ONLY, error);
	GHashTableIter iter;
	gpointer file = NULL;
	gpointer staged = NULL;

	if (copy == NULL ||
	    (self->dir_fd >= 0 && (!copy_folder(self, "", copy, error) ||
				   !copy_folder(self, HISTORY_FOLDER "/", copy, error))))
		return NULL;
	g_hash_table_iter_init(&iter, self->staged);
	while (g_hash_table_iter_next(&iter, &file, &staged)) {
		GBytes *content = ((StagedFile *)staged)->content;

		if (!store_put(copy, file, content, error))
			return NULL;
	}
	return g_steal_pointer(&copy);
}

/* ---- commit */

/* The order on the disk: the history, then what is forgotten, then root, then the roles from the
 * most trusted down. Stopped anywhere, what is there is a valid older set: a root in the history
 * becomes root.json at the next start, and a role that its superior no longer lists is fetched
 * again. */
static guint
commit_rank(const char *file)
{
	static const char *const order[] = {ROOT_FILE, "timestamp.json", "snapshot.json",
					    "targets.json"};

	if (g_str_has_prefix(file, HISTORY_FOLDER "/"))
		return 0;
	for (guint i = 0; i < G_N_ELEMENTS(order); i++) {
		if (strcmp(file, order[i]) == 0)
			return i + 1;
	}
	return G_N_ELEMENTS(order) + 1;
}

static int
compare_for_commit(gconstpointer a, gconstpointer b)
{
	const char *left = *(const char *const *)a;
	const char *right = *(const char *const *)b;
	guint left_rank = commit_rank(left);
	guint right_rank = commit_rank(right);

	if (left_rank != right_rank)
		return left_rank < right_rank ? -1 : 1;
	/* Shorter first, so that root 9 comes before root 10. */
	if (strlen(left) != strlen(right))
		return strlen(left) < strlen(right) ? -1 : 1;
	return strcmp(left, right);
}

/* One step of it: the history, removals, or all else. */
typedef enum { COMMIT_HISTORY, COMMIT_REMOVALS, COMMIT_REST } CommitStep;

static gboolean
commit_file(SatchelTrustStore *self, CommitStep step, const char *file, const StagedFile *staged,
	    GError **error)
{
	gboolean is_history = commit_rank(file) == 0;

	if (step == COMMIT_REMOVALS)
		return staged->removed ? disk_remove(self, file, error) : TRUE;
	if (staged->content == NULL || is_history != (step == COMMIT_HISTORY))
		return TRUE;
	return disk_write(self, file, staged->content, error);
}

gboolean
satchel_trust_store_commit(SatchelTrustStore *self, GError **error)
{
	g_autofree gpointer *files = NULL;
	guint n_files = 0;

	if (g_hash_table_size(self->staged) == 0)
		return TRUE;
	if (self->mode == SATCHEL_TRUST_STORE_READ_ONLY) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_FAILURE,
			    "trust store %s is open for reading only",
			    self->dir != NULL ? self->dir : "in memory");
		return FALSE;
	}
	files = g_hash_table_get_keys_as_array(self->staged, &n_files);
	qsort(files, n_files, sizeof(*files), compare_for_commit);
	for (CommitStep step = COMMIT_HISTORY; step <= COMMIT_REST; step++) {
		for (guint i = 0; i < n_files; i++) {
			if (!commit_file(self, step, files[i],
					 g_hash_table_lookup(self->staged, files[i]), error))
				return FALSE;
		}
	}
	g_hash_table_remove_all(self->staged);
	return TRUE;
}

void
satchel_trust_store_free(SatchelTrustStore *self)
{
	if (self == NULL)
		return;
	if (self->dir_fd >= 0)
		close(self->dir_fd);
	g_hash_table_unref(self->staged);
	g_free(self->dir);
	g_free(self);
}
