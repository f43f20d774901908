#include "ostree_pull.h"
#include "../verify/cancel.h"
#include "../verify/hex.h"
#include "../verify/object_stream.h"
#include "../verify/progress.h"
#include "held_objects.h"
#include "pull_space.h"
#include "thin_closure.h"
#include <string.h>

/* Refs with this prefix keep what was pulled until it is installed. */
#define PULLED_PREFIX "satchel/pulled/"

/* One pull. */
typedef struct {
	SatchelClosureRepo *source; /* (owned) */
	SatchelClosureList *list;   /* (owned) */
	GArray *lacking;	    /* indexes of @list that the device does not have (owned) */
	SatchelSysroot *sysroot;
	OstreeRepo *repo; /* of @sysroot */
	const char *commit;
	const SatchelProgressSink *sink;
	GCancellable *cancellable;
	SatchelProgress *progress; /* (owned) */
	gboolean stale;		   /* libostree kept something wrong instead of what we gave it */
} PullRun;

static void
pull_run_clear(PullRun *run)
{
	g_clear_pointer(&run->progress, satchel_progress_end);
	g_clear_pointer(&run->lacking, g_array_unref);
	g_clear_pointer(&run->list, satchel_closure_list_free);
	g_clear_pointer(&run->source, satchel_closure_repo_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PullRun, pull_run_clear)

static const SatchelClosureObject *
object_at(const PullRun *run, guint i)
{
	guint index = g_array_index(run->lacking, guint, i);

	return &g_array_index(run->list->objects, SatchelClosureObject, index);
}

static gboolean
take_store_error(GError *from, const char *checksum, GError **error)
{
	g_autofree char *what = g_strdup_printf("object %s cannot be stored", checksum);

	return satchel_sysroot_take_error(from, SATCHEL_ERROR_DOWNLOAD_FAILED, what, error);
}

/* What libostree stored must be what was asked for: with these functions that is only so when
 * their result is compared. And where an earlier transaction of anybody left an object of that name
 * aside, that one is taken unread; unless all of ours @was_read, it is hashed where it lies. */
static gboolean
check_stored(PullRun *run, SatchelObjectType type, const char *checksum, const guchar *stored,
	     gboolean was_read, GError **error)
{
	g_autofree char *hex = satchel_hex_encode(stored, OSTREE_SHA256_DIGEST_LEN);

	if (!g_str_equal(hex, checksum)) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
			    "object %s was stored as %s", checksum, hex);
		return FALSE;
	}
	if (was_read || satchel_held_objects_is_good(run->repo, type, checksum))
		return TRUE;
	run->stale = TRUE;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
		    "the repository holds something else under the name of object %s", checksum);
	return FALSE;
}

/* What the medium gave is wrong. @from: (transfer full) */
static gboolean
take_medium_error(GError *from, GError **error)
{
	if (g_error_matches(from, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED)) {
		g_autofree char *reason = from->message;

		from->message = g_strconcat(
			reason, "; the stick is damaged or was altered: copy the bundle again",
			NULL);
	}
	g_propagate_error(error, from);
	return FALSE;
}

static const GVariantType *
type_of(SatchelObjectType type)
{
	switch (type) {
	case SATCHEL_OBJECT_DIR_TREE:
		return OSTREE_TREE_GVARIANT_FORMAT;
	case SATCHEL_OBJECT_DIR_META:
		return OSTREE_DIRMETA_GVARIANT_FORMAT;
	case SATCHEL_OBJECT_COMMIT:
		return OSTREE_COMMIT_GVARIANT_FORMAT;
	case SATCHEL_OBJECT_FILE:
		break;
	}
	g_assert_not_reached();
}

static gboolean
import_metadata(PullRun *run, SatchelObjectType type, const char *checksum, GError **error)
{
	g_autoptr(GError) local_error = NULL;
	g_autoptr(GBytes) bytes =
		satchel_closure_repo_load(run->source, type, checksum, &local_error);
	g_autoptr(GVariant) variant = NULL;
	g_autofree guchar *stored = NULL;

	if (bytes == NULL)
		return take_medium_error(g_steal_pointer(&local_error), error);
	variant = g_variant_ref_sink(g_variant_new_from_bytes(type_of(type), bytes, FALSE));
	if (!ostree_repo_write_metadata(run->repo, (OstreeObjectType)type, checksum, variant,
					&stored, NULL, &local_error))
		return take_store_error(g_steal_pointer(&local_error), checksum, error);
	return check_stored(run, type, checksum, stored, FALSE, error);
}

/* (transfer full) */
static GFileInfo *
file_info_of(const SatchelFileHeader *header)
{
	GFileInfo *info = g_file_info_new();

	g_file_info_set_attribute_uint32(info, "unix::uid", header->uid);
	g_file_info_set_attribute_uint32(info, "unix::gid", header->gid);
	g_file_info_set_attribute_uint32(info, "unix::mode", header->mode);
	g_file_info_set_attribute_boolean(info, "standard::is-symlink",
					  header->symlink_target != NULL);
	if (header->symlink_target != NULL) {
		g_file_info_set_file_type(info, G_FILE_TYPE_SYMBOLIC_LINK);
		g_file_info_set_symlink_target(info, header->symlink_target);
		g_file_info_set_size(info, 0);
	} else {
		g_file_info_set_file_type(info, G_FILE_TYPE_REGULAR);
		g_file_info_set_size(info, (goffset)header->size_bytes);
	}
	return info;
}

static gboolean
import_file(PullRun *run, const char *checksum, GError **error)
{
	g_auto(SatchelFileHeader) header = {0};
	g_autoptr(GError) local_error = NULL;
	g_autoptr(GInputStream) content =
		satchel_closure_repo_open_file(run->source, checksum, &header, &local_error);
	g_autoptr(GInputStream) object = NULL;
	g_autoptr(GFileInfo) info = NULL;
	const GError *failure = NULL;
	gboolean was_read = FALSE;
	g_autofree guchar *stored = NULL;
	gboolean is_link = FALSE;
	guint64 length = 0;

	if (content == NULL)
		return take_medium_error(g_steal_pointer(&local_error), error);
	is_link = header.symlink_target != NULL;
	info = file_info_of(&header);
	if (!ostree_raw_file_to_content_stream(is_link ? NULL : content, info, header.xattrs,
					       &object, &length, NULL, &local_error) ||
	    !ostree_repo_write_content(run->repo, checksum, object, length, &stored, NULL,
				       &local_error)) {
		failure = satchel_object_stream_get_failure(content);
		return failure != NULL
			       ? take_medium_error(g_error_copy(failure), error)
			       : take_store_error(g_steal_pointer(&local_error), checksum, error);
	}
	/* Without content there is nothing whose reading could tell. */
	was_read = header.size_bytes > 0 && satchel_object_stream_is_verified(content);
	return check_stored(run, SATCHEL_OBJECT_FILE, checksum, stored, was_read, error);
}

static gboolean
import_lacking(PullRun *run, GError **error)
{
	for (guint i = 0; i < run->lacking->len; i++) {
		const SatchelClosureObject *object = object_at(run, i);

		if (!satchel_cancel_check(run->cancellable, error))
			return FALSE;
		/* The commit says "complete" and comes last, on its own. */
		if (object->type == SATCHEL_OBJECT_COMMIT)
			continue;
		if (object->type == SATCHEL_OBJECT_FILE
			    ? !import_file(run, object->checksum, error)
			    : !import_metadata(run, object->type, object->checksum, error))
			return FALSE;
		satchel_progress_advance(run->progress, object->stored_bytes);
	}
	return TRUE;
}

/* Finds what the device lacks or holds damaged, and whether the bundle has it. */
static gboolean
find_lacking(PullRun *run, GError **error)
{
	run->lacking = satchel_held_objects_find_bad(run->sysroot, run->list, run->sink,
						     run->cancellable, error);
	if (run->lacking == NULL)
		return FALSE;
	for (guint i = 0; i < run->lacking->len; i++) {
		const SatchelClosureObject *object = object_at(run, i);

		if (!object->missing)
			continue;
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_NO_TARGET_CONTENT,
			    "commit %s: the bundle lacks object %s, and this device does not have "
			    "it undamaged",
			    run->commit, object->checksum);
		return FALSE;
	}
	return TRUE;
}

/* libostree leaves alone what has the right name. */
static gboolean
remove_damaged(PullRun *run, GError **error)
{
	for (guint i = 0; i < run->lacking->len; i++) {
		const SatchelClosureObject *object = object_at(run, i);

		if (!satchel_held_objects_remove(run->repo, object->type, object->checksum, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean
check_space(PullRun *run, guint64 *stored_bytes, GError **error)
{
	SatchelPullSpace space = {
		.reserved_percent = satchel_sysroot_get_reserved_percent(run->sysroot),
	};
	g_autoptr(GError) local_error = NULL;

	for (guint i = 0; i < run->lacking->len; i++) {
		const SatchelClosureObject *object = object_at(run, i);
		guint64 size = object->stored_bytes;

		if (!g_uint64_checked_add(stored_bytes, *stored_bytes, object->stored_bytes))
			*stored_bytes = G_MAXUINT64;
		if (object->type == SATCHEL_OBJECT_FILE &&
		    ostree_repo_get_mode(run->repo) != OSTREE_REPO_MODE_ARCHIVE &&
		    !satchel_closure_repo_claimed_size(run->source, object->checksum, &size,
						       &local_error))
			return take_medium_error(g_steal_pointer(&local_error), error);
		satchel_pull_space_add(&space, size);
	}
	return satchel_pull_space_check(&space, run->repo, error);
}

static gboolean
begin_transaction(PullRun *run, GError **error)
{
	g_autoptr(GError) local_error = NULL;

	if (ostree_repo_prepare_transaction(run->repo, NULL, NULL, &local_error))
		return TRUE;
	return satchel_sysroot_take_error(g_steal_pointer(&local_error),
					  SATCHEL_ERROR_DOWNLOAD_FAILED,
					  "the repository takes no objects", error);
}

static gboolean
end_transaction(PullRun *run, gboolean good, GError **error)
{
	g_autoptr(GError) local_error = NULL;

	if (!good) {
		/* What was verified so far stays aside for the next try. */
		ostree_repo_abort_transaction(run->repo, NULL, NULL);
		return FALSE;
	}
	if (ostree_repo_commit_transaction(run->repo, NULL, NULL, &local_error))
		return TRUE;
	ostree_repo_abort_transaction(run->repo, NULL, NULL);
	return satchel_sysroot_take_error(g_steal_pointer(&local_error),
					  SATCHEL_ERROR_DOWNLOAD_FAILED,
					  "the objects cannot be stored", error);
}

/* Another updater may have begun this commit and said so. */
static gboolean
clear_partial(PullRun *run, GError **error)
{
	g_autoptr(GError) local_error = NULL;

	if (ostree_repo_mark_commit_partial(run->repo, run->commit, FALSE, &local_error))
		return TRUE;
	return take_store_error(g_steal_pointer(&local_error), run->commit, error);
}

/* Two transactions: libostree moves the objects of one into place in no certain order, and a commit
 * that is there must never lack anything. */
static gboolean
import_once(PullRun *run, GError **error)
{
	g_autofree char *ref = g_strconcat(PULLED_PREFIX, run->commit, NULL);

	if (!remove_damaged(run, error))
		return FALSE;
	if (!begin_transaction(run, error))
		return FALSE;
	if (!end_transaction(run, import_lacking(run, error), error))
		return FALSE;
	if (!begin_transaction(run, error))
		return FALSE;
	if (!import_metadata(run, SATCHEL_OBJECT_COMMIT, run->commit, error))
		return end_transaction(run, FALSE, error);
	ostree_repo_transaction_set_ref(run->repo, NULL, ref, run->commit);
	return end_transaction(run, TRUE, error) && clear_partial(run, error);
}

/* What this pull is about to import, and so verifies, may stay aside from an earlier try. The
 * commit may not: it comes last. */
static void
trim_staging(const PullRun *run)
{
	g_autoptr(GHashTable) wanted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	gboolean archive = ostree_repo_get_mode(run->repo) == OSTREE_REPO_MODE_ARCHIVE;

	for (guint i = 0; i < run->lacking->len; i++) {
		const SatchelClosureObject *object = object_at(run, i);

		if (object->type != SATCHEL_OBJECT_COMMIT)
			g_hash_table_add(wanted, satchel_object_path(object->type, object->checksum,
								     archive));
	}
	satchel_held_objects_clear_staging(run->repo, wanted);
}

/* What aborted transactions left aside is a cache. Where it is wrong, it goes, and the second try
 * begins without. */
static gboolean
import_all(PullRun *run, guint64 stored_bytes, GError **error)
{
	g_autoptr(GError) local_error = NULL;

	trim_staging(run);
	run->progress = satchel_progress_begin(run->sink, "pulling", stored_bytes);
	if (import_once(run, &local_error))
		return TRUE;
	if (!run->stale) {
		g_propagate_error(error, g_steal_pointer(&local_error));
		return FALSE;
	}
	satchel_held_objects_clear_staging(run->repo, NULL);
	g_clear_pointer(&run->progress, satchel_progress_end);
	run->progress = satchel_progress_begin(run->sink, "pulling", stored_bytes);
	return import_once(run, error);
}

gboolean
satchel_ostree_pull(SatchelBundleReader *bundle, SatchelSysroot *sysroot, const char *commit,
		    const SatchelProgressSink *sink, GCancellable *cancellable, GError **error)
{
	const char *const commits[] = {commit, NULL};
	g_auto(PullRun) run = {
		.sysroot = sysroot,
		.repo = satchel_sysroot_get_repo(sysroot),
		.commit = commit,
		.sink = sink,
		.cancellable = cancellable,
	};
	g_autoptr(GError) local_error = NULL;
	guint64 stored_bytes = 0;

	run.source = satchel_closure_repo_open(bundle, error);
	if (run.source == NULL)
		return FALSE;
	run.list = satchel_thin_closure_list(run.source, run.repo, commits, &local_error);
	if (run.list == NULL)
		return take_medium_error(g_steal_pointer(&local_error), error);
	if (!find_lacking(&run, error) || !check_space(&run, &stored_bytes, error))
		return FALSE;
	return import_all(&run, stored_bytes, error) &&
	       satchel_ostree_pull_forget(run.repo, commit, error);
}

gboolean
satchel_ostree_pull_forget(OstreeRepo *repo, const char *commit, GError **error)
{
	g_autoptr(GHashTable) refs = NULL;
	g_autoptr(GError) local_error = NULL;
	GHashTableIter iter;
	gpointer ref = NULL;
	gpointer target = NULL;

	if (!ostree_repo_list_refs_ext(repo, NULL, &refs, OSTREE_REPO_LIST_REFS_EXT_EXCLUDE_REMOTES,
				       NULL, &local_error))
		return satchel_sysroot_take_error(g_steal_pointer(&local_error),
						  SATCHEL_ERROR_FAILED, "repository", error);
	g_hash_table_iter_init(&iter, refs);
	while (g_hash_table_iter_next(&iter, &ref, &target)) {
		if (!g_str_has_prefix(ref, PULLED_PREFIX) || g_strcmp0(target, commit) == 0)
			continue;
		if (!ostree_repo_set_ref_immediate(repo, NULL, ref, NULL, NULL, &local_error))
			return satchel_sysroot_take_error(g_steal_pointer(&local_error),
							  SATCHEL_ERROR_FAILED, ref, error);
	}
	return TRUE;
}
