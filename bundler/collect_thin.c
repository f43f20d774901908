#include "collect_thin.h"
#include "../verify/hex.h"
#include "collect_delta.h"
#include "interrupt.h"
#include <string.h>

struct SatchelThinCollection {
	OstreeRepo *repo;
	GPtrArray *commits; /* of the targets, each once; NULL-terminated (borrowed strings) */
	GPtrArray *bases;   /* of SatchelClosureList, as in @thin */
	SatchelObjectChoice *choice;
	SatchelBundleThin *thin;
	SatchelWrittenFile *files; /* of the deltas of @thin */
};

/* Pairs are numbered base by base. */
static guint
n_commits(const SatchelThinCollection *self)
{
	return self->commits->len - 1;
}

static GPtrArray *
list_once(const char *const *commits)
{
	GPtrArray *once = g_ptr_array_new();

	for (; *commits != NULL; commits++)
		if (!g_ptr_array_find_with_equal_func(once, *commits, g_str_equal, NULL))
			g_ptr_array_add(once, (gpointer)(guintptr)*commits);
	g_ptr_array_add(once, NULL);
	return once;
}

static SatchelClosureList *
walk(const SatchelClosureSource *source, const char *commit, GError **error)
{
	const char *const one[] = {commit, NULL};

	return satchel_closure_list_from(source, one, error);
}

static gboolean
plan_pairs(SatchelThinCollection *self, const SatchelClosureSource *source, GError **error)
{
	g_autoptr(GPtrArray) targets =
		g_ptr_array_new_with_free_func((GDestroyNotify)satchel_closure_list_free);

	for (guint i = 0; i < n_commits(self); i++) {
		SatchelClosureList *list = walk(source, self->commits->pdata[i], error);

		if (list == NULL)
			return FALSE;
		g_ptr_array_add(targets, list);
	}
	for (guint b = 0; b < self->thin->n_bases; b++) {
		SatchelClosureList *base = walk(source, self->thin->bases[b].commit, error);

		if (base == NULL) {
			g_prefix_error(error, "--from: ");
			return FALSE;
		}
		g_ptr_array_add(self->bases, base);
		for (guint i = 0; i < targets->len; i++)
			satchel_object_choice_add_pair(self->choice, base, targets->pdata[i]);
	}
	return TRUE;
}

SatchelThinCollection *
satchel_collect_thin_plan(const SatchelClosureSource *source, OstreeRepo *repo,
			  const char *const *commits, SatchelObjectChoice *choice,
			  SatchelBundleThin *thin, GError **error)
{
	g_autoptr(SatchelThinCollection) self = g_new0(SatchelThinCollection, 1);

	self->repo = g_object_ref(repo);
	self->commits = list_once(commits);
	self->bases = g_ptr_array_new_with_free_func((GDestroyNotify)satchel_closure_list_free);
	self->choice = choice;
	self->thin = thin;
	return plan_pairs(self, source, error) ? g_steal_pointer(&self) : NULL;
}

/* ---- weights ---- */

static gboolean
base_lacks(const SatchelThinCollection *self, guint base, guint object)
{
	for (guint i = 0; i < n_commits(self); i++)
		if (satchel_object_choice_is_lacking(self->choice, base * n_commits(self) + i,
						     object))
			return TRUE;
	return FALSE;
}

static void
add_weight(SatchelBundleWeight *weight, guint64 size_bytes)
{
	weight->n_objects++;
	weight->size_bytes += size_bytes;
}

void
satchel_collect_thin_weigh(SatchelThinCollection *self, const SatchelClosureList *all,
			   const SatchelWrittenFile *written)
{
	for (guint i = 0; i < all->objects->len; i++) {
		add_weight(&self->thin->full, written[i].size_bytes);
		for (guint b = 0; b < self->thin->n_bases; b++)
			if (base_lacks(self, b, i))
				add_weight(&self->thin->bases[b].lacks, written[i].size_bytes);
	}
}

/* ---- deltas ---- */

/* A binary patch of something damaged fits on no device. Folders were hashed when they were walked,
 * objects of the targets when they were weighed. */
static gboolean
check_bases(const SatchelThinCollection *self, const SatchelClosureList *all, GError **error)
{
	g_autoptr(GError) local_error = NULL;

	for (guint b = 0; b < self->bases->len; b++) {
		const SatchelClosureList *base = self->bases->pdata[b];

		for (guint i = 0; i < base->objects->len; i++) {
			const SatchelClosureObject *object =
				&g_array_index(base->objects, SatchelClosureObject, i);
			char checksum[65];

			if (object->type != SATCHEL_OBJECT_FILE ||
			    satchel_closure_index_find(all->index, object->type,
						       object->checksum) != SATCHEL_CLOSURE_NONE)
				continue;
			satchel_hex_from_sha256(object->checksum, checksum);
			if (!satchel_interrupt_check(error))
				return FALSE;
			if (ostree_repo_fsck_object(self->repo, OSTREE_OBJECT_TYPE_FILE, checksum,
						    NULL, &local_error))
				continue;
			g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
				    "--delta from %s: object %s: %s", self->thin->bases[b].commit,
				    checksum, local_error->message);
			return FALSE;
		}
	}
	return TRUE;
}

/* What it takes on a device: content as it is. */
static gboolean
weigh_unpacked(const SatchelThinCollection *self, const SatchelClosureList *all, guint pair,
	       SatchelBundleWeight *weight, GError **error)
{
	for (guint i = 0; i < all->objects->len; i++) {
		const SatchelClosureObject *object =
			&g_array_index(all->objects, SatchelClosureObject, i);
		g_autoptr(GFileInfo) info = NULL;
		g_autoptr(GError) local_error = NULL;
		char checksum[65];

		if (!satchel_object_choice_is_lacking(self->choice, pair, i))
			continue;
		if (object->type != SATCHEL_OBJECT_FILE) {
			add_weight(weight, object->stored_bytes);
			continue;
		}
		satchel_hex_from_sha256(object->checksum, checksum);
		if (!ostree_repo_load_file(self->repo, checksum, NULL, &info, NULL, NULL,
					   &local_error)) {
			g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
					    local_error->message);
			return FALSE;
		}
		add_weight(weight, (guint64)g_file_info_get_size(info));
	}
	return TRUE;
}

/* @delta, @written: of one pair; nothing where the device lacks nothing. */
static gboolean
write_delta(const SatchelThinCollection *self, const SatchelClosureList *all, guint pair,
	    gint64 time_s, int dir_fd, SatchelBundleDelta *delta, SatchelWrittenFile *written,
	    GError **error)
{
	const SatchelBundleBase *base = &self->thin->bases[pair / n_commits(self)];
	const char *commit = self->commits->pdata[pair % n_commits(self)];

	if (!weigh_unpacked(self, all, pair, &delta->unpacked, error))
		return FALSE;
	if (delta->unpacked.n_objects == 0)
		return TRUE;
	(void)g_strlcpy(delta->from, base->commit, sizeof delta->from);
	(void)g_strlcpy(delta->to, commit, sizeof delta->to);
	return satchel_collect_delta_generate(self->repo, delta, time_s, dir_fd, written, error);
}

/* Of all pairs' deltas those that were kept, in their order; the others' files go. */
static void
keep_chosen(SatchelThinCollection *self, const guint64 *sizes, guint n_pairs, int dir_fd)
{
	SatchelBundleThin *thin = self->thin;

	for (guint pair = 0; pair < n_pairs; pair++) {
		if (sizes[pair] > 0) {
			thin->deltas[thin->n_deltas] = thin->deltas[pair];
			self->files[thin->n_deltas++] = self->files[pair];
		} else if (thin->deltas[pair].size_bytes > 0) {
			satchel_collect_delta_remove(&thin->deltas[pair], dir_fd);
		}
	}
}

gboolean
satchel_collect_thin_write_deltas(SatchelThinCollection *self, const SatchelClosureList *all,
				  const SatchelWrittenFile *written, gint64 time_s, int dir_fd,
				  GError **error)
{
	guint n_pairs = self->thin->n_bases * n_commits(self);
	g_autofree guint64 *sizes = g_new0(guint64, n_pairs);

	self->thin->deltas = g_new0(SatchelBundleDelta, n_pairs);
	self->files = g_new0(SatchelWrittenFile, n_pairs);
	if (!check_bases(self, all, error))
		return FALSE;
	for (guint pair = 0; pair < n_pairs; pair++) {
		if (!write_delta(self, all, pair, time_s, dir_fd, &self->thin->deltas[pair],
				 &self->files[pair], error))
			return FALSE;
		sizes[pair] = self->thin->deltas[pair].size_bytes;
	}
	satchel_object_choice_set_deltas(self->choice, sizes, written);
	keep_chosen(self, sizes, n_pairs, dir_fd);
	return TRUE;
}

gboolean
satchel_collect_thin_list(const SatchelThinCollection *self, SatchelManifest *manifest,
			  GError **error)
{
	for (guint i = 0; i < self->thin->n_deltas; i++) {
		g_autofree char *member = satchel_bundle_delta_member(&self->thin->deltas[i]);

		if (!satchel_manifest_add(manifest, member, self->files[i].size_bytes,
					  self->files[i].sha256, error))
			return FALSE;
	}
	return TRUE;
}

void
satchel_thin_collection_free(SatchelThinCollection *self)
{
	g_clear_object(&self->repo);
	g_ptr_array_unref(self->commits);
	g_ptr_array_unref(self->bases);
	g_free(self->files);
	g_free(self);
}
