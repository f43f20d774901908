#include "../verify/json.h"
#include "../verify/oci_document.h"
#include "../verify/path_safety.h"
#include "../verify/safe_read.h"
#include "file_error.h"
#include "image_source.h"
#include "interrupt.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define PIECE_BYTES (1024u * 1024u)
#define REF_NAME "org.opencontainers.image.ref.name"
#define CONTAINERD_NAME "io.containerd.image.name"

/* One entry of the layout's index. */
typedef struct {
	char sha256[65];
	char *names[2]; /* (nullable) */
} LayoutEntry;

typedef struct {
	SatchelImageSource parent;
	int dir_fd;
	GPtrArray *entries; /* of LayoutEntry */
	char *unnamed_for;  /* what the one image without a name was taken for */
} OciSource;

static void
entry_free(gpointer data)
{
	LayoutEntry *entry = data;

	g_free(entry->names[0]);
	g_free(entry->names[1]);
	g_free(entry);
}

static gboolean
refuse(GError **error, SatchelError code, const char *what, const char *reason)
{
	g_autofree char *quoted = satchel_path_quote(what);

	g_set_error(error, SATCHEL_ERROR, (int)code, "%s %s", quoted, reason);
	return FALSE;
}

/* ---- the layout's index */

static gboolean
parse_entries(OciSource *self, const json_t *index, GError **error)
{
	const json_t *manifests = satchel_json_get_array(index, "manifests", error);
	json_t *value;
	gsize i;

	if (manifests == NULL)
		return FALSE;
	json_array_foreach(manifests, i, value)
	{
		const char *digest = satchel_json_get_string(value, "digest", error);
		const json_t *annotations = json_object_get(value, "annotations");
		LayoutEntry *entry;

		if (digest == NULL)
			return FALSE;
		if (!g_str_has_prefix(digest, "sha256:") || strlen(digest) != 71)
			continue;
		entry = g_new0(LayoutEntry, 1);
		(void)g_strlcpy(entry->sha256, digest + strlen("sha256:"), sizeof entry->sha256);
		entry->names[0] =
			g_strdup(json_string_value(json_object_get(annotations, REF_NAME)));
		entry->names[1] =
			g_strdup(json_string_value(json_object_get(annotations, CONTAINERD_NAME)));
		g_ptr_array_add(self->entries, entry);
	}
	return TRUE;
}

static gboolean
read_index(OciSource *self, const char *path, GError **error)
{
	g_autoptr(GError) local_error = NULL;
	g_autoptr(GBytes) text = satchel_safe_read(
		self->dir_fd, "index.json", SATCHEL_LIMIT_IMAGE_MANIFEST_BYTES, &local_error);
	g_autoptr(SatchelJson) index = text != NULL ? satchel_json_parse(text, &local_error) : NULL;

	if (index != NULL && parse_entries(self, index, &local_error))
		return TRUE;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
		    "%s is no OCI layout: index.json: %s", path, local_error->message);
	return FALSE;
}

/* By what others write there: the whole name, the name as the developer has it, the tag alone. */
static const char *
find_named(const OciSource *self, const SatchelImageName *name)
{
	g_autofree char *tagged = satchel_image_name_format_tagged(name);
	const char *by_tag = NULL;
	guint n_by_tag = 0;

	for (guint i = 0; tagged != NULL && i < self->entries->len; i++) {
		const LayoutEntry *entry = self->entries->pdata[i];

		for (guint j = 0; j < G_N_ELEMENTS(entry->names); j++) {
			const char *found = entry->names[j];
			g_autoptr(SatchelImageName) parsed = NULL;
			g_autofree char *whole = NULL;

			if (found == NULL)
				continue;
			if (strcmp(found, name->tag) == 0) {
				by_tag = entry->sha256;
				n_by_tag++;
				continue;
			}
			parsed = satchel_image_name_parse(found, NULL);
			whole = parsed != NULL ? satchel_image_name_format_tagged(parsed) : NULL;
			if (whole != NULL && strcmp(whole, tagged) == 0)
				return entry->sha256;
		}
	}
	return n_by_tag == 1 ? by_tag : NULL;
}

/* A layout of one image that has no name is that of the one image that is asked for. */
static const char *
find_unnamed(OciSource *self, const SatchelImageName *name)
{
	g_autofree char *tagged = satchel_image_name_format_tagged(name);
	const LayoutEntry *entry = self->entries->len == 1 ? self->entries->pdata[0] : NULL;

	if (tagged == NULL || entry == NULL || entry->names[0] != NULL || entry->names[1] != NULL)
		return NULL;
	if (self->unnamed_for != NULL && strcmp(self->unnamed_for, tagged) != 0)
		return NULL;
	g_free(self->unnamed_for);
	self->unnamed_for = g_steal_pointer(&tagged);
	return entry->sha256;
}

/* ---- the table */

static char *
blob_path(const char *sha256)
{
	return g_strconcat("blobs/sha256/", sha256, NULL);
}

static GBytes *
oci_load_manifest(SatchelImageSource *source, const SatchelImageName *name, const char *sha256,
		  GError **error)
{
	OciSource *self = (OciSource *)source;
	g_autofree char *path = blob_path(sha256);
	g_autoptr(GError) local_error = NULL;
	GBytes *bytes = satchel_safe_read(self->dir_fd, path, SATCHEL_LIMIT_IMAGE_MANIFEST_BYTES,
					  &local_error);

	(void)name;
	if (bytes == NULL)
		g_set_error(error, SATCHEL_ERROR,
			    g_error_matches(local_error, SATCHEL_ERROR,
					    SATCHEL_ERROR_METADATA_NOT_FOUND)
				    ? SATCHEL_ERROR_NO_TARGET_CONTENT
				    : SATCHEL_ERROR_DOWNLOAD_FAILED,
			    "%s: %s", source->name, local_error->message);
	return bytes;
}

static GBytes *
oci_load_root(SatchelImageSource *source, const SatchelImageName *name, GError **error)
{
	OciSource *self = (OciSource *)source;
	const char *sha256 = *name->sha256 != '\0' ? name->sha256 : find_named(self, name);

	if (sha256 == NULL)
		sha256 = find_unnamed(self, name);
	if (sha256 != NULL)
		return oci_load_manifest(source, name, sha256, error);
	refuse(error, SATCHEL_ERROR_NO_TARGET_CONTENT, source->name,
	       "has no image of that name in its index.json");
	return NULL;
}

static gboolean
copy_from(int fd, const char *path, SatchelBlobWriter *writer, GError **error)
{
	g_autofree guint8 *piece = g_malloc(PIECE_BYTES);
	guint64 offset_bytes = satchel_blob_writer_get_offset(writer);

	for (;;) {
		ssize_t n_read = pread(fd, piece, PIECE_BYTES, (off_t)offset_bytes);

		if (n_read < 0 && errno == EINTR)
			continue;
		if (n_read < 0)
			return satchel_file_error_set(error, errno, path, "read it");
		if (n_read == 0)
			return TRUE;
		if (!satchel_blob_writer_append(writer, piece, (gsize)n_read, error) ||
		    !satchel_interrupt_check(error))
			return FALSE;
		offset_bytes += (guint64)n_read;
	}
}

static gboolean
oci_copy_blob(SatchelImageSource *source, const SatchelImageName *name, const char *sha256,
	      SatchelBlobWriter *writer, GError **error)
{
	OciSource *self = (OciSource *)source;
	g_autofree char *path = blob_path(sha256);
	g_autoptr(GError) local_error = NULL;
	guint64 size_bytes = 0;
	int fd = satchel_safe_open(self->dir_fd, path, &size_bytes, &local_error);
	gboolean done;

	(void)name;
	if (fd < 0)
		return refuse(error,
			      g_error_matches(local_error, SATCHEL_ERROR,
					      SATCHEL_ERROR_METADATA_NOT_FOUND)
				      ? SATCHEL_ERROR_NO_TARGET_CONTENT
				      : SATCHEL_ERROR_DOWNLOAD_FAILED,
			      source->name, local_error->message);
	done = copy_from(fd, path, writer, error);
	close(fd);
	return done;
}

static void
oci_free(SatchelImageSource *source)
{
	OciSource *self = (OciSource *)source;

	if (self->dir_fd >= 0)
		close(self->dir_fd);
	g_ptr_array_unref(self->entries);
	g_free(self->unnamed_for);
	g_free(self);
}

SatchelImageSource *
satchel_image_source_oci_new(const char *path, GError **error)
{
	static const SatchelImageSourceClass klass = {
		.load_root = oci_load_root,
		.load_manifest = oci_load_manifest,
		.copy_blob = oci_copy_blob,
		.n_parallel = 1,
		.free = oci_free,
	};
	OciSource *self = g_new0(OciSource, 1);
	g_autoptr(SatchelImageSource) source = &self->parent;

	self->parent.klass = &klass;
	self->entries = g_ptr_array_new_with_free_func(entry_free);
	self->dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (self->dir_fd < 0) {
		satchel_file_error_set(error, errno, path, "open it");
		return NULL;
	}
	return read_index(self, path, error) ? g_steal_pointer(&source) : NULL;
}
