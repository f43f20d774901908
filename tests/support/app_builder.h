#pragma once
#include "../../verify/app_closure.h"
#include "../../verify/digest.h"
#include <archive.h>
#include <archive_entry.h>
#include <string.h>

/* Apps in memory, for tests: blobs by their digests, and the source that reads them. */
typedef struct {
	GHashTable *blobs; /* hex to GBytes */
	guint n_forgotten;
} AppShelf;

#define APP_SHELF_TYPES                                                                            \
	"\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"schemaVersion\":2"

static inline void
app_shelf_init(AppShelf *self)
{
	self->blobs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
					    (GDestroyNotify)g_bytes_unref);
	self->n_forgotten = 0;
}

static inline void
app_shelf_clear(AppShelf *self)
{
	g_hash_table_unref(self->blobs);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AppShelf, app_shelf_clear)

/* Its digest. (transfer full) */
static inline char *
app_shelf_put(AppShelf *self, gconstpointer data, gsize n_bytes)
{
	char *sha256 = satchel_digest_sha256_hex(data, n_bytes);

	g_hash_table_replace(self->blobs, g_strdup(sha256), g_bytes_new(data, n_bytes));
	return sha256;
}

static inline char *
app_shelf_put_text(AppShelf *self, const char *text)
{
	return app_shelf_put(self, text, strlen(text));
}

static inline guint64
app_shelf_size(AppShelf *self, const char *sha256)
{
	return g_bytes_get_size(g_hash_table_lookup(self->blobs, sha256));
}

static inline GBytes *
app_shelf_load(gpointer user_data, const char *sha256, gsize max_bytes, GError **error)
{
	AppShelf *self = user_data;
	GBytes *bytes = g_hash_table_lookup(self->blobs, sha256);

	if (bytes != NULL && g_bytes_get_size(bytes) <= max_bytes)
		return g_bytes_ref(bytes);
	g_set_error(error, SATCHEL_ERROR,
		    bytes == NULL ? SATCHEL_ERROR_METADATA_NOT_FOUND
				  : SATCHEL_ERROR_DOWNLOAD_FAILED,
		    "%s cannot be had", sha256);
	return NULL;
}

static inline gboolean
app_shelf_find(gpointer user_data, const char *sha256, guint64 *size_bytes, gboolean *missing,
	       GError **error)
{
	AppShelf *self = user_data;
	GBytes *bytes = g_hash_table_lookup(self->blobs, sha256);

	(void)error;
	*missing = bytes == NULL;
	if (bytes != NULL)
		*size_bytes = g_bytes_get_size(bytes);
	return TRUE;
}

static inline void
app_shelf_forget(gpointer user_data, const char *sha256)
{
	(void)sha256;
	((AppShelf *)user_data)->n_forgotten++;
}

static inline SatchelAppSource
app_shelf_source(AppShelf *self)
{
	return (SatchelAppSource){.folder = "apps/",
				  .load = app_shelf_load,
				  .find = app_shelf_find,
				  .forget = app_shelf_forget,
				  .self = self};
}

/* ---- archives */

typedef struct {
	const char *path;
	const char *content; /* of a file; NULL: as the type says */
	mode_t type;	     /* AE_IFREG and so on; 0: a regular file */
	const char *link;    /* of a symbolic link */
	const char *hard;    /* of a hard link */
} AppTarEntry;

#define APP_TAR_ROOM_BYTES (1024u * 1024u)

/* @entries: up to one without a path. (transfer full) */
static inline GBytes *
app_tar_new(const AppTarEntry *entries)
{
	g_autofree guint8 *buffer = g_malloc0(APP_TAR_ROOM_BYTES);
	struct archive *writer = archive_write_new();
	gsize n_bytes = 0;

	g_assert_cmpint(archive_write_set_format_pax_restricted(writer), ==, ARCHIVE_OK);
	g_assert_cmpint(archive_write_add_filter_gzip(writer), ==, ARCHIVE_OK);
	g_assert_cmpint(archive_write_open_memory(writer, buffer, APP_TAR_ROOM_BYTES, &n_bytes), ==,
			ARCHIVE_OK);
	for (; entries->path != NULL; entries++) {
		struct archive_entry *entry = archive_entry_new();
		gsize size = entries->content != NULL ? strlen(entries->content) : 0;

		archive_entry_set_pathname(entry, entries->path);
		archive_entry_set_filetype(entry, entries->type != 0 ? entries->type : AE_IFREG);
		archive_entry_set_perm(entry, 0644);
		archive_entry_set_size(entry, (gint64)size);
		if (entries->link != NULL)
			archive_entry_set_symlink(entry, entries->link);
		if (entries->hard != NULL)
			archive_entry_set_hardlink(entry, entries->hard);
		g_assert_cmpint(archive_write_header(writer, entry), ==, ARCHIVE_OK);
		if (size > 0)
			g_assert_cmpint(archive_write_data(writer, entries->content, size), ==,
					(gssize)size);
		archive_entry_free(entry);
	}
	g_assert_cmpint(archive_write_close(writer), ==, ARCHIVE_OK);
	archive_write_free(writer);
	return g_bytes_new(buffer, n_bytes);
}

/* ---- apps */

/* A descriptor of what is on the shelf. @more: members, with a comma before them. */
static inline char *
app_descriptor(AppShelf *self, const char *type, const char *sha256, const char *more)
{
	return g_strdup_printf(
		"{\"mediaType\":\"%s\",\"digest\":\"sha256:%s\",\"size\":%" G_GUINT64_FORMAT "%s}",
		type, sha256, app_shelf_size(self, sha256), more);
}

/* An image of one layer, whose content tells it from others: its manifest's digest. */
static inline char *
app_put_image(AppShelf *self, const char *content)
{
	g_autofree char *config_text = g_strdup_printf("{\"config of\":\"%s\"}", content);
	g_autofree char *config = app_shelf_put_text(self, config_text);
	g_autofree char *layer = app_shelf_put_text(self, content);
	g_autofree char *config_descriptor =
		app_descriptor(self, "application/vnd.oci.image.config.v1+json", config, "");
	g_autofree char *layer_descriptor =
		app_descriptor(self, "application/vnd.oci.image.layer.v1.tar", layer, "");
	g_autofree char *text =
		g_strdup_printf("{" APP_SHELF_TYPES ",\"config\":%s,\"layers\":[%s]}",
				config_descriptor, layer_descriptor);

	return app_shelf_put_text(self, text);
}

/* The app of that Compose file: its URI. (transfer full) */
static inline char *
app_put(AppShelf *self, const char *compose)
{
	const AppTarEntry entries[] = {{.path = "docker-compose.yml", .content = compose}, {0}};
	g_autoptr(GBytes) archive = app_tar_new(entries);
	g_autofree char *sha256 =
		app_shelf_put(self, g_bytes_get_data(archive, NULL), g_bytes_get_size(archive));
	g_autofree char *layer = app_descriptor(self, "application/octet-stream", sha256, "");
	g_autofree char *text = g_strdup_printf(
		"{" APP_SHELF_TYPES ",\"annotations\":{\"compose-app\":\"v1\"},\"config\":{},"
		"\"layers\":[%s]}",
		layer);
	g_autofree char *manifest = app_shelf_put_text(self, text);

	return g_strconcat("hub.example.org/factory/app@sha256:", manifest, NULL);
}
