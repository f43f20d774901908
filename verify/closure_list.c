#include "bundle_form.h"
#include "ostree_closure.h"
#include <sys/stat.h>

/* A tree that is still to be read; the stack of these replaces recursion. */
typedef struct {
	char tree[65];
	char meta[65];
	guint depth;
} PendingTree;

typedef struct {
	const SatchelClosureSource *source;
	SatchelClosureList *list;
	GHashTable *seen[SATCHEL_OBJECT_COMMIT + 1]; /* by type: checksums */
	GArray *stack;				     /* of PendingTree */
	GArray *files; /* of the present commit: SatchelClosureObject */
} ClosureWalk;

void
satchel_closure_list_free(SatchelClosureList *self)
{
	if (self == NULL)
		return;
	g_array_unref(self->objects);
	g_free(self);
}

/* TRUE the first time. */
static gboolean
walk_is_new(ClosureWalk *walk, SatchelObjectType type, const char *checksum)
{
	if (g_hash_table_contains(walk->seen[type], checksum))
		return FALSE;
	return g_hash_table_add(walk->seen[type], g_strdup(checksum));
}

/* @n_waiting: objects that are known and not yet in the list: they take memory as well */
static gboolean
walk_has_room(const ClosureWalk *walk, guint n_waiting, GError **error)
{
	if (walk->list->objects->len + n_waiting < SATCHEL_LIMIT_OSTREE_OBJECTS)
		return TRUE;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
		    "the commits have more than %u objects", SATCHEL_LIMIT_OSTREE_OBJECTS);
	return FALSE;
}

static gboolean
walk_append(ClosureWalk *walk, const SatchelClosureObject *object, GError **error)
{
	SatchelClosureList *list = walk->list;

	if (!walk_has_room(walk, 0, error))
		return FALSE;
	g_array_append_val(list->objects, *object);
	/* A sparse file system can claim any size; the sum stays a sum. */
	if (!g_uint64_checked_add(&list->stored_bytes, list->stored_bytes, object->stored_bytes))
		list->stored_bytes = G_MAXUINT64;
	return TRUE;
}

/* Reads a commit, dirtree or dirmeta that was not met before and lists it. */
static GBytes *
walk_load(ClosureWalk *walk, SatchelObjectType type, const char *checksum, GError **error)
{
	SatchelClosureObject object = {.type = type};
	g_autoptr(GBytes) bytes = walk->source->load(walk->source->self, type, checksum, error);

	if (bytes == NULL)
		return NULL;
	g_strlcpy(object.checksum, checksum, sizeof object.checksum);
	object.stored_bytes = g_bytes_get_size(bytes);
	return walk_append(walk, &object, error) ? g_steal_pointer(&bytes) : NULL;
}

/* A hash that is right and a form that is wrong: whoever made the target made it so. */
static gboolean
walk_malformed(ClosureWalk *walk, SatchelObjectType type, const char *checksum, GError **error)
{
	g_autofree char *path = satchel_object_path(type, checksum, FALSE);

	g_prefix_error(error, "%s/objects/%s: ", walk->source->name, path);
	if (error != NULL)
		(*error)->code = SATCHEL_ERROR_DOWNLOAD_FAILED;
	return FALSE;
}

static gboolean
walk_meta(ClosureWalk *walk, const char *checksum, GError **error)
{
	g_autoptr(GBytes) bytes = NULL;

	if (!walk_is_new(walk, SATCHEL_OBJECT_DIR_META, checksum))
		return TRUE;
	bytes = walk_load(walk, SATCHEL_OBJECT_DIR_META, checksum, error);
	if (bytes == NULL)
		return FALSE;
	return satchel_dirmeta_parse(bytes, error) ||
	       walk_malformed(walk, SATCHEL_OBJECT_DIR_META, checksum, error);
}

static gboolean
walk_remember_file(ClosureWalk *walk, const char *checksum, GError **error)
{
	SatchelClosureObject object = {.type = SATCHEL_OBJECT_FILE};

	if (!walk_is_new(walk, SATCHEL_OBJECT_FILE, checksum))
		return TRUE;
	if (!walk_has_room(walk, walk->files->len, error))
		return FALSE;
	g_strlcpy(object.checksum, checksum, sizeof object.checksum);
	g_array_append_val(walk->files, object);
	return TRUE;
}

static gboolean
walk_push(ClosureWalk *walk, const char *tree, const char *meta, guint depth, GError **error)
{
	PendingTree pending = {.depth = depth};

	if (depth > SATCHEL_LIMIT_OSTREE_DEPTH) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
			    "the commit's folders are nested more than %u deep",
			    SATCHEL_LIMIT_OSTREE_DEPTH);
		return FALSE;
	}
	g_strlcpy(pending.tree, tree, sizeof pending.tree);
	g_strlcpy(pending.meta, meta, sizeof pending.meta);
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

		if (*entry->meta_checksum != '\0')
			break;
		if (!walk_remember_file(walk, entry->checksum, error))
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
	if (!walk_is_new(walk, SATCHEL_OBJECT_DIR_TREE, pending->tree))
		return walk_meta(walk, pending->meta, error);
	bytes = walk_load(walk, SATCHEL_OBJECT_DIR_TREE, pending->tree, error);
	if (bytes == NULL || !walk_meta(walk, pending->meta, error))
		return FALSE;
	tree = satchel_tree_parse(bytes, error);
	if (tree == NULL)
		return walk_malformed(walk, SATCHEL_OBJECT_DIR_TREE, pending->tree, error);
	return walk_entries(walk, tree, pending->depth, error);
}

static gboolean
walk_files(ClosureWalk *walk, GError **error)
{
	for (guint i = 0; i < walk->files->len; i++) {
		SatchelClosureObject *object = &g_array_index(walk->files, SatchelClosureObject, i);

		if (!walk->source->stat_file(walk->source->self, object->checksum,
					     &object->stored_bytes, &object->missing, error))
			return FALSE;
		walk->list->n_files++;
		walk->list->n_missing += object->missing ? 1 : 0;
		if (!walk_append(walk, object, error))
			return FALSE;
	}
	g_array_set_size(walk->files, 0);
	return TRUE;
}

static gboolean
walk_commit(ClosureWalk *walk, const char *checksum, GError **error)
{
	g_autoptr(GBytes) bytes = NULL;
	SatchelCommit commit;

	if (!walk_is_new(walk, SATCHEL_OBJECT_COMMIT, checksum))
		return TRUE;
	bytes = walk_load(walk, SATCHEL_OBJECT_COMMIT, checksum, error);
	if (bytes == NULL)
		return FALSE;
	if (!satchel_commit_parse(bytes, &commit, error))
		return walk_malformed(walk, SATCHEL_OBJECT_COMMIT, checksum, error);
	if (!walk_push(walk, commit.root_tree, commit.root_meta, 1, error))
		return FALSE;
	while (walk->stack->len > 0) {
		PendingTree pending = g_array_index(walk->stack, PendingTree, walk->stack->len - 1);

		g_array_set_size(walk->stack, walk->stack->len - 1);
		if (!walk_tree(walk, &pending, error))
			return FALSE;
	}
	return walk_files(walk, error);
}

static void
walk_clear(ClosureWalk *walk)
{
	for (guint i = 0; i < G_N_ELEMENTS(walk->seen); i++)
		g_hash_table_unref(walk->seen[i]);
	g_array_unref(walk->stack);
	g_array_unref(walk->files);
	satchel_closure_list_free(walk->list);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ClosureWalk, walk_clear)

SatchelClosureList *
satchel_closure_list_from(const SatchelClosureSource *source, const char *const *commits,
			  GError **error)
{
	g_auto(ClosureWalk) walk = {.source = source};

	walk.list = g_new0(SatchelClosureList, 1);
	walk.list->objects = g_array_new(FALSE, TRUE, sizeof(SatchelClosureObject));
	for (guint i = 0; i < G_N_ELEMENTS(walk.seen); i++)
		walk.seen[i] = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	walk.stack = g_array_new(FALSE, TRUE, sizeof(PendingTree));
	walk.files = g_array_new(FALSE, TRUE, sizeof(SatchelClosureObject));
	for (guint i = 0; commits[i] != NULL; i++) {
		if (!walk_commit(&walk, commits[i], error))
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
stat_in_repo(gpointer repo, const char *checksum, guint64 *stored_bytes, gboolean *missing,
	     GError **error)
{
	return satchel_closure_repo_stat_file(repo, checksum, stored_bytes, missing, error);
}

SatchelClosureList *
satchel_closure_list(SatchelClosureRepo *repo, const char *const *commits, GError **error)
{
	const SatchelClosureSource source = {
		.name = SATCHEL_BUNDLE_OSTREE_REPO,
		.load = load_from_repo,
		.stat_file = stat_in_repo,
		.self = repo,
	};

	return satchel_closure_list_from(&source, commits, error);
}
