#include "hex.h"
#include "ostree_closure.h"
#include <string.h>

/* A tree that is still to be read; the stack of these replaces recursion. */
typedef struct {
	guint8 tree[32];
	guint8 meta[32];
	guint depth;
} PendingTree;

typedef struct {
	const SatchelClosureSource *source;
	SatchelClosureList *list;
	GArray *stack; /* of PendingTree */
} ClosureWalk;

void
satchel_closure_list_free(SatchelClosureList *self)
{
	if (self == NULL)
		return;
	satchel_closure_index_free(self->index);
	g_array_unref(self->objects);
	g_free(self);
}

static SatchelClosureObject
walk_object(SatchelObjectType type, const guint8 *checksum)
{
	SatchelClosureObject object = {.type = type};

	memcpy(object.checksum, checksum, sizeof object.checksum);
	return object;
}

/* Lists an object that was not met before; *@is_new tells. */
static gboolean
walk_add(ClosureWalk *walk, const SatchelClosureObject *object, gboolean *is_new, GError **error)
{
	*is_new = satchel_closure_index_add(walk->list->index, object);
	if (walk->list->objects->len <= SATCHEL_LIMIT_OSTREE_OBJECTS)
		return TRUE;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
		    "the commits have more than %u objects", SATCHEL_LIMIT_OSTREE_OBJECTS);
	return FALSE;
}

static void
walk_count_bytes(ClosureWalk *walk, guint64 stored_bytes)
{
	SatchelClosureList *list = walk->list;

	/* A sparse file system can claim any size; the sum stays a sum. */
	if (!g_uint64_checked_add(&list->stored_bytes, list->stored_bytes, stored_bytes))
		list->stored_bytes = G_MAXUINT64;
}

/* Reads a commit, dirtree or dirmeta and lists it. @bytes: (out) (transfer full): NULL where it was
 * met before */
static gboolean
walk_load(ClosureWalk *walk, SatchelObjectType type, const guint8 *checksum, GBytes **bytes,
	  GError **error)
{
	SatchelClosureObject object = walk_object(type, checksum);
	char hex[65];
	SatchelClosureObject *listed;
	gboolean is_new = FALSE;

	if (!walk_add(walk, &object, &is_new, error))
		return FALSE;
	if (!is_new)
		return TRUE;
	satchel_hex_from_sha256(checksum, hex);
	*bytes = walk->source->load(walk->source->self, type, hex, error);
	if (*bytes == NULL)
		return FALSE;
	listed = &g_array_index(walk->list->objects, SatchelClosureObject,
				walk->list->objects->len - 1);
	listed->stored_bytes = g_bytes_get_size(*bytes);
	walk_count_bytes(walk, listed->stored_bytes);
	return TRUE;
}

/* A hash that is right and a form that is wrong: whoever made the target made it so. */
static gboolean
walk_malformed(ClosureWalk *walk, SatchelObjectType type, const guint8 *checksum, GError **error)
{
	g_autofree char *path = NULL;
	char hex[65];

	satchel_hex_from_sha256(checksum, hex);
	path = satchel_object_path(type, hex, FALSE);
	g_prefix_error(error, "%s/objects/%s: ", walk->source->name, path);
	if (error != NULL)
		(*error)->code = SATCHEL_ERROR_DOWNLOAD_FAILED;
	return FALSE;
}

static gboolean
walk_meta(ClosureWalk *walk, const guint8 *checksum, GError **error)
{
	g_autoptr(GBytes) bytes = NULL;

	if (!walk_load(walk, SATCHEL_OBJECT_DIR_META, checksum, &bytes, error))
		return FALSE;
	return bytes == NULL || satchel_dirmeta_parse(bytes, error) ||
	       walk_malformed(walk, SATCHEL_OBJECT_DIR_META, checksum, error);
}

static gboolean
walk_file(ClosureWalk *walk, const guint8 *checksum, GError **error)
{
	SatchelClosureObject object = walk_object(SATCHEL_OBJECT_FILE, checksum);
	gboolean is_new = FALSE;

	return walk_add(walk, &object, &is_new, error);
}

static gboolean
walk_push(ClosureWalk *walk, const guint8 *tree, const guint8 *meta, guint depth, GError **error)
{
	PendingTree pending = {.depth = depth};

	if (depth > SATCHEL_LIMIT_OSTREE_DEPTH) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
			    "the commit's folders are nested more than %u deep",
			    SATCHEL_LIMIT_OSTREE_DEPTH);
		return FALSE;
	}
	memcpy(pending.tree, tree, sizeof pending.tree);
	memcpy(pending.meta, meta, sizeof pending.meta);
	g_array_append_val(walk->stack, pending);
	return TRUE;
}

/* Files in order; folders backwards onto the stack, so that the first is the next to come off. */
static gboolean
walk_entries(ClosureWalk *walk, const SatchelTree *tree, guint depth, GError **error)
{
	guint n_entries = satchel_tree_get_n_entries(tree);
	guint n_files = 0;

	while (n_files < n_entries) {
		const SatchelTreeEntry *entry = satchel_tree_get_entry(tree, n_files);

		if (entry->meta_checksum != NULL)
			break;
		if (!walk_file(walk, entry->checksum, error))
			return FALSE;
		n_files++;
	}
	for (guint i = n_entries; i > n_files; i--) {
		const SatchelTreeEntry *entry = satchel_tree_get_entry(tree, i - 1);

		if (!walk_push(walk, entry->checksum, entry->meta_checksum, depth + 1, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean
walk_tree(ClosureWalk *walk, const PendingTree *pending, GError **error)
{
	g_autoptr(SatchelTree) tree = NULL;
	g_autoptr(GBytes) bytes = NULL;

	/* The same tree may stand in several places with different metadata. */
	if (!walk_load(walk, SATCHEL_OBJECT_DIR_TREE, pending->tree, &bytes, error) ||
	    !walk_meta(walk, pending->meta, error))
		return FALSE;
	if (bytes == NULL)
		return TRUE;
	tree = satchel_tree_parse(bytes, error);
	if (tree == NULL)
		return walk_malformed(walk, SATCHEL_OBJECT_DIR_TREE, pending->tree, error);
	return walk_entries(walk, tree, pending->depth, error);
}

static gboolean
walk_find_file(ClosureWalk *walk, SatchelClosureObject *object, GError **error)
{
	SatchelBundlePlace place = {0};
	gboolean missing = FALSE;
	char checksum[65];

	satchel_hex_from_sha256(object->checksum, checksum);
	if (!walk->source->find_file(walk->source->self, checksum, &place, &missing, error))
		return FALSE;
	object->missing = missing;
	object->place = place.place;
	object->stored_bytes = MIN(place.size_bytes, SATCHEL_CLOSURE_MAX_BYTES);
	walk_count_bytes(walk, object->stored_bytes);
	walk->list->n_files++;
	walk->list->n_missing += missing ? 1 : 0;
	return TRUE;
}

/* The files of a commit, whose objects begin at @first, go behind its trees. */
static gboolean
walk_files(ClosureWalk *walk, guint first, GError **error)
{
	GArray *objects = walk->list->objects;
	g_autoptr(GArray) files = g_array_new(FALSE, FALSE, sizeof(SatchelClosureObject));
	guint n_kept = first;

	for (guint i = first; i < objects->len; i++) {
		SatchelClosureObject *object = &g_array_index(objects, SatchelClosureObject, i);

		if (object->type != SATCHEL_OBJECT_FILE) {
			g_array_index(objects, SatchelClosureObject, n_kept++) = *object;
			continue;
		}
		if (!walk_find_file(walk, object, error))
			return FALSE;
		g_array_append_val(files, *object);
	}
	g_array_set_size(objects, n_kept);
	g_array_append_vals(objects, files->data, files->len);
	satchel_closure_index_rebuild(walk->list->index);
	return TRUE;
}

static gboolean
walk_checksum(const char *hex, guint8 checksum[32], GError **error)
{
	if (satchel_hex_to_sha256(hex, checksum))
		return TRUE;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED, "%s is no checksum", hex);
	return FALSE;
}

static gboolean
walk_commit(ClosureWalk *walk, const guint8 *checksum, GError **error)
{
	guint first = walk->list->objects->len;
	g_autoptr(GBytes) bytes = NULL;
	guint8 tree[32], meta[32];
	SatchelCommit commit;

	if (!walk_load(walk, SATCHEL_OBJECT_COMMIT, checksum, &bytes, error))
		return FALSE;
	if (bytes == NULL)
		return TRUE;
	if (!satchel_commit_parse(bytes, &commit, error))
		return walk_malformed(walk, SATCHEL_OBJECT_COMMIT, checksum, error);
	if (!walk_checksum(commit.root_tree, tree, error) ||
	    !walk_checksum(commit.root_meta, meta, error) || !walk_push(walk, tree, meta, 1, error))
		return FALSE;
	while (walk->stack->len > 0) {
		PendingTree pending = g_array_index(walk->stack, PendingTree, walk->stack->len - 1);

		g_array_set_size(walk->stack, walk->stack->len - 1);
		if (!walk_tree(walk, &pending, error))
			return FALSE;
	}
	return walk_files(walk, first, error);
}

static void
walk_clear(ClosureWalk *walk)
{
	g_array_unref(walk->stack);
	satchel_closure_list_free(walk->list);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ClosureWalk, walk_clear)

SatchelClosureList *
satchel_closure_list_from(const SatchelClosureSource *source, const char *const *commits,
			  GError **error)
{
	g_auto(ClosureWalk) walk = {.source = source};

	walk.list = g_new0(SatchelClosureList, 1);
	walk.list->objects = g_array_new(FALSE, FALSE, sizeof(SatchelClosureObject));
	walk.list->index = satchel_closure_index_new(walk.list->objects);
	walk.stack = g_array_new(FALSE, TRUE, sizeof(PendingTree));
	for (guint i = 0; commits[i] != NULL; i++) {
		guint8 checksum[32];

		if (!walk_checksum(commits[i], checksum, error) ||
		    !walk_commit(&walk, checksum, error))
			return NULL;
	}
	return g_steal_pointer(&walk.list);
}

static GBytes *
load_from_repo(gpointer repo, SatchelObjectType type, const char *checksum, GError **error)
{
	return satchel_closure_repo_load(repo, type, checksum, error);
}

static gboolean
find_in_repo(gpointer repo, const char *checksum, SatchelBundlePlace *place, gboolean *missing,
	     GError **error)
{
	return satchel_closure_repo_find(repo, SATCHEL_OBJECT_FILE, checksum, place, missing,
					 error);
}

SatchelClosureList *
satchel_closure_list(SatchelClosureRepo *repo, const char *const *commits, GError **error)
{
	const SatchelClosureSource source = {
		.name = SATCHEL_BUNDLE_OSTREE_REPO,
		.load = load_from_repo,
		.find_file = find_in_repo,
		.self = repo,
	};

	return satchel_closure_list_from(&source, commits, error);
}
