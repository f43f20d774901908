#include "apps_load.h"
#include "../verify/progress.h"
#include "load_archive.h"
#include <string.h>

#define LOCAL_PREFIX "localhost/satchel/"
#define REMOVE_LIMIT_S 300u

/* One image on its way. */
typedef struct {
	SatchelLoadArchive *archive;
	SatchelProgress *progress;
} Load;

static void
load_clear(Load *self)
{
	g_clear_pointer(&self->progress, satchel_progress_end);
	g_clear_pointer(&self->archive, satchel_load_archive_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Load, load_clear)

char *
satchel_apps_load_local_name(const SatchelImageReference *reference)
{
	const char *slash = strrchr(reference->path, '/');

	return g_strdup_printf(LOCAL_PREFIX "%s:%s", slash == NULL ? reference->path : slash + 1,
			       reference->sha256);
}

static gssize
read_archive(gpointer user_data, gpointer buffer, gsize n_bytes, GError **error)
{
	Load *self = user_data;
	gssize n = satchel_load_archive_read(self->archive, buffer, n_bytes, error);

	if (n > 0)
		satchel_progress_advance(self->progress, (guint64)n);
	return n;
}

static gboolean
unreadable(GError *from, GError **error)
{
	if (g_error_matches(from, SATCHEL_ERROR, SATCHEL_ERROR_FAILED))
		from->code = SATCHEL_ERROR_TARGET_UNREADABLE;
	g_propagate_error(error, from);
	return FALSE;
}

/* *@id: the engine's of what has that name, NULL: nothing has. (transfer full) */
static gboolean
find_id(SatchelEngine *engine, const char *name, char **id, GError **error)
{
	g_autofree char *path = g_strdup_printf("/images/%s/json", name);
	gboolean absent = FALSE;
	g_autoptr(GError) local_error = NULL;
	g_autoptr(SatchelJson) details = satchel_engine_get(engine, path, &absent, &local_error);

	*id = NULL;
	if (details == NULL)
		return absent || unreadable(g_steal_pointer(&local_error), error);
	*id = g_strdup(json_string_value(json_object_get(details, "Id")));
	return TRUE;
}

static gboolean
load_image(SatchelEngine *engine, const SatchelBlobStore *store, const SatchelAppImage *image,
	   const char *name, guint limit_s, const SatchelProgressSink *sink,
	   GCancellable *cancellable, GError **error)
{
	g_auto(Load) load = {0};
	g_autofree char *id = NULL;
	guint64 total_bytes = 0;

	load.archive = satchel_load_archive_new(satchel_blob_store_get_blobs_fd(store),
						image->manifest, name);
	total_bytes = satchel_load_archive_get_bytes(load.archive);
	load.progress = satchel_progress_begin(sink, "loading images", total_bytes);
	if (!satchel_engine_load(engine, read_archive, &load, total_bytes, limit_s, cancellable,
				 error) ||
	    !find_id(engine, name, &id, error))
		return FALSE;
	if (id != NULL)
		return TRUE;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_TARGET_UNREADABLE,
		    "the engine took it and does not know it");
	return FALSE;
}

/* An image's id is the digest of its configuration. */
static gboolean
load_if_absent(SatchelEngine *engine, const SatchelBlobStore *store, const SatchelAppImage *image,
	       guint limit_s, const SatchelProgressSink *sink, GCancellable *cancellable,
	       GError **error)
{
	g_autofree char *name = satchel_apps_load_local_name(image->reference);
	g_autofree char *wanted = g_strconcat("sha256:", image->manifest->config->sha256, NULL);
	g_autofree char *id = NULL;

	return find_id(engine, name, &id, error) &&
	       (g_strcmp0(id, wanted) == 0 ||
		load_image(engine, store, image, name, limit_s, sink, cancellable, error));
}

gboolean
satchel_apps_load(SatchelEngine *engine, const SatchelBlobStore *store,
		  const SatchelAppClosure *closure, guint limit_s, const SatchelProgressSink *sink,
		  GCancellable *cancellable, GError **error)
{
	for (guint i = 0; i < closure->images->len; i++) {
		const SatchelAppImage *image = g_ptr_array_index(closure->images, i);

		if (!load_if_absent(engine, store, image, limit_s, sink, cancellable, error)) {
			g_prefix_error(error, "app %s: image %s/%s: ", closure->name,
				       image->reference->host, image->reference->path);
			return FALSE;
		}
	}
	return TRUE;
}

/* ---- pruning */

/* (transfer full) */
static GHashTable *
list_needed(const GPtrArray *closures)
{
	GHashTable *needed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (guint i = 0; i < closures->len; i++) {
		const SatchelAppClosure *closure = g_ptr_array_index(closures, i);

		for (guint j = 0; j < closure->images->len; j++) {
			const SatchelAppImage *image = g_ptr_array_index(closure->images, j);

			g_hash_table_add(needed, satchel_apps_load_local_name(image->reference));
		}
	}
	return needed;
}

static void
prune_image(SatchelEngine *engine, const json_t *image, GHashTable *needed)
{
	const json_t *names = json_object_get(image, "RepoTags");

	for (gsize i = 0; i < json_array_size(names); i++) {
		const char *name = json_string_value(json_array_get(names, i));
		g_autofree char *path = NULL;

		if (name == NULL || !g_str_has_prefix(name, LOCAL_PREFIX) ||
		    g_hash_table_contains(needed, name))
			continue;
		path = g_strdup_printf("/images/%s", name);
		(void)!satchel_engine_delete(engine, path, REMOVE_LIMIT_S, NULL);
	}
}

void
satchel_apps_load_prune(SatchelEngine *engine, const GPtrArray *closures)
{
	g_autoptr(GHashTable) needed = list_needed(closures);
	g_autoptr(SatchelJson) images = satchel_engine_get(engine, "/images/json", NULL, NULL);

	for (gsize i = 0; i < json_array_size(images); i++)
		prune_image(engine, json_array_get(images, i), needed);
}
