#include "ostree_pull.h"
#include "../verify/cancel.h"
#include "../verify/hex.h"
#include "../verify/object_pipeline.h"
#include "../verify/progress.h"
#include "held_objects.h"
#include "object_store.h"
#include "pull_room.h"
#include "pull_space.h"
#include "synced_commit.h"
#include "thin_closure.h"
#include <string.h>

/* Refs with this prefix keep what was pulled until it is installed. */
#define PULLED_PREFIX "satchel/pulled/"

/* One pull. */
typedef struct {
	SatchelBundleReader *bundle;
	SatchelClosureRepo *source; /* (owned) */
	SatchelClosureList *list;   /* (owned) */
	GArray *lacking;	    /* indexes of @list that the device does not have (owned) */
	GArray *damaged;	    /* those of them of which it has something wrong (owned) */
	GHashTable *staged;	    /* those of @lacking that an earlier try left aside (owned) */
	gboolean any_staged;	    /* there may be some, or others */
	gboolean fits;		    /* the space was found to suffice */
	SatchelSysroot *sysroot;
	OstreeRepo *repo; /* of @sysroot */
	const char *commit;
	const SatchelProgressSink *sink;
	GCancellable *cancellable;
	SatchelProgress *progress; /* (owned) */
	gint stale; /* atomic: libostree kept something wrong instead of what we gave it */
} PullRun;

/* What was found out about the device. */
static void
forget_findings(PullRun *run)
{
	g_clear_pointer(&run->progress, satchel_progress_end);
	g_clear_pointer(&run->lacking, g_array_unref);
	g_clear_pointer(&run->damaged, g_array_unref);
	g_clear_pointer(&run->staged, g_hash_table_unref);
	g_clear_pointer(&run->list, satchel_closure_list_free);
}

static void
pull_run_clear(PullRun *run)
{
	forget_findings(run);
	g_clear_pointer(&run->source, satchel_closure_repo_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PullRun, pull_run_clear)

static const SatchelClosureObject *
object_of(const PullRun *run, guint index)
{
	return &g_array_index(run->list->objects, SatchelClosureObject, index);
}

static const SatchelClosureObject *
lacking_at(const PullRun *run, guint i)
{
	return object_of(run, g_array_index(run->lacking, guint, i));
}

static gboolean
is_staged(const PullRun *run, guint i)
{
	return g_hash_table_contains(run->staged,
				     GUINT_TO_POINTER(g_array_index(run->lacking, guint, i)));
}

static gboolean
take_store_error(GError *from, const char *checksum, GError **error)
{
	g_autofree char *what = g_strdup_printf("object %s cannot be stored", checksum);

	return satchel_sysroot_take_error(from, SATCHEL_ERROR_DOWNLOAD_FAILED, what, error);
}

/* ---- one verified object, in a worker's thread */

/* Where an earlier transaction of anybody left an object of that name aside, libostree takes that
 * one unread: it is hashed where it lies. */
static gboolean
store_object(gpointer self, guint index, const SatchelPipelineObject *object, GError **error)
{
	PullRun *run = self;
	g_autoptr(GError) local_error = NULL;
	gboolean was_read = FALSE;

	if (!satchel_object_store_put(run->repo, object, &was_read, &local_error))
		return take_store_error(g_steal_pointer(&local_error), object->checksum, error);
	if (was_read || satchel_held_objects_is_good(run->repo, object->type, object->checksum))
		return TRUE;
	g_atomic_int_set(&run->stale, 1);
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
		    "the repository holds something else under the name of object %s",
		    object->checksum);
	return FALSE;
}

/* ---- the pass over the bundle */

typedef struct {
	PullRun *run;
	GArray *wanted; /* indexes of the list, in the order in which they lie on the medium */
	GError *error;	/* of the first of them that failed */
	guint failed_at;
} ImportPass;

static void
describe_object(gpointer self, guint i, SatchelPipelineJob *job)
{
	const ImportPass *pass = self;
	const SatchelClosureObject *object =
		object_of(pass->run, g_array_index(pass->wanted, guint, i));
	char checksum[65];

	satchel_hex_from_sha256(object->checksum, checksum);
	job->type = object->type;
	memcpy(job->checksum, object->checksum, sizeof job->checksum);
	job->member = satchel_closure_repo_member(pass->run->source, object->type, checksum);
	job->size_bytes = object->stored_bytes;
}

static gboolean
take_object(gpointer self, guint i, const SatchelPipelineObject *object, GError **error)
{
	const ImportPass *pass = self;

	return store_object(pass->run, i, object, error);
}

static void
count_bytes(gpointer self, guint64 n_bytes)
{
	const ImportPass *pass = self;

	satchel_progress_advance(pass->run->progress, n_bytes);
}

/* The first one in the medium's order, so that the same stick gives the same message. */
static gboolean
keep_first_error(gpointer self, guint i, GError *error)
{
	ImportPass *pass = self;

	if (pass->error != NULL && pass->failed_at < i) {
		g_error_free(error);
		return FALSE;
	}
	g_clear_error(&pass->error);
	pass->error = error;
	pass->failed_at = i;
	return FALSE;
}

static int
compare_places(gconstpointer a, gconstpointer b, gpointer user_data)
{
	const PullRun *run = user_data;
	guint first = *(const guint *)a, second = *(const guint *)b;
	guint64 first_place = object_of(run, first)->place;
	guint64 second_place = object_of(run, second)->place;

	if (first_place != second_place)
		return first_place < second_place ? -1 : 1;
	return first < second ? -1 : first > second;
}

/* Of what is lacking, all but the commit: it says "complete" and comes last, on its own. */
static GArray *
list_but_commit(const PullRun *run)
{
	GArray *indexes = g_array_new(FALSE, FALSE, sizeof(guint));

	for (guint i = 0; i < run->lacking->len; i++) {
		if (lacking_at(run, i)->type != SATCHEL_OBJECT_COMMIT)
			g_array_append_val(indexes, g_array_index(run->lacking, guint, i));
	}
	return indexes;
}

static gboolean
import_lacking(PullRun *run, GError **error)
{
	g_autoptr(GArray) lacking = list_but_commit(run);
	g_autoptr(GArray) wanted =
		run->any_staged
			? satchel_held_objects_find_unstaged(run->repo, run->list, lacking,
							     run->progress, run->cancellable, error)
			: g_array_ref(lacking);
	ImportPass pass = {.run = run, .wanted = wanted};
	const SatchelPipelineUser user = {
		.describe = describe_object,
		.take = take_object,
		.progress = count_bytes,
		.failed = keep_first_error,
		.self = &pass,
	};

	if (wanted == NULL)
		return FALSE;
	g_array_sort_with_data(wanted, compare_places, run);
	satchel_object_pipeline_run(run->bundle, run->source, wanted->len, &user,
				    satchel_object_pipeline_count_workers(), run->cancellable);
	if (pass.error == NULL)
		return satchel_cancel_check(run->cancellable, error);
	/* A manifest can list what is not there. */
	if (g_error_matches(pass.error, SATCHEL_ERROR, SATCHEL_ERROR_NO_TARGET_CONTENT))
		g_prefix_error(&pass.error, "commit %s: the bundle lacks an object: ", run->commit);
	g_propagate_error(error, pass.error);
	return FALSE;
}

static gboolean
import_commit(PullRun *run, GError **error)
{
	g_autoptr(GBytes) bytes =
		satchel_closure_repo_load(run->source, SATCHEL_OBJECT_COMMIT, run->commit, error);
	SatchelPipelineObject object = {.type = SATCHEL_OBJECT_COMMIT};

	if (bytes == NULL)
		return FALSE;
	g_strlcpy(object.checksum, run->commit, sizeof object.checksum);
	object.whole.content = g_bytes_get_data(bytes, &object.whole.n_content_bytes);
	return store_object(run, 0, &object, error);
}

/* ---- what is lacking */

/* Where the trees and their metadata lie was of no interest while they were read one after the
 * other. */
static gboolean
find_place(PullRun *run, guint index, GError **error)
{
	SatchelClosureObject *object =
		&g_array_index(run->list->objects, SatchelClosureObject, index);
	SatchelBundlePlace place = {0};
	gboolean missing = FALSE;
	char checksum[65];

	if (object->type == SATCHEL_OBJECT_FILE)
		return TRUE;
	satchel_hex_from_sha256(object->checksum, checksum);
	if (!satchel_closure_repo_find(run->source, object->type, checksum, &place, &missing,
				       error))
		return FALSE;
	object->missing = missing;
	object->place = place.place;
	return TRUE;
}

/* Finds what the device lacks or holds damaged, and whether the bundle has it. */
static gboolean
find_lacking(PullRun *run, GError **error)
{
	run->lacking = satchel_held_objects_find_bad(run->sysroot, run->list, &run->damaged,
						     run->sink, run->cancellable, error);
	if (run->lacking == NULL)
		return FALSE;
	for (guint i = 0; i < run->lacking->len; i++) {
		char checksum[65];

		if (!find_place(run, g_array_index(run->lacking, guint, i), error))
			return FALSE;
		if (!lacking_at(run, i)->missing)
			continue;
		satchel_hex_from_sha256(lacking_at(run, i)->checksum, checksum);
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_NO_TARGET_CONTENT,
			    "commit %s: the bundle lacks object %s, and this device does not have "
			    "it undamaged",
			    run->commit, checksum);
		return FALSE;
	}
	return TRUE;
}

/* libostree leaves alone what has the right name. */
static gboolean
remove_damaged(PullRun *run, GError **error)
{
	for (guint i = 0; i < run->damaged->len; i++) {
		const SatchelClosureObject *object =
			object_of(run, g_array_index(run->damaged, guint, i));
		char checksum[65];

		satchel_hex_from_sha256(object->checksum, checksum);
		if (!satchel_held_objects_remove(run->repo, object->type, checksum, error))
			return FALSE;
	}
	return TRUE;
}

/* What an object takes at most on the device; what it claims to take where it is worth a look. */
static gboolean
space_of(PullRun *run, const SatchelClosureObject *object, guint64 look_from_bytes, guint64 *size,
	 GError **error)
{
	char checksum[65];

	*size = object->stored_bytes;
	if (object->type != SATCHEL_OBJECT_FILE ||
	    ostree_repo_get_mode(run->repo) == OSTREE_REPO_MODE_ARCHIVE)
		return TRUE;
	if (object->stored_bytes < look_from_bytes) {
		*size = satchel_closure_repo_most_bytes(run->source, object->stored_bytes);
		return TRUE;
	}
	satchel_hex_from_sha256(object->checksum, checksum);
	return satchel_closure_repo_claimed_size(run->source, checksum, object->stored_bytes, size,
						 error);
}

static gboolean
add_up_space(PullRun *run, guint64 look_from_bytes, SatchelPullSpace *space, GError **error)
{
	*space = (SatchelPullSpace){
		.reserved_percent = satchel_sysroot_get_reserved_percent(run->sysroot),
	};
	for (guint i = 0; i < run->lacking->len; i++) {
		guint64 size = 0;

		/* Its space is taken already. */
		if (is_staged(run, i))
			continue;
		if (!space_of(run, lacking_at(run, i), look_from_bytes, &size, error))
			return FALSE;
		satchel_pull_space_add(space, size);
	}
	return TRUE;
}

/* Looking into every object before the pass over the medium would be a pass of its own, in small
 * steps. From which size on it takes a look, so that all that are smaller fill half of the space at
 * most, whatever is in them. */
static guint64
choose_look(const PullRun *run, guint64 usable_bytes)
{
	guint64 stored_bytes[64] = {0};
	guint64 below = 0;
	guint class = 0;

	for (guint i = 0; i < run->lacking->len; i++) {
		guint64 size = lacking_at(run, i)->stored_bytes;

		/* Absurd sizes: look at all. */
		if (!g_uint64_checked_add(&stored_bytes[g_bit_storage(size) - 1],
					  stored_bytes[g_bit_storage(size) - 1], size))
			return 0;
	}
	while (class < 62 && g_uint64_checked_add(&below, below, stored_bytes[class]) &&
	       satchel_closure_repo_most_bytes(run->source, below) <= usable_bytes / 2)
		class ++;
	return G_GUINT64_CONSTANT(1) << class;
}

/* Of what aborted transactions have left aside, only what this pull is about to import, and so
 * verifies, may take space. */
static void
trim_staging(PullRun *run)
{
	run->staged = g_hash_table_new(NULL, NULL);
	run->any_staged =
		satchel_held_objects_trim_staging(run->repo, run->list, run->lacking, run->staged);
}

static void
clear_staging(PullRun *run)
{
	satchel_held_objects_clear_staging(run->repo);
	g_hash_table_remove_all(run->staged);
	run->any_staged = FALSE;
}

/* Before anything is written. */
static gboolean
check_space(PullRun *run, GError **error)
{
	SatchelPullSpace space = {
		.reserved_percent = satchel_sysroot_get_reserved_percent(run->sysroot),
	};
	guint64 usable_bytes = 0;

	if (!satchel_pull_space_get_usable(&space, run->repo, &usable_bytes, error) ||
	    !add_up_space(run, choose_look(run, usable_bytes), &space, error))
		return FALSE;
	/* Where the most is too much: what do they say? */
	run->fits = satchel_pull_space_total_bytes(&space) <= usable_bytes ||
		    (add_up_space(run, 0, &space, error) &&
		     satchel_pull_space_check(&space, run->repo, error));
	return run->fits;
}

static guint64
count_lacking_bytes(const PullRun *run)
{
	guint64 total = 0;

	for (guint i = 0; i < run->lacking->len; i++) {
		if (!g_uint64_checked_add(&total, total, lacking_at(run, i)->stored_bytes))
			return G_MAXUINT64;
	}
	return total;
}

/* ---- transactions */

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
	if (satchel_synced_commit(run->repo, &local_error))
		return TRUE;
	/* Does nothing where it is committed. */
	ostree_repo_abort_transaction(run->repo, NULL, NULL);
	return satchel_sysroot_take_error(g_steal_pointer(&local_error),
					  SATCHEL_ERROR_DOWNLOAD_FAILED,
					  "the objects cannot be stored", error);
}

/* Only now, when what it keeps is on the drive. */
static gboolean
keep_pulled(const PullRun *run, GError **error)
{
	g_autofree char *ref = g_strconcat(PULLED_PREFIX, run->commit, NULL);
	g_autoptr(GError) local_error = NULL;

	if (ostree_repo_set_ref_immediate(run->repo, NULL, ref, run->commit, NULL, &local_error))
		return TRUE;
	return satchel_sysroot_take_error(g_steal_pointer(&local_error),
					  SATCHEL_ERROR_DOWNLOAD_FAILED, ref, error);
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
	if (!remove_damaged(run, error))
		return FALSE;
	if (!begin_transaction(run, error))
		return FALSE;
	if (!end_transaction(run, import_lacking(run, error), error))
		return FALSE;
	if (!begin_transaction(run, error))
		return FALSE;
	return end_transaction(run, import_commit(run, error), error) && keep_pulled(run, error) &&
	       clear_partial(run, error);
}

/* What aborted transactions left aside is a cache: where it is wrong, it goes, and the second try
 * begins without. */
static gboolean
import_all(PullRun *run, GError **error)
{
	guint64 stored_bytes = count_lacking_bytes(run);
	g_autoptr(GError) local_error = NULL;

	run->progress = satchel_progress_begin(run->sink, "pulling", stored_bytes);
	if (import_once(run, &local_error))
		return TRUE;
	if (!g_atomic_int_get(&run->stale)) {
		g_propagate_error(error, g_steal_pointer(&local_error));
		return FALSE;
	}
	clear_staging(run);
	if (!check_space(run, error))
		return FALSE;
	g_clear_pointer(&run->progress, satchel_progress_end);
	run->progress = satchel_progress_begin(run->sink, "pulling", stored_bytes);
	return import_once(run, error);
}

/* libostree's own lock is between two transactions in nobody's hand: a clean-up of another process
 * would take what no ref keeps yet, and what was found to be held. */
static gboolean
pull_locked(PullRun *run, GError **error)
{
	const char *const commits[] = {run->commit, NULL};
	g_autoptr(GError) local_error = NULL;
	g_autoptr(OstreeRepoAutoLock) lock = ostree_repo_auto_lock_push(
		run->repo, OSTREE_REPO_LOCK_SHARED, run->cancellable, &local_error);

	if (lock == NULL)
		return satchel_sysroot_take_error(g_steal_pointer(&local_error),
						  SATCHEL_ERROR_DOWNLOAD_FAILED,
						  "the repository cannot be locked", error);
	run->list = satchel_thin_closure_list(run->source, run->repo, commits, error);
	if (run->list == NULL || !find_lacking(run, error))
		return FALSE;
	trim_staging(run);
	return check_space(run, error) && import_all(run, error) &&
	       satchel_ostree_pull_forget(run->repo, run->commit, error);
}

gboolean
satchel_ostree_pull(SatchelBundleReader *bundle, SatchelSysroot *sysroot, const char *commit,
		    const SatchelProgressSink *sink, GCancellable *cancellable, GError **error)
{
	g_autoptr(GError) local_error = NULL;
	g_auto(PullRun) run = {.bundle = bundle,
			       .sysroot = sysroot,
			       .repo = satchel_sysroot_get_repo(sysroot),
			       .commit = commit,
			       .sink = sink,
			       .cancellable = cancellable};

	run.source = satchel_closure_repo_open(bundle, error);
	if (run.source == NULL)
		return FALSE;
	if (pull_locked(&run, &local_error))
		return TRUE;
	if (run.fits || !g_error_matches(local_error, SATCHEL_ERROR, SATCHEL_ERROR_NO_SPACE)) {
		g_propagate_error(error, g_steal_pointer(&local_error));
		return FALSE;
	}
	forget_findings(&run);
	return satchel_pull_room_make(sysroot, commit, error) && pull_locked(&run, error);
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
