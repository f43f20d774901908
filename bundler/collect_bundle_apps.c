#include "collect_bundle_apps.h"
#include "../verify/path_safety.h"
#include "../verify/safe_read.h"
#include "app_files.h"
#include "file_error.h"
#include "interrupt.h"
#include "write_directory.h"
#include <errno.h>
#include <satchel/bundle_layout.h>
#include <string.h>
#include <unistd.h>

#define PIECE_BYTES (1024u * 1024u)

struct SatchelCollectedApps {
	SatchelAppStore *store;
	GPtrArray *apps;   /* of SatchelAppClosure */
	GPtrArray *files;  /* of GPtrArray of SatchelAppFile, one for each app */
	GHashTable *paths; /* in the bundle, to SatchelAppFile */
	guint64 size_bytes;
};

static void
add_path(SatchelCollectedApps *self, SatchelAppFile *file)
{
	char *path = g_strconcat(SATCHEL_BUNDLE_APPS "/", file->path, NULL);

	if (g_hash_table_contains(self->paths, path)) {
		g_free(path);
		return;
	}
	g_hash_table_insert(self->paths, path, file);
	self->size_bytes += file->size_bytes;
}

/* The blobs beside what stands below apps/. */
static void
add_blobs(GPtrArray *files, const SatchelAppClosure *app)
{
	for (guint i = 0; i < app->blobs->len; i++) {
		const SatchelAppBlob *blob = &g_array_index(app->blobs, SatchelAppBlob, i);
		SatchelAppFile *file = g_new0(SatchelAppFile, 1);

		file->path = satchel_app_store_blob(blob->sha256);
		(void)g_strlcpy(file->sha256, blob->sha256, sizeof file->sha256);
		file->size_bytes = blob->size_bytes;
		g_ptr_array_add(files, file);
	}
}

static gboolean
add_app(SatchelCollectedApps *self, const char *uri, GError **error)
{
	SatchelAppSource source = satchel_app_store_source(self->store);
	SatchelAppClosure *app;
	GPtrArray *files;

	for (guint i = 0; i < self->apps->len; i++) {
		if (strcmp(((const SatchelAppClosure *)self->apps->pdata[i])->uri, uri) == 0)
			return TRUE;
	}
	app = satchel_app_closure_new(&source, uri, NULL, error);
	if (app == NULL)
		return FALSE;
	g_ptr_array_add(self->apps, app);
	files = satchel_app_files_of(app);
	g_ptr_array_add(self->files, files);
	add_blobs(files, app);
	for (guint i = 0; i < files->len; i++)
		add_path(self, files->pdata[i]);
	return TRUE;
}

static gboolean
add_target(SatchelCollectedApps *self, const SatchelOstreeTarget *target, GError **error)
{
	for (guint i = 0; i < satchel_ostree_target_get_n_apps(target); i++) {
		const SatchelTargetApp *app = satchel_ostree_target_get_app(target, i);
		g_autofree char *name = NULL;

		if (!app->is_bundled || add_app(self, app->uri, error))
			continue;
		name = satchel_path_quote(satchel_ostree_target_get_name(target));
		g_prefix_error(error, "target %s: %s: ", name,
			       satchel_app_store_get_path(self->store));
		return FALSE;
	}
	return TRUE;
}

SatchelCollectedApps *
satchel_collect_bundle_apps_plan(const char *store_path, const SatchelBundlePlan *plan,
				 GError **error)
{
	g_autoptr(SatchelCollectedApps) self = g_new0(SatchelCollectedApps, 1);

	self->apps = g_ptr_array_new_with_free_func((GDestroyNotify)satchel_app_closure_free);
	self->files = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
	self->paths = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	self->store = satchel_app_store_open(store_path, FALSE, error);
	if (self->store == NULL)
		return NULL;
	for (guint i = 0; i < satchel_bundle_plan_get_n_targets(plan); i++) {
		if (!add_target(self, satchel_bundle_plan_get_target(plan, i), error))
			return NULL;
	}
	return g_steal_pointer(&self);
}

guint
satchel_collect_bundle_apps_get_n_apps(const SatchelCollectedApps *self)
{
	return self->apps->len;
}

guint64
satchel_collect_bundle_apps_get_bytes(const SatchelCollectedApps *self)
{
	return self->size_bytes;
}

static gboolean
copy_from(int fd, const char *path, SatchelFileWriter *writer, SatchelProgress *progress,
	  GError **error)
{
	g_autofree guint8 *piece = g_malloc(PIECE_BYTES);
	ssize_t n_read;

	do {
		n_read = read(fd, piece, PIECE_BYTES);
		if (n_read < 0 && errno != EINTR)
			return satchel_file_error_set(error, errno, path, "read it");
		if (n_read > 0 &&
		    !satchel_write_directory_append(writer, piece, (gsize)n_read, error))
			return FALSE;
		if (n_read > 0)
			satchel_progress_advance(progress, (guint64)n_read);
		if (!satchel_interrupt_check(error))
			return FALSE;
	} while (n_read != 0);
	return TRUE;
}

static gboolean
write_blob(const SatchelCollectedApps *self, const SatchelAppFile *file, const char *member,
	   int dir_fd, SatchelManifest *manifest, SatchelProgress *progress, GError **error)
{
	g_autofree char *path = satchel_app_store_blob(file->sha256);
	g_autoptr(SatchelFileWriter) writer = satchel_write_directory_begin(dir_fd, member, error);
	SatchelWrittenFile written;
	guint64 size_bytes = 0;
	gboolean done;
	int fd;

	if (writer == NULL)
		return FALSE;
	fd = satchel_safe_open(satchel_app_store_get_fd(self->store), path, &size_bytes, error);
	if (fd < 0)
		return FALSE;
	done = copy_from(fd, path, writer, progress, error);
	close(fd);
	if (!done || !satchel_write_directory_finish(writer, &written, error))
		return FALSE;
	if (strcmp(written.sha256, file->sha256) == 0)
		return satchel_manifest_add(manifest, member, written.size_bytes, written.sha256,
					    error);
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
		    "%s/%s has the hash %s: it is damaged", satchel_app_store_get_path(self->store),
		    path, written.sha256);
	return FALSE;
}

static int
compare_paths(gconstpointer a, gconstpointer b)
{
	return strcmp(a, b);
}

gboolean
satchel_collect_bundle_apps_write(const SatchelCollectedApps *self, int dir_fd,
				  SatchelManifest *manifest, SatchelProgress *progress,
				  GError **error)
{
	g_autoptr(GList) paths = g_list_sort(g_hash_table_get_keys(self->paths), compare_paths);

	for (GList *at = paths; at != NULL; at = at->next) {
		const SatchelAppFile *file = g_hash_table_lookup(self->paths, at->data);

		if (file->content != NULL) {
			if (!satchel_write_directory_put(dir_fd, at->data, file->content, manifest,
							 error))
				return FALSE;
			satchel_progress_advance(progress, file->size_bytes);
		} else if (!write_blob(self, file, at->data, dir_fd, manifest, progress, error)) {
			return FALSE;
		}
	}
	return TRUE;
}

void
satchel_collected_apps_free(SatchelCollectedApps *self)
{
	g_clear_pointer(&self->store, satchel_app_store_close);
	g_hash_table_unref(self->paths);
	g_ptr_array_unref(self->files);
	g_ptr_array_unref(self->apps);
	g_free(self);
}
