#include "tar_writer.h"
#include "../verify/path_safety.h"
#include "../verify/tar_layout.h"
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <string.h>

/* Written at a time: whole records. */
#define BLOCK_BYTES (128u * SATCHEL_TAR_RECORD_BYTES)
#define FILE_MODE 0644
#define FOLDER_MODE 0755

struct SatchelTarWriter {
	struct archive *archive;
	struct archive_entry *entry;
	locale_t utf8;
	gint64 time_s;
	char *path; /* of the present member, for messages */
	SatchelTarSink sink;
	gpointer user_data;
	GError *sink_error;
	gboolean discarding;
};

static la_ssize_t
writer_write(struct archive *archive, void *user_data, const void *data, size_t n_bytes)
{
	SatchelTarWriter *self = user_data;

	if (self->sink_error == NULL && !self->discarding &&
	    self->sink(self->user_data, data, n_bytes, &self->sink_error))
		return (la_ssize_t)n_bytes;
	archive_set_error(archive, EIO, "not written");
	return -1;
}

static gboolean
writer_fail(SatchelTarWriter *self, GError **error)
{
	g_autofree char *quoted = satchel_path_quote(self->path);

	if (self->sink_error != NULL)
		g_propagate_error(error, g_steal_pointer(&self->sink_error));
	else
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED, "%s: cannot be packed: %s",
			    quoted, archive_error_string(self->archive));
	return FALSE;
}

static gboolean
writer_open(SatchelTarWriter *self)
{
	return archive_write_set_format_pax_restricted(self->archive) == ARCHIVE_OK &&
	       archive_write_add_filter_none(self->archive) == ARCHIVE_OK &&
	       archive_write_set_bytes_per_block(self->archive, BLOCK_BYTES) == ARCHIVE_OK &&
	       archive_write_set_bytes_in_last_block(self->archive, SATCHEL_TAR_RECORD_BYTES) ==
		       ARCHIVE_OK &&
	       archive_write_open(self->archive, self, NULL, writer_write, NULL) == ARCHIVE_OK;
}

SatchelTarWriter *
satchel_tar_writer_new(gint64 time_s, SatchelTarSink sink, gpointer user_data, GError **error)
{
	g_autoptr(SatchelTarWriter) self = g_new0(SatchelTarWriter, 1);

	self->time_s = time_s;
	self->sink = sink;
	self->user_data = user_data;
	self->path = g_strdup("the bundle");
	self->archive = archive_write_new();
	self->entry = archive_entry_new();
	/* libarchive asks the locale which bytes a name is made of; the result must not depend on
	 * who packs where. */
	self->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	if (self->archive == NULL || self->entry == NULL || self->utf8 == (locale_t)0) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED, "cannot pack: %s",
			    g_strerror(errno));
		return NULL;
	}
	if (writer_open(self))
		return g_steal_pointer(&self);
	writer_fail(self, error);
	return NULL;
}

static gboolean
writer_put_header(SatchelTarWriter *self, const char *path, guint64 size_bytes, gboolean is_folder,
		  GError **error)
{
	locale_t before = uselocale(self->utf8);
	int result;

	g_free(self->path);
	self->path = g_strdup(path);
	archive_entry_clear(self->entry);
	archive_entry_set_pathname(self->entry, path);
	archive_entry_set_filetype(self->entry, is_folder ? AE_IFDIR : AE_IFREG);
	archive_entry_set_perm(self->entry, is_folder ? FOLDER_MODE : FILE_MODE);
	archive_entry_set_size(self->entry, (la_int64_t)size_bytes);
	archive_entry_set_mtime(self->entry, self->time_s, 0);
	result = archive_write_header(self->archive, self->entry);
	(void)uselocale(before);
	/* A warning means that it would not be this name. */
	return result == ARCHIVE_OK || writer_fail(self, error);
}

gboolean
satchel_tar_writer_put_folder(SatchelTarWriter *self, const char *path, GError **error)
{
	g_autofree char *with_slash = g_strconcat(path, "/", NULL);

	return writer_put_header(self, with_slash, 0, TRUE, error);
}

gboolean
satchel_tar_writer_begin_file(SatchelTarWriter *self, const char *path, guint64 size_bytes,
			      GError **error)
{
	return writer_put_header(self, path, size_bytes, FALSE, error);
}

gboolean
satchel_tar_writer_put_data(SatchelTarWriter *self, gconstpointer data, gsize n_bytes,
			    GError **error)
{
	return archive_write_data(self->archive, data, n_bytes) == (la_ssize_t)n_bytes ||
	       writer_fail(self, error);
}

gboolean
satchel_tar_writer_finish(SatchelTarWriter *self, GError **error)
{
	return archive_write_close(self->archive) == ARCHIVE_OK || writer_fail(self, error);
}

void
satchel_tar_writer_free(SatchelTarWriter *self)
{
	/* libarchive writes what is left, and the end, if it is let; archive_write_fail() would
	 * hinder that, and leak its buffer. */
	self->discarding = TRUE;
	if (self->archive != NULL)
		(void)archive_write_free(self->archive);
	if (self->entry != NULL)
		archive_entry_free(self->entry);
	if (self->utf8 != (locale_t)0)
		freelocale(self->utf8);
	g_clear_error(&self->sink_error);
	g_free(self->path);
	g_free(self);
}
