#include "held_objects.h"
#include "../verify/cancel.h"
#include "../verify/digest.h"
#include "../verify/progress.h"
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* libostree's names below the repository. */
#define TMP_DIR "tmp"
#define STAGING_PREFIX "staging-"
#define LOCK_SUFFIX "-lock"

/* Open at a time while a folder is deleted. */
#define DELETE_FDS 16

gboolean
satchel_held_objects_is_good(OstreeRepo *repo, SatchelObjectType type, const char *checksum)
{
	return ostree_repo_fsck_object(repo, (OstreeObjectType)type, checksum, NULL, NULL);
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

/* Deletes what @wanted does not name from the folder "ab" of a staging folder. */
static void
trim_prefix(const char *staging, const char *prefix, GHashTable *wanted)
{
	g_autofree char *path = g_build_filename(staging, prefix, NULL);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const char *name = NULL;

	while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
		g_autofree char *object = g_build_filename(prefix, name, NULL);
		g_autofree char *file = g_build_filename(staging, object, NULL);

		if (!g_hash_table_contains(wanted, object))
			(void)unlink(file);
	}
}

static void
trim_folder(const char *staging, GHashTable *wanted)
{
	g_autoptr(GDir) dir = g_dir_open(staging, 0, NULL);
	const char *prefix = NULL;

	while (dir != NULL && (prefix = g_dir_read_name(dir)) != NULL)
		trim_prefix(staging, prefix, wanted);
}

/* @wanted: (nullable): NULL: nothing is. */
static void
clear_staging(int tmp_fd, const char *name, GHashTable *wanted)
{
	g_autofree char *lock = g_strconcat(name, LOCK_SUFFIX, NULL);
	g_autofree char *path = g_strdup_printf("/proc/self/fd/%d/%s", tmp_fd, name);
	int lock_fd = lock_staging(tmp_fd, lock);

	if (lock_fd < 0)
		return;
	if (wanted != NULL) {
		trim_folder(path, wanted);
	} else {
		(void)nftw(path, delete_entry, DELETE_FDS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
		(void)unlinkat(tmp_fd, lock, 0);
	}
	close(lock_fd);
}

void
satchel_held_objects_clear_staging(OstreeRepo *repo, GHashTable *wanted)
{
	int tmp_fd = openat(ostree_repo_get_dfd(repo), TMP_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", tmp_fd);
	g_autoptr(GDir) dir = tmp_fd < 0 ? NULL : g_dir_open(path, 0, NULL);
	const char *name = NULL;

	while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
		if (g_str_has_prefix(name, STAGING_PREFIX) && !g_str_has_suffix(name, LOCK_SUFFIX))
			clear_staging(tmp_fd, name, wanted);
	}
	if (tmp_fd >= 0)
		close(tmp_fd);
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
is_deployed_file(GHashTable *deployed, const SatchelClosureObject *object)
{
	g_autoptr(GVariant) name = NULL;

	if (object->type != SATCHEL_OBJECT_FILE)
		return FALSE;
	name = g_variant_ref_sink(
		ostree_object_name_serialize(object->checksum, OSTREE_OBJECT_TYPE_FILE));
	return g_hash_table_contains(deployed, name);
}

static gboolean
can_be_opened(OstreeRepo *repo, const char *checksum)
{
	return ostree_repo_load_file(repo, checksum, NULL, NULL, NULL, NULL, NULL);
}

static gboolean
is_present(OstreeRepo *repo, const SatchelClosureObject *object)
{
	gboolean present = FALSE;

	return ostree_repo_has_object(repo, (OstreeObjectType)object->type, object->checksum,
				      &present, NULL, NULL) &&
	       present;
}

GArray *
satchel_held_objects_find_bad(SatchelSysroot *sysroot, const SatchelClosureList *list,
			      const SatchelProgressSink *sink, GCancellable *cancellable,
			      GError **error)
{
	OstreeRepo *repo = satchel_sysroot_get_repo(sysroot);
	g_autoptr(GHashTable) deployed = list_deployed(sysroot);
	g_autoptr(SatchelProgress) progress =
		satchel_progress_begin(sink, "checking", list->stored_bytes);
	g_autoptr(GArray) bad = g_array_new(FALSE, FALSE, sizeof(guint));

	for (guint i = 0; i < list->objects->len; i++) {
		const SatchelClosureObject *object =
			&g_array_index(list->objects, SatchelClosureObject, i);
		gboolean good = FALSE;

		if (!satchel_cancel_check(cancellable, error))
			return NULL;
		good = is_present(repo, object);
		if (good && is_deployed_file(deployed, object))
			good = can_be_opened(repo, object->checksum);
		else if (good)
			good = satchel_held_objects_is_good(repo, object->type, object->checksum);
		if (!good)
			g_array_append_val(bad, i);
		else
			satchel_progress_advance(progress, object->stored_bytes);
	}
	return g_steal_pointer(&bad);
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
stat_held(gpointer repo, const char *checksum, guint64 *stored_bytes, gboolean *missing,
	  GError **error)
{
	g_autoptr(GError) local_error = NULL;

	(void)error;
	*stored_bytes = 0;
	*missing = !ostree_repo_query_object_storage_size(repo, OSTREE_OBJECT_TYPE_FILE, checksum,
							  stored_bytes, NULL, &local_error);
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
		.stat_file = stat_held,
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

	if (list == NULL)
		return FALSE;
	bad = satchel_held_objects_find_bad(sysroot, list, sink, cancellable, error);
	if (bad == NULL)
		return FALSE;
	if (bad->len == 0)
		return TRUE;
	return fail_bad(
		g_array_index(list->objects, SatchelClosureObject, g_array_index(bad, guint, 0))
			.checksum,
		error);
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

		if (!satchel_cancel_check(cancellable, error))
			return FALSE;
		if (object->type == SATCHEL_OBJECT_FILE &&
		    !satchel_held_objects_is_good(repo, object->type, object->checksum))
			return fail_base(commit, object->checksum, error);
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
