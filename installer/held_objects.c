#include "held_objects.h"
#include "../verify/cancel.h"
#include "../verify/digest.h"
#include "../verify/hex.h"
#include "../verify/progress.h"
#include "parallel_each.h"
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* libostree's names below the repository. */
#define TMP_DIR "tmp"
#define STAGING_PREFIX "staging-"
#define LOCK_SUFFIX "-lock"

/* Part of the name of a staging folder. */
#define BOOT_ID "/proc/sys/kernel/random/boot_id"

/* Open at a time while a folder is deleted. */
#define DELETE_FDS 16

/* Read at a time while an object is hashed. */
#define HASH_BYTES (128u * 1024u)

/* libostree's own check does the same with a slower hash. */
static gboolean
is_good_metadata(OstreeRepo *repo, SatchelObjectType type, const char *checksum)
{
	g_autoptr(GVariant) variant = NULL;
	g_autofree char *found = NULL;

	if (!ostree_repo_load_variant(repo, (OstreeObjectType)type, checksum, &variant, NULL))
		return FALSE;
	found = satchel_digest_sha256_hex(g_variant_get_data(variant), g_variant_get_size(variant));
	return strcmp(found, checksum) == 0;
}

/* What the repository knows of a file beside its content, as it is hashed. (transfer full) */
static GBytes *
hashed_header(GFileInfo *info, GVariant *xattrs)
{
	gboolean is_link = g_file_info_get_file_type(info) == G_FILE_TYPE_SYMBOLIC_LINK;
	SatchelFileHeader header = {
		.uid = g_file_info_get_attribute_uint32(info, "unix::uid"),
		.gid = g_file_info_get_attribute_uint32(info, "unix::gid"),
		.mode = g_file_info_get_attribute_uint32(info, "unix::mode"),
		.symlink_target =
			is_link ? (char *)(guintptr)g_file_info_get_symlink_target(info) : NULL,
		.xattrs = xattrs,
	};
	g_autoptr(GVariant) none = NULL;

	if (xattrs == NULL)
		header.xattrs = none =
			g_variant_ref_sink(g_variant_new_array(G_VARIANT_TYPE("(ayay)"), NULL, 0));
	return satchel_file_header_to_checksum_prefix(&header);
}

static gboolean
hash_content(SatchelDigest *digest, GInputStream *content)
{
	guint8 buffer[HASH_BYTES];
	gssize n_bytes = 0;

	if (content == NULL)
		return TRUE;
	while ((n_bytes = g_input_stream_read(content, buffer, sizeof buffer, NULL, NULL)) > 0)
		satchel_digest_update(digest, buffer, (gsize)n_bytes);
	return n_bytes == 0;
}

static gboolean
is_good_file(OstreeRepo *repo, const char *checksum)
{
	g_autoptr(SatchelDigest) digest = satchel_digest_new(SATCHEL_DIGEST_SHA256);
	g_autoptr(GInputStream) content = NULL;
	g_autoptr(GFileInfo) info = NULL;
	g_autoptr(GVariant) xattrs = NULL;
	g_autoptr(GBytes) header = NULL;
	g_autofree char *found = NULL;

	if (!ostree_repo_load_file(repo, checksum, &content, &info, &xattrs, NULL, NULL))
		return FALSE;
	header = hashed_header(info, xattrs);
	satchel_digest_update(digest, g_bytes_get_data(header, NULL), g_bytes_get_size(header));
	if (!hash_content(digest, content))
		return FALSE;
	found = satchel_digest_finish(digest);
	return strcmp(found, checksum) == 0;
}

gboolean
satchel_held_objects_is_good(OstreeRepo *repo, SatchelObjectType type, const char *checksum)
{
	return type == SATCHEL_OBJECT_FILE ? is_good_file(repo, checksum)
					   : is_good_metadata(repo, type, checksum);
}

gboolean
satchel_held_objects_remove(OstreeRepo *repo, SatchelObjectType type, const char *checksum,
			    GError **error)
{
	g_autoptr(GError) local_error = NULL;
	g_autofree char *what = NULL;
	gboolean present = FALSE;

	if (ostree_repo_has_object(repo, (OstreeObjectType)type, checksum, &present, NULL,
				   &local_error) &&
	    (!present ||
	     ostree_repo_delete_object(repo, (OstreeObjectType)type, checksum, NULL, &local_error)))
		return TRUE;
	what = g_strdup_printf("object %s is damaged and cannot be removed", checksum);
	return satchel_sysroot_take_error(g_steal_pointer(&local_error),
					  SATCHEL_ERROR_DOWNLOAD_FAILED, what, error);
}

/* ---- staging folders */

static int
delete_entry(const char *path, const struct stat *info, int kind, struct FTW *place)
{
	(void)info;
	(void)kind;
	(void)place;
	/* What does not go stays: nothing is believed of it. */
	(void)remove(path);
	return 0;
}

/* As libostree locks it: the folder's owner holds this lock as long as it lives. Negative: in use,
 * or not lockable. */
static int
lock_staging(int tmp_fd, const char *lock)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = openat(tmp_fd, lock, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0 || fcntl(fd, F_OFD_SETLK, &whole) == 0)
		return fd;
	close(fd);
	return -1;
}

/* What may stay aside. */
typedef struct {
	const SatchelClosureList *list;
	const GArray *indexes; /* of @list, ascending */
	const char *file_suffix;
	const char *prefix; /* of the folders that libostree goes on with */
	gboolean chosen;    /* one of them was found */
	GHashTable *staged; /* indexes of @list that lie in it */
	guint n_kept;
} Wanted;

/* The object that a file of a repository is; FALSE for a name that no object has, and for commits,
 * which come last. */
static gboolean
parse_object_name(const Wanted *wanted, const char *prefix, const char *name,
		  SatchelObjectType *type, guint8 raw[32])
{
	const char *suffix = strchr(name, '.');
	g_autofree char *checksum = NULL;

	if (suffix == NULL)
		return FALSE;
	if (strcmp(suffix, wanted->file_suffix) == 0)
		*type = SATCHEL_OBJECT_FILE;
	else if (strcmp(suffix, ".dirtree") == 0)
		*type = SATCHEL_OBJECT_DIR_TREE;
	else if (strcmp(suffix, ".dirmeta") == 0)
		*type = SATCHEL_OBJECT_DIR_META;
	else
		return FALSE;
	checksum = g_strdup_printf("%s%.*s", prefix, (int)(suffix - name), name);
	return satchel_hex_to_sha256(checksum, raw);
}

static int
compare_indexes(gconstpointer a, gconstpointer b)
{
	guint first = *(const guint *)a, second = *(const guint *)b;

	return first < second ? -1 : first > second;
}

static gboolean
note_wanted(Wanted *wanted, const char *prefix, const char *name)
{
	SatchelObjectType type = SATCHEL_OBJECT_FILE;
	guint8 raw[32];
	guint index;

	if (!parse_object_name(wanted, prefix, name, &type, raw))
		return FALSE;
	index = satchel_closure_index_find(wanted->list->index, type, raw);
	if (index == SATCHEL_CLOSURE_NONE || wanted->indexes->len == 0 ||
	    bsearch(&index, wanted->indexes->data, wanted->indexes->len, sizeof index,
		    compare_indexes) == NULL)
		return FALSE;
	g_hash_table_add(wanted->staged, GUINT_TO_POINTER(index));
	return TRUE;
}

/* Deletes what is not @wanted from the folder "ab" of a staging folder. */
static void
trim_prefix(const char *staging, const char *prefix, Wanted *wanted)
{
	g_autofree char *path = g_build_filename(staging, prefix, NULL);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const char *name = NULL;

	while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
		g_autofree char *file = g_build_filename(path, name, NULL);

		/* What cannot be deleted is there as well. */
		if (note_wanted(wanted, prefix, name) || unlink(file) != 0)
			wanted->n_kept++;
	}
}

static void
trim_folder(const char *staging, Wanted *wanted)
{
	g_autoptr(GDir) dir = g_dir_open(staging, 0, NULL);
	const char *prefix = NULL;

	while (dir != NULL && (prefix = g_dir_read_name(dir)) != NULL)
		trim_prefix(staging, prefix, wanted);
}

/* libostree goes on with one folder, of the boot that lasts: what others hold only takes space. */
static gboolean
choose_folder(Wanted *wanted, const char *name)
{
	if (wanted == NULL || wanted->chosen || !g_str_has_prefix(name, wanted->prefix))
		return FALSE;
	wanted->chosen = TRUE;
	return TRUE;
}

/* @wanted: (nullable): NULL: nothing is. */
static void
clear_folder(int tmp_fd, const char *name, Wanted *wanted)
{
	g_autofree char *lock = g_strconcat(name, LOCK_SUFFIX, NULL);
	g_autofree char *path = g_strdup_printf("/proc/self/fd/%d/%s", tmp_fd, name);
	int lock_fd = lock_staging(tmp_fd, lock);

	if (lock_fd < 0)
		return;
	if (choose_folder(wanted, name)) {
		trim_folder(path, wanted);
	} else {
		(void)nftw(path, delete_entry, DELETE_FDS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
		(void)unlinkat(tmp_fd, lock, 0);
	}
	close(lock_fd);
}

static void
clear_staging(OstreeRepo *repo, Wanted *wanted)
{
	int tmp_fd = openat(ostree_repo_get_dfd(repo), TMP_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", tmp_fd);
	g_autoptr(GDir) dir = tmp_fd < 0 ? NULL : g_dir_open(path, 0, NULL);
	const char *name = NULL;

	while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
		if (g_str_has_prefix(name, STAGING_PREFIX) && !g_str_has_suffix(name, LOCK_SUFFIX))
			clear_folder(tmp_fd, name, wanted);
	}
	if (tmp_fd >= 0)
		close(tmp_fd);
}

void
satchel_held_objects_clear_staging(OstreeRepo *repo)
{
	clear_staging(repo, NULL);
}

/* NULL where the boot has no name: then libostree goes on with nothing. (transfer full) */
static char *
name_staging_of_boot(void)
{
	g_autofree char *boot_id = NULL;

	if (!g_file_get_contents(BOOT_ID, &boot_id, NULL, NULL))
		return NULL;
	return g_strconcat(STAGING_PREFIX, g_strstrip(boot_id), "-", NULL);
}

gboolean
satchel_held_objects_trim_staging(OstreeRepo *repo, const SatchelClosureList *list,
				  const GArray *indexes, GHashTable *staged)
{
	gboolean archive = ostree_repo_get_mode(repo) == OSTREE_REPO_MODE_ARCHIVE;
	g_autofree char *prefix = name_staging_of_boot();
	Wanted wanted = {.list = list,
			 .indexes = indexes,
			 .file_suffix = archive ? ".filez" : ".file",
			 .prefix = prefix,
			 .staged = staged};

	clear_staging(repo, prefix != NULL ? &wanted : NULL);
	return wanted.n_kept > 0;
}

/* ---- objects */

/* What the deployments are made of. Only a bare repository shares its files with them. A commit
 * that cannot be walked adds less, and what is not listed is read. (transfer full) */
static GHashTable *
list_deployed(SatchelSysroot *sysroot)
{
	OstreeRepo *repo = satchel_sysroot_get_repo(sysroot);
	GHashTable *reachable = ostree_repo_traverse_new_reachable();
	g_autoptr(GPtrArray) all = NULL;

	if (ostree_repo_get_mode(repo) != OSTREE_REPO_MODE_BARE)
		return reachable;
	all = ostree_sysroot_get_deployments(satchel_sysroot_get_ostree(sysroot));
	for (guint i = 0; i < all->len; i++) {
		OstreeDeployment *deployment = g_ptr_array_index(all, i);

		(void)ostree_repo_traverse_commit_union(
			repo, ostree_deployment_get_csum(deployment), 0, reachable, NULL, NULL);
	}
	return reachable;
}

static gboolean
is_deployed_file(GHashTable *deployed, SatchelObjectType type, const char *checksum)
{
	g_autoptr(GVariant) name = NULL;

	if (type != SATCHEL_OBJECT_FILE || g_hash_table_size(deployed) == 0)
		return FALSE;
	name = g_variant_ref_sink(ostree_object_name_serialize(checksum, OSTREE_OBJECT_TYPE_FILE));
	return g_hash_table_contains(deployed, name);
}

static gboolean
can_be_opened(OstreeRepo *repo, const char *checksum)
{
	return ostree_repo_load_file(repo, checksum, NULL, NULL, NULL, NULL, NULL);
}

static gboolean
is_present(OstreeRepo *repo, SatchelObjectType type, const char *checksum)
{
	gboolean present = FALSE;

	return ostree_repo_has_object(repo, (OstreeObjectType)type, checksum, &present, NULL,
				      NULL) &&
	       present;
}

typedef enum { FOUND_NOTHING, FOUND_BAD, FOUND_GOOD } Found;

/* Shared by the threads that look at the objects of a list. */
typedef struct {
	OstreeRepo *repo;
	const SatchelClosureList *list;
	const GArray *indexes; /* (nullable): those to look at; NULL: all */
	GHashTable *deployed;
	guint8 *found; /* Found, by position; a byte each, so that threads do not share any */
	atomic_ullong done_bytes;
	guint64 told_bytes;
	SatchelProgress *progress;
	GCancellable *cancellable;
} Scan;

static const SatchelClosureObject *
scan_object(const Scan *scan, guint i)
{
	guint index = scan->indexes != NULL ? g_array_index(scan->indexes, guint, i) : i;

	return &g_array_index(scan->list->objects, SatchelClosureObject, index);
}

static void
scan_one(gpointer self, guint i)
{
	Scan *scan = self;
	const SatchelClosureObject *object = scan_object(scan, i);
	gboolean good;
	char checksum[65];

	satchel_hex_from_sha256(object->checksum, checksum);
	if (!is_present(scan->repo, object->type, checksum))
		return;
	good = is_deployed_file(scan->deployed, object->type, checksum)
		       ? can_be_opened(scan->repo, checksum)
		       : satchel_held_objects_is_good(scan->repo, object->type, checksum);
	scan->found[i] = good ? FOUND_GOOD : FOUND_BAD;
	if (good)
		atomic_fetch_add(&scan->done_bytes, object->stored_bytes);
}

static void
scan_tick(gpointer self)
{
	Scan *scan = self;
	guint64 done_bytes = atomic_load(&scan->done_bytes);

	satchel_progress_advance(scan->progress, done_bytes - scan->told_bytes);
	scan->told_bytes = done_bytes;
}

/* The objects that are not good; *@damaged (nullable): those that are there. */
static GArray *
scan_run(Scan *scan, GArray **damaged, GError **error)
{
	const SatchelParallelWork work = {scan_one, scan_tick, scan};
	guint n = scan->indexes != NULL ? scan->indexes->len : scan->list->objects->len;
	g_autofree guint8 *found = g_new0(guint8, n);
	g_autoptr(GArray) bad = g_array_new(FALSE, FALSE, sizeof(guint));
	g_autoptr(GArray) there = g_array_new(FALSE, FALSE, sizeof(guint));

	scan->found = found;
	satchel_parallel_each(n, &work, scan->cancellable);
	if (!satchel_cancel_check(scan->cancellable, error))
		return NULL;
	for (guint i = 0; i < n; i++) {
		guint index = scan->indexes != NULL ? g_array_index(scan->indexes, guint, i) : i;

		if (found[i] != FOUND_GOOD)
			g_array_append_val(bad, index);
		if (found[i] == FOUND_BAD)
			g_array_append_val(there, index);
	}
	if (damaged != NULL)
		*damaged = g_steal_pointer(&there);
	return g_steal_pointer(&bad);
}

GArray *
satchel_held_objects_find_bad(SatchelSysroot *sysroot, const SatchelClosureList *list,
			      GArray **damaged, const SatchelProgressSink *sink,
			      GCancellable *cancellable, GError **error)
{
	g_autoptr(GHashTable) deployed = list_deployed(sysroot);
	g_autoptr(SatchelProgress) progress =
		satchel_progress_begin(sink, "checking", list->stored_bytes);
	Scan scan = {.repo = satchel_sysroot_get_repo(sysroot),
		     .list = list,
		     .deployed = deployed,
		     .progress = progress,
		     .cancellable = cancellable};

	return scan_run(&scan, damaged, error);
}

GArray *
satchel_held_objects_find_unstaged(OstreeRepo *repo, const SatchelClosureList *list,
				   const GArray *indexes, SatchelProgress *progress,
				   GCancellable *cancellable, GError **error)
{
	g_autoptr(GHashTable) deployed = ostree_repo_traverse_new_reachable();
	Scan scan = {.repo = repo,
		     .list = list,
		     .indexes = indexes,
		     .deployed = deployed,
		     .progress = progress,
		     .cancellable = cancellable};

	return scan_run(&scan, NULL, error);
}

/* ---- a commit's closure, from the device's own repository */

static gboolean
fail_bad(const char *checksum, GError **error)
{
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
		    "object %s is missing or damaged; 'pull' it first", checksum);
	return FALSE;
}

static GBytes *
load_held(gpointer repo, SatchelObjectType type, const char *checksum, GError **error)
{
	g_autoptr(GVariant) variant = NULL;
	g_autoptr(GBytes) bytes = NULL;
	g_autofree char *found = NULL;

	if (ostree_repo_load_variant(repo, (OstreeObjectType)type, checksum, &variant, NULL)) {
		bytes = g_variant_get_data_as_bytes(variant);
		found = satchel_digest_sha256_hex(g_bytes_get_data(bytes, NULL),
						  g_bytes_get_size(bytes));
	}
	if (g_strcmp0(found, checksum) == 0)
		return g_steal_pointer(&bytes);
	(void)fail_bad(checksum, error);
	return NULL;
}

static gboolean
find_held(gpointer repo, const char *checksum, SatchelBundlePlace *place, gboolean *missing,
	  GError **error)
{
	g_autoptr(GError) local_error = NULL;

	(void)error;
	*missing = !ostree_repo_query_object_storage_size(repo, OSTREE_OBJECT_TYPE_FILE, checksum,
							  &place->size_bytes, NULL, &local_error);
	return TRUE;
}

/* (transfer full) */
static SatchelClosureList *
list_held(SatchelSysroot *sysroot, const char *commit, GError **error)
{
	const char *const commits[] = {commit, NULL};
	const SatchelClosureSource source = {
		.name = "repository",
		.load = load_held,
		.find_file = find_held,
		.self = satchel_sysroot_get_repo(sysroot),
	};

	return satchel_closure_list_from(&source, commits, error);
}

gboolean
satchel_held_objects_check_commit(SatchelSysroot *sysroot, const char *commit,
				  const SatchelProgressSink *sink, GCancellable *cancellable,
				  GError **error)
{
	g_autoptr(SatchelClosureList) list = list_held(sysroot, commit, error);
	g_autoptr(GArray) bad = NULL;
	char checksum[65];

	if (list == NULL)
		return FALSE;
	bad = satchel_held_objects_find_bad(sysroot, list, NULL, sink, cancellable, error);
	if (bad == NULL)
		return FALSE;
	if (bad->len == 0)
		return TRUE;
	satchel_hex_from_sha256(
		g_array_index(list->objects, SatchelClosureObject, g_array_index(bad, guint, 0))
			.checksum,
		checksum);
	return fail_bad(checksum, error);
}

/* ---- what something is made of */

static gboolean
fail_base(const char *commit, const char *reason, GError **error)
{
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
		    "commit %.12s, on which the bundle builds, is damaged on this device: %s; take "
		    "a bundle with all objects",
		    commit, reason);
	return FALSE;
}

static gboolean
check_files(OstreeRepo *repo, const SatchelClosureList *list, const char *commit,
	    SatchelProgress *progress, GCancellable *cancellable, GError **error)
{
	for (guint i = 0; i < list->objects->len; i++) {
		const SatchelClosureObject *object =
			&g_array_index(list->objects, SatchelClosureObject, i);
		char checksum[65];

		if (!satchel_cancel_check(cancellable, error))
			return FALSE;
		satchel_hex_from_sha256(object->checksum, checksum);
		if (object->type == SATCHEL_OBJECT_FILE &&
		    !satchel_held_objects_is_good(repo, object->type, checksum))
			return fail_base(commit, checksum, error);
		satchel_progress_advance(progress, object->stored_bytes);
	}
	return TRUE;
}

gboolean
satchel_held_objects_check_base(SatchelSysroot *sysroot, const char *commit,
				const SatchelProgressSink *sink, GCancellable *cancellable,
				GError **error)
{
	g_autoptr(GError) local_error = NULL;
	g_autoptr(SatchelClosureList) list = list_held(sysroot, commit, &local_error);
	g_autoptr(SatchelProgress) progress = NULL;

	if (list == NULL)
		return fail_base(commit, local_error->message, error);
	progress = satchel_progress_begin(sink, "checking", list->stored_bytes);
	return check_files(satchel_sysroot_get_repo(sysroot), list, commit, progress, cancellable,
			   error);
}
