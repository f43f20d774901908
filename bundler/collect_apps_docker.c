#include "../verify/digest.h"
#include "../verify/json.h"
#include "../verify/path_safety.h"
#include "image_source.h"
#include "interrupt.h"
#include <archive.h>
#include <archive_entry.h>
#include <string.h>
#include <sys/stat.h>

#define PIECE_BYTES (1024u * 1024u)
#define MANIFEST_FILE "manifest.json"
#define MAX_ENTRIES (256u * 1024u)
#define CONFIG_TYPE "application/vnd.oci.image.config.v1+json"
#define LAYER_TYPE "application/vnd.oci.image.layer.v1.tar"
#define MANIFEST_TYPE "application/vnd.oci.image.manifest.v1+json"

/*
 * An archive of `docker save`. It has no manifest in the registry's form: one is made, of the
 * configuration as it is there and of the layers, uncompressed as they are there, whose digests the
 * configuration lists.
 */
typedef struct {
	char *config_name; /* entries in the archive */
	GStrv layer_names;
	GStrv tags;
	GBytes *config;
	char config_sha256[65];
	GPtrArray *layers; /* of char *: digests, in the order of the names */
	GBytes *manifest;
} DockerImage;

typedef struct {
	guint64 size_bytes;
	char *link; /* (nullable): the entry that stands for it */
} DockerEntry;

typedef struct {
	SatchelImageSource parent;
	char *path;
	GHashTable *entries; /* name to DockerEntry */
	GPtrArray *images;   /* of DockerImage */
	char *unnamed_for;
} DockerSource;

static void
image_free(gpointer data)
{
	DockerImage *image = data;

	g_free(image->config_name);
	g_strfreev(image->layer_names);
	g_strfreev(image->tags);
	g_clear_pointer(&image->config, g_bytes_unref);
	g_clear_pointer(&image->layers, g_ptr_array_unref);
	g_clear_pointer(&image->manifest, g_bytes_unref);
	g_free(image);
}

static void
entry_free(gpointer data)
{
	DockerEntry *entry = data;

	g_free(entry->link);
	g_free(entry);
}

static gboolean G_GNUC_PRINTF(3, 4)
	refuse(const DockerSource *self, GError **error, const char *format, ...)
{
	g_autofree char *reason = NULL;
	va_list args;

	va_start(args, format);
	reason = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED, "%s: %s", self->path,
		    reason);
	return FALSE;
}

/* ---- passes over the archive */

typedef gboolean (*EntryVisit)(DockerSource *self, struct archive *reader,
			       struct archive_entry *entry, const char *name, gpointer user_data,
			       gboolean *done, GError **error);

static gboolean
walk_entries(DockerSource *self, struct archive *reader, EntryVisit visit, gpointer user_data,
	     GError **error)
{
	gboolean done = FALSE;
	guint n_entries = 0;

	while (!done) {
		struct archive_entry *entry = NULL;
		int status = archive_read_next_header(reader, &entry);
		const char *name;

		if (status == ARCHIVE_EOF)
			return TRUE;
		if (status != ARCHIVE_OK || ++n_entries > MAX_ENTRIES)
			return refuse(self, error, "%s",
				      status != ARCHIVE_OK ? archive_error_string(reader)
							   : "it has too many entries");
		name = archive_entry_pathname(entry);
		if (name == NULL)
			continue;
		if (g_str_has_prefix(name, "./"))
			name += 2;
		if (!visit(self, reader, entry, name, user_data, &done, error) ||
		    !satchel_interrupt_check(error))
			return FALSE;
	}
	return TRUE;
}

static gboolean
walk(DockerSource *self, EntryVisit visit, gpointer user_data, GError **error)
{
	struct archive *reader = archive_read_new();
	gboolean done;

	g_assert(reader != NULL);
	(void)archive_read_support_format_tar(reader);
	(void)archive_read_support_filter_gzip(reader);
	if (archive_read_open_filename(reader, self->path, PIECE_BYTES) != ARCHIVE_OK)
		done = refuse(self, error, "%s", archive_error_string(reader));
	else
		done = walk_entries(self, reader, visit, user_data, error);
	archive_read_free(reader);
	return done;
}

/* A small file out of it. */
typedef struct {
	const char *name;
	gsize max_bytes;
	GByteArray *content;
} Wanted;

static gboolean
visit_small(DockerSource *self, struct archive *reader, struct archive_entry *entry,
	    const char *name, gpointer user_data, gboolean *done, GError **error)
{
	Wanted *wanted = user_data;
	g_autofree guint8 *piece = NULL;
	la_ssize_t n_read;

	if (strcmp(name, wanted->name) != 0 || archive_entry_filetype(entry) != AE_IFREG)
		return TRUE;
	piece = g_malloc(PIECE_BYTES);
	while ((n_read = archive_read_data(reader, piece, PIECE_BYTES)) > 0) {
		if ((gsize)n_read > wanted->max_bytes - wanted->content->len)
			return refuse(self, error, "%s is too large", name);
		g_byte_array_append(wanted->content, piece, (guint)n_read);
	}
	*done = TRUE;
	return n_read == 0 || refuse(self, error, "%s", archive_error_string(reader));
}

/* (transfer full) */
static GBytes *
read_small(DockerSource *self, const char *name, gsize max_bytes, GError **error)
{
	g_autoptr(GByteArray) content = g_byte_array_new();
	Wanted wanted = {name, max_bytes, content};
	g_autofree char *quoted = satchel_path_quote(name);

	if (!walk(self, visit_small, &wanted, error))
		return NULL;
	if (content->len > 0)
		return g_byte_array_free_to_bytes(g_steal_pointer(&content));
	refuse(self, error, "%s is not in it", quoted);
	return NULL;
}

/* A link's target, relative to its own folder, as a name of the archive. (transfer full) */
static char *
resolve_link(const char *name, const char *target)
{
	g_autofree char *folder = g_path_get_dirname(name);
	g_autofree char *joined = g_strconcat("/", folder, "/", target, NULL);
	g_autofree char *plain = g_canonicalize_filename(joined, "/");

	return g_strdup(plain + 1);
}

static gboolean
visit_names(DockerSource *self, struct archive *reader, struct archive_entry *entry,
	    const char *name, gpointer user_data, gboolean *done, GError **error)
{
	DockerEntry *found = g_new0(DockerEntry, 1);

	(void)reader;
	(void)user_data;
	(void)done;
	(void)error;
	found->size_bytes = (guint64)MAX(archive_entry_size(entry), 0);
	if (archive_entry_filetype(entry) == AE_IFLNK)
		found->link = resolve_link(name, archive_entry_symlink(entry));
	else if (archive_entry_hardlink(entry) != NULL)
		found->link = g_strdup(archive_entry_hardlink(entry));
	g_hash_table_replace(self->entries, g_strdup(name), found);
	return TRUE;
}

/* The entry that has the bytes: docker writes a layer that two images share once, and links. */
static const DockerEntry *
find_entry(const DockerSource *self, const char *name, const char **real_name)
{
	const DockerEntry *entry = g_hash_table_lookup(self->entries, name);

	*real_name = name;
	if (entry != NULL && entry->link != NULL) {
		*real_name = entry->link;
		entry = g_hash_table_lookup(self->entries, entry->link);
	}
	return entry != NULL && entry->link == NULL ? entry : NULL;
}

/* ---- its images */

static gboolean
add_image(DockerSource *self, const json_t *value, GError **error)
{
	DockerImage *image = g_new0(DockerImage, 1);
	const json_t *tags = json_object_get(value, "RepoTags");

	g_ptr_array_add(self->images, image);
	image->layers = g_ptr_array_new_with_free_func(g_free);
	image->config_name = g_strdup(satchel_json_get_string(value, "Config", error));
	if (image->config_name == NULL)
		return FALSE;
	image->layer_names = satchel_json_get_strv(value, "Layers", error);
	if (image->layer_names == NULL)
		return FALSE;
	image->tags = json_is_array(tags) ? satchel_json_get_strv(value, "RepoTags", error)
					  : g_new0(char *, 1);
	return image->tags != NULL;
}

/* manifest.json is an array at its top. */
static json_t *
parse_list(GBytes *bytes, GError **error)
{
	g_autoptr(GByteArray) wrapped = g_byte_array_new();
	g_autoptr(GBytes) document = NULL;

	g_byte_array_append(wrapped, (const guint8 *)"{\"images\":", 10);
	g_byte_array_append(wrapped, g_bytes_get_data(bytes, NULL), (guint)g_bytes_get_size(bytes));
	g_byte_array_append(wrapped, (const guint8 *)"}", 1);
	document = g_byte_array_free_to_bytes(g_steal_pointer(&wrapped));
	return satchel_json_parse(document, error);
}

static gboolean
parse_images(DockerSource *self, GBytes *bytes, GError **error)
{
	g_autoptr(GError) local_error = NULL;
	g_autoptr(SatchelJson) document = parse_list(bytes, &local_error);
	const json_t *list =
		document != NULL ? satchel_json_get_array(document, "images", &local_error) : NULL;
	json_t *value;
	gsize i;

	json_array_foreach(list, i, value)
	{
		if (!add_image(self, value, &local_error))
			return refuse(self, error, MANIFEST_FILE ": %s", local_error->message);
	}
	return list != NULL || refuse(self, error, MANIFEST_FILE ": %s", local_error->message);
}

/* ---- the manifest that is made */

static json_t *
descriptor_new(const char *type, const char *sha256, guint64 size_bytes)
{
	g_autofree char *digest = g_strconcat("sha256:", sha256, NULL);

	return json_pack("{s:s, s:s, s:I}", "mediaType", type, "digest", digest, "size",
			 (json_int_t)size_bytes);
}

static gboolean
make_layers(DockerSource *self, DockerImage *image, const json_t *diff_ids, json_t *layers,
	    GError **error)
{
	if (json_array_size(diff_ids) != g_strv_length(image->layer_names))
		return refuse(self, error,
			      "the image has other layers than its configuration says");
	for (guint i = 0; image->layer_names[i] != NULL; i++) {
		const char *digest = json_string_value(json_array_get(diff_ids, i));
		const char *real_name = NULL;
		const DockerEntry *entry = find_entry(self, image->layer_names[i], &real_name);

		if (digest == NULL || !g_str_has_prefix(digest, "sha256:") || strlen(digest) != 71)
			return refuse(self, error, "the configuration has a layer without digest");
		if (entry == NULL)
			return refuse(self, error, "the layer %s is not in it",
				      image->layer_names[i]);
		g_ptr_array_add(image->layers, g_strdup(digest + strlen("sha256:")));
		json_array_append_new(layers, descriptor_new(LAYER_TYPE, image->layers->pdata[i],
							     entry->size_bytes));
	}
	return TRUE;
}

static gboolean
make_manifest(DockerSource *self, DockerImage *image, GError **error)
{
	g_autoptr(SatchelJson) config = NULL;
	g_autoptr(SatchelJson) manifest = NULL;
	g_autofree char *sha256 = NULL;
	json_t *layers = json_array();
	char *text;

	manifest = json_pack("{s:i, s:s, s:o}", "schemaVersion", 2, "mediaType", MANIFEST_TYPE,
			     "layers", layers);
	image->config =
		read_small(self, image->config_name, SATCHEL_LIMIT_IMAGE_CONFIG_BYTES, error);
	config = image->config != NULL ? satchel_json_parse(image->config, error) : NULL;
	if (config == NULL)
		return FALSE;
	sha256 = satchel_digest_sha256_hex(g_bytes_get_data(image->config, NULL),
					   g_bytes_get_size(image->config));
	(void)g_strlcpy(image->config_sha256, sha256, sizeof image->config_sha256);
	json_object_set_new(manifest, "config",
			    descriptor_new(CONFIG_TYPE, sha256, g_bytes_get_size(image->config)));
	if (!make_layers(self, image,
			 json_object_get(json_object_get(config, "rootfs"), "diff_ids"), layers,
			 error))
		return FALSE;
	text = json_dumps(manifest, JSON_COMPACT | JSON_SORT_KEYS);
	image->manifest = g_bytes_new_with_free_func(text, strlen(text), free, text);
	return TRUE;
}

static gboolean
has_tag(const DockerImage *image, const char *tagged)
{
	for (guint i = 0; image->tags[i] != NULL; i++) {
		g_autoptr(SatchelImageName) name = satchel_image_name_parse(image->tags[i], NULL);
		g_autofree char *found =
			name != NULL ? satchel_image_name_format_tagged(name) : NULL;

		if (found != NULL && strcmp(found, tagged) == 0)
			return TRUE;
	}
	return FALSE;
}

static DockerImage *
find_image(DockerSource *self, const char *tagged)
{
	DockerImage *only = self->images->len == 1 ? self->images->pdata[0] : NULL;

	for (guint i = 0; i < self->images->len; i++) {
		if (has_tag(self->images->pdata[i], tagged))
			return self->images->pdata[i];
	}
	/* One image without a name is that of the one image that is asked for. */
	if (only == NULL || only->tags[0] != NULL ||
	    (self->unnamed_for != NULL && strcmp(self->unnamed_for, tagged) != 0))
		return NULL;
	g_free(self->unnamed_for);
	self->unnamed_for = g_strdup(tagged);
	return only;
}

/* ---- the table */

static GBytes *
docker_load_root(SatchelImageSource *source, const SatchelImageName *name, GError **error)
{
	DockerSource *self = (DockerSource *)source;
	g_autofree char *tagged = satchel_image_name_format_tagged(name);
	DockerImage *image = tagged != NULL ? find_image(self, tagged) : NULL;

	if (image == NULL) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_NO_TARGET_CONTENT,
			    "%s has no image of that name", source->name);
		return NULL;
	}
	if (image->manifest == NULL && !make_manifest(self, image, error))
		return NULL;
	return g_bytes_ref(image->manifest);
}

static GBytes *
docker_load_manifest(SatchelImageSource *source, const SatchelImageName *name, const char *sha256,
		     GError **error)
{
	(void)name;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_NO_TARGET_CONTENT,
		    "%s has no manifest sha256:%s", source->name, sha256);
	return NULL;
}

/* A layer on its way into the store. */
typedef struct {
	const char *name;
	SatchelBlobWriter *writer;
	gboolean found;
} LayerCopy;

static gboolean
visit_layer(DockerSource *self, struct archive *reader, struct archive_entry *entry,
	    const char *name, gpointer user_data, gboolean *done, GError **error)
{
	LayerCopy *copy = user_data;
	g_autofree guint8 *piece = NULL;
	la_ssize_t n_read;

	if (strcmp(name, copy->name) != 0 || archive_entry_filetype(entry) != AE_IFREG)
		return TRUE;
	piece = g_malloc(PIECE_BYTES);
	copy->found = TRUE;
	*done = TRUE;
	while ((n_read = archive_read_data(reader, piece, PIECE_BYTES)) > 0) {
		if (!satchel_blob_writer_append(copy->writer, piece, (gsize)n_read, error) ||
		    !satchel_interrupt_check(error))
			return FALSE;
	}
	return n_read == 0 || refuse(self, error, "%s", archive_error_string(reader));
}

static const char *
find_layer(const DockerSource *self, const char *sha256)
{
	for (guint i = 0; i < self->images->len; i++) {
		const DockerImage *image = self->images->pdata[i];

		for (guint j = 0; j < image->layers->len; j++) {
			const char *real_name = NULL;

			if (strcmp(image->layers->pdata[j], sha256) == 0 &&
			    find_entry(self, image->layer_names[j], &real_name) != NULL)
				return real_name;
		}
	}
	return NULL;
}

static gboolean
docker_copy_blob(SatchelImageSource *source, const SatchelImageName *name, const char *sha256,
		 SatchelBlobWriter *writer, GError **error)
{
	DockerSource *self = (DockerSource *)source;
	LayerCopy copy = {.writer = writer};

	(void)name;
	if (!satchel_blob_writer_restart(writer, error))
		return FALSE;
	for (guint i = 0; i < self->images->len; i++) {
		const DockerImage *image = self->images->pdata[i];

		if (image->config != NULL && strcmp(image->config_sha256, sha256) == 0)
			return satchel_blob_writer_append(writer,
							  g_bytes_get_data(image->config, NULL),
							  g_bytes_get_size(image->config), error);
	}
	copy.name = find_layer(self, sha256);
	if (copy.name != NULL && !walk(self, visit_layer, &copy, error))
		return FALSE;
	return copy.found || refuse(self, error, "the blob sha256:%s is not in it", sha256);
}

static void
docker_free(SatchelImageSource *source)
{
	DockerSource *self = (DockerSource *)source;

	g_free(self->path);
	g_free(self->unnamed_for);
	g_hash_table_unref(self->entries);
	g_ptr_array_unref(self->images);
	g_free(self);
}

SatchelImageSource *
satchel_image_source_docker_new(const char *path, GError **error)
{
	static const SatchelImageSourceClass klass = {
		.load_root = docker_load_root,
		.load_manifest = docker_load_manifest,
		.copy_blob = docker_copy_blob,
		.n_parallel = 1,
		.free = docker_free,
	};
	DockerSource *self = g_new0(DockerSource, 1);
	g_autoptr(SatchelImageSource) source = &self->parent;
	g_autoptr(GBytes) list = NULL;

	self->parent.klass = &klass;
	self->path = g_strdup(path);
	self->entries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, entry_free);
	self->images = g_ptr_array_new_with_free_func(image_free);
	if (!walk(self, visit_names, NULL, error))
		return NULL;
	list = read_small(self, MANIFEST_FILE, SATCHEL_LIMIT_IMAGE_MANIFEST_BYTES, error);
	return list != NULL && parse_images(self, list, error) ? g_steal_pointer(&source) : NULL;
}
