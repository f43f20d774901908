#include "delta_pull.h"
#include "delta_copy.h"
#include "delta_repo.h"
#include "held_objects.h"
#include "ostree_pull.h"
#include "pull_room.h"
#include "pull_space.h"
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Below the repository. */
#define WORK_DIR "satchel-delta"
/* Where it stood once: libostree deletes what is there and older than a day, in use or not. */
#define OLD_WORK_DIR "tmp/satchel-delta"
#define COPY_NAME "delta"
/* In the layout of a bundle, so that our own reader reads it. */
#define BUNDLE_NAME "bundle"

/* Open at a time while a folder is walked. */
#define WALK_FDS 16

/* One pull. */
typedef struct {
	SatchelBundleReader *bundle;
	SatchelSysroot *sysroot;
	OstreeRepo *repo; /* of @sysroot */
	const SatchelBundleDelta *delta;
	const SatchelProgressSink *sink;
	GCancellable *cancellable;
	char *work;	    /* (owned) */
	char *copy;	    /* (owned) */
	char *made;	    /* (owned) */
	guint64 held_bytes; /* that an earlier try has left there */
} DeltaPull;

static void
delta_pull_clear(DeltaPull *self)
{
	g_free(self->work);
	g_free(self->copy);
	g_free(self->made);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DeltaPull, delta_pull_clear)

/* ---- the folder */

static char *
work_path(OstreeRepo *repo, const char *name)
{
	return g_build_filename(g_file_peek_path(ostree_repo_get_path(repo)), name, NULL);
}

static int
delete_entry(const char *path, const struct stat *info, int kind, struct FTW *place)
{
	(void)info;
	(void)kind;
	(void)place;
	(void)remove(path);
	return 0;
}

static void
delete_tree(const char *path)
{
	(void)nftw(path, delete_entry, WALK_FDS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

static void
delete_old_work(OstreeRepo *repo)
{
	g_autofree char *old = work_path(repo, OLD_WORK_DIR);

	delete_tree(old);
}

void
satchel_delta_pull_forget(OstreeRepo *repo)
{
	g_autofree char *work = work_path(repo, WORK_DIR);

	delete_tree(work);
	delete_old_work(repo);
}

/* nftw() hands nothing through. */
static __thread guint64 counted_bytes;

static int
count_entry(const char *path, const struct stat *info, int kind, struct FTW *place)
{
	(void)path;
	(void)place;
	if (kind == FTW_F)
		counted_bytes += (guint64)info->st_blocks * 512;
	return 0;
}

static guint64
measure_tree(const char *path)
{
	counted_bytes = 0;
	(void)nftw(path, count_entry, WALK_FDS, FTW_PHYS | FTW_MOUNT);
	return counted_bytes;
}

static gboolean
make_work(const DeltaPull *self, GError **error)
{
	if (g_mkdir_with_parents(self->work, 0700) == 0)
		return TRUE;
	g_set_error(error, SATCHEL_ERROR,
		    errno == ENOSPC ? SATCHEL_ERROR_NO_SPACE : SATCHEL_ERROR_DOWNLOAD_FAILED,
		    "%s: %s", self->work, g_strerror(errno));
	return FALSE;
}

/* ---- before anything is written */

static gboolean
check_mode(const DeltaPull *self, GError **error)
{
	if (ostree_repo_get_mode(self->repo) != OSTREE_REPO_MODE_ARCHIVE)
		return TRUE;
	g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_NO_TARGET_CONTENT,
			    "the bundle has a delta for this device, and its repository is of mode "
			    "archive, which takes none");
	return FALSE;
}

/* The copy, what is made of it, and what the repository gets of that. */
static gboolean
check_space(const DeltaPull *self, GError **error)
{
	const SatchelBundleWeight *unpacked = &self->delta->unpacked;
	SatchelPullSpace space = {
		.n_objects = unpacked->n_objects * 2,
		.reserved_percent = satchel_sysroot_get_reserved_percent(self->sysroot),
	};

	satchel_pull_space_add(&space, self->delta->size_bytes);
	satchel_pull_space_add(&space, unpacked->size_bytes);
	satchel_pull_space_add(&space, unpacked->size_bytes);
	space.content_bytes -= MIN(space.content_bytes, self->held_bytes);
	return satchel_pull_space_check(&space, self->repo, error);
}

static gboolean
make_space(const DeltaPull *self, GError **error)
{
	g_autoptr(GError) local_error = NULL;

	if (check_space(self, &local_error))
		return TRUE;
	if (g_error_matches(local_error, SATCHEL_ERROR, SATCHEL_ERROR_NO_SPACE))
		return satchel_pull_room_make(self->sysroot, self->delta->to, error) &&
		       check_space(self, error);
	g_propagate_error(error, g_steal_pointer(&local_error));
	return FALSE;
}

/* ---- applying */

/* What the delta makes, by our own hashing pull. */
static gboolean
pull_made(const DeltaPull *self, GError **error)
{
	g_autoptr(SatchelBundleReader) made = satchel_bundle_reader_open(self->made, error);

	if (made == NULL)
		return FALSE;
	if (satchel_ostree_pull(made, self->sysroot, self->delta->to, self->sink, self->cancellable,
				error))
		return TRUE;
	g_prefix_error(error, "made of the delta from commit %.12s: ", self->delta->from);
	return FALSE;
}

static gboolean
apply_once(const DeltaPull *self, GError **error)
{
	return satchel_delta_repo_apply(self->copy, self->made, self->repo, self->delta,
					self->cancellable, error) &&
	       pull_made(self, error);
}

static gboolean
is_content_error(const GError *error)
{
	return g_error_matches(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED) ||
	       g_error_matches(error, SATCHEL_ERROR, SATCHEL_ERROR_NO_TARGET_CONTENT);
}

/* What an earlier try has made may have suffered from a power cut: then it is made anew. */
static gboolean
apply(const DeltaPull *self, GError **error)
{
	gboolean resumed = g_file_test(self->made, G_FILE_TEST_EXISTS);
	g_autoptr(GError) local_error = NULL;

	if (apply_once(self, &local_error))
		return TRUE;
	if (resumed && is_content_error(local_error)) {
		g_clear_error(&local_error);
		delete_tree(self->made);
		if (apply_once(self, &local_error))
			return TRUE;
	}
	/* Nothing half made is in the way of the next try; what was only interrupted may stay. */
	if (!g_error_matches(local_error, SATCHEL_ERROR, SATCHEL_ERROR_CANCELLED))
		delete_tree(self->work);
	/* The bundle is all right, or its maker's fault: no other status tells to copy it again. */
	if (is_content_error(local_error))
		local_error->code = SATCHEL_ERROR_DOWNLOAD_FAILED;
	g_propagate_error(error, g_steal_pointer(&local_error));
	return FALSE;
}

static gboolean
is_held(const DeltaPull *self)
{
	return satchel_sysroot_has_commit(self->sysroot, self->delta->to) &&
	       satchel_held_objects_check_commit(self->sysroot, self->delta->to, NULL,
						 self->cancellable, NULL);
}

gboolean
satchel_delta_pull(SatchelBundleReader *bundle, SatchelSysroot *sysroot,
		   const SatchelBundleDelta *delta, const SatchelProgressSink *sink,
		   GCancellable *cancellable, GError **error)
{
	OstreeRepo *repo = satchel_sysroot_get_repo(sysroot);
	g_auto(DeltaPull) self = {.bundle = bundle,
				  .sysroot = sysroot,
				  .repo = repo,
				  .delta = delta,
				  .sink = sink,
				  .cancellable = cancellable,
				  .work = work_path(repo, WORK_DIR)};

	self.copy = g_build_filename(self.work, COPY_NAME, NULL);
	self.made = g_build_filename(self.work, BUNDLE_NAME, NULL);
	delete_old_work(repo);
	/* Pulled before: nothing lacks, and the mark is set again. */
	if (is_held(&self)) {
		delete_tree(self.work);
		return satchel_ostree_pull(bundle, sysroot, delta->to, sink, cancellable, error);
	}
	self.held_bytes = measure_tree(self.work);
	if (!check_mode(&self, error) ||
	    !satchel_held_objects_check_base(sysroot, delta->from, sink, cancellable, error) ||
	    !make_space(&self, error) || !make_work(&self, error) ||
	    !satchel_delta_copy(bundle, delta, self.copy, sink, cancellable, error) ||
	    !apply(&self, error))
		return FALSE;
	delete_tree(self.work);
	return TRUE;
}
