#include "archive_file.h"
#include "../verify/object_stream.h"
#include "../verify/ostree_object.h"
#include <errno.h>
#include <fcntl.h>
#include <gio/gunixinputstream.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define COPY_BYTES (128u * 1024u)
/* libostree's own default for archive repositories; fixed, so that equal input gives equal bytes.
 */
#define DEFLATE_LEVEL 6

/* ---- a stream that writes down what is read through it ---- */

#define SATCHEL_TYPE_TEE_STREAM (tee_stream_get_type())
G_DECLARE_FINAL_TYPE(TeeStream, tee_stream, SATCHEL, TEE_STREAM, GFilterInputStream)

struct _TeeStream {
	GFilterInputStream parent_instance;
	SatchelFileWriter *writer; /* borrowed */
	GError **write_error;	   /* borrowed: tells a full disk from a bad object */
};

G_DEFINE_FINAL_TYPE(TeeStream, tee_stream, G_TYPE_FILTER_INPUT_STREAM)

static gssize
tee_stream_read(GInputStream *stream, void *buffer, gsize count, GCancellable *cancellable,
		GError **error)
{
	TeeStream *self = SATCHEL_TEE_STREAM(stream);
	GInputStream *base = g_filter_input_stream_get_base_stream(G_FILTER_INPUT_STREAM(stream));
	gssize n_bytes = g_input_stream_read(base, buffer, count, cancellable, error);

	if (n_bytes > 0 && *self->write_error == NULL &&
	    !satchel_write_directory_append(self->writer, buffer, (gsize)n_bytes,
					    self->write_error)) {
		g_propagate_error(error, g_error_copy(*self->write_error));
		return -1;
	}
	return n_bytes;
}

static void
tee_stream_class_init(TeeStreamClass *klass)
{
	G_INPUT_STREAM_CLASS(klass)->read_fn = tee_stream_read;
}

static void
tee_stream_init(TeeStream *self)
{
}

/* ---- an archive source: its file as it is ---- */

/* Reads to the end, which is where the stream says whether the hash was right. */
static gboolean
drain(GInputStream *content, GError **error)
{
	g_autofree guint8 *buffer = g_malloc(COPY_BYTES);
	gssize n_bytes;

	do
		n_bytes = g_input_stream_read(content, buffer, COPY_BYTES, NULL, error);
	while (n_bytes > 0);
	return n_bytes == 0;
}

static gboolean
copy_stored(int source_fd, const char *path, const char *checksum, SatchelFileWriter *writer,
	    GError **error)
{
	g_autoptr(GInputStream) stored = g_unix_input_stream_new(source_fd, TRUE);
	g_autoptr(GInputStream) content = NULL;
	g_autoptr(GError) write_error = NULL;
	g_auto(SatchelFileHeader) header = {0};
	TeeStream *tee = g_object_new(SATCHEL_TYPE_TEE_STREAM, "base-stream", stored, NULL);

	tee->writer = writer;
	tee->write_error = &write_error;
	content = satchel_object_stream_new_archive(G_INPUT_STREAM(tee), path, checksum, &header,
						    error);
	if (content != NULL && drain(content, error))
		return TRUE;
	if (write_error != NULL) {
		g_clear_error(error);
		g_propagate_error(error, g_steal_pointer(&write_error));
	}
	return FALSE;
}

/* ---- any other source: deflated here ---- */

static gboolean
append_header(SatchelFileWriter *writer, const SatchelFileHeader *header, GError **error)
{
	const char *target = header->symlink_target != NULL ? header->symlink_target : "";
	g_autoptr(GVariant) variant = g_variant_ref_sink(g_variant_new(
		"(tuuuus@a(ayay))", GUINT64_TO_BE(header->size_bytes), GUINT32_TO_BE(header->uid),
		GUINT32_TO_BE(header->gid), GUINT32_TO_BE(header->mode), GUINT32_TO_BE(0), target,
		header->xattrs));
	guint32 prefix[2] = {GUINT32_TO_BE((guint32)g_variant_get_size(variant)), 0};

	return satchel_write_directory_append(writer, prefix, sizeof prefix, error) &&
	       satchel_write_directory_append(writer, g_variant_get_data(variant),
					      g_variant_get_size(variant), error);
}

/* Gives @n_bytes more to the compressor and writes what comes out. */
static gboolean
deflate_piece(z_stream *z, guint8 *data, gsize n_bytes, int flush, SatchelFileWriter *writer,
	      GError **error)
{
	guint8 out[16 * 1024];

	z->next_in = data;
	z->avail_in = (uInt)n_bytes;
	do {
		z->next_out = out;
		z->avail_out = sizeof out;
		/* Neither can fail: the state is ours and there is room. */
		if (deflate(z, flush) == Z_STREAM_ERROR)
			g_error("zlib lost its state");
		if (!satchel_write_directory_append(writer, out, sizeof out - z->avail_out, error))
			return FALSE;
	} while (z->avail_out == 0);
	return TRUE;
}

static gboolean
deflate_content(GInputStream *content, SatchelFileWriter *writer, GError **error)
{
	g_autofree guint8 *buffer = g_malloc(COPY_BYTES);
	z_stream z = {0};
	gssize n_bytes;
	gboolean done = TRUE;

	if (deflateInit2(&z, DEFLATE_LEVEL, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		g_error("zlib cannot deflate");
	do {
		n_bytes = g_input_stream_read(content, buffer, COPY_BYTES, NULL, error);
		if (n_bytes >= 0)
			done = deflate_piece(&z, buffer, (gsize)n_bytes,
					     n_bytes == 0 ? Z_FINISH : Z_NO_FLUSH, writer, error);
	} while (done && n_bytes > 0);
	deflateEnd(&z);
	return done && n_bytes == 0;
}

static void
read_info(GFileInfo *info, GVariant *xattrs, SatchelFileHeader *header)
{
	header->uid = g_file_info_get_attribute_uint32(info, "unix::uid");
	header->gid = g_file_info_get_attribute_uint32(info, "unix::gid");
	header->mode = g_file_info_get_attribute_uint32(info, "unix::mode");
	if (g_file_info_get_file_type(info) == G_FILE_TYPE_SYMBOLIC_LINK)
		header->symlink_target = g_strdup(g_file_info_get_symlink_target(info));
	else
		header->size_bytes = (guint64)g_file_info_get_size(info);
	header->xattrs = g_variant_ref(xattrs);
}

static gboolean
copy_loaded(OstreeRepo *repo, const char *path, const char *checksum, SatchelFileWriter *writer,
	    GError **error)
{
	g_autoptr(GInputStream) stored = NULL;
	g_autoptr(GInputStream) content = NULL;
	g_autoptr(GFileInfo) info = NULL;
	g_autoptr(GVariant) xattrs = NULL;
	g_auto(SatchelFileHeader) header = {0};
	g_autoptr(GError) local_error = NULL;

	if (!ostree_repo_load_file(repo, checksum, &stored, &info, &xattrs, NULL, &local_error)) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED, "%s: %s", path,
			    local_error->message);
		return FALSE;
	}
	read_info(info, xattrs, &header);
	content = satchel_object_stream_new_bare(g_steal_pointer(&stored), path, checksum, &header,
						 error);
	if (content == NULL || !append_header(writer, &header, error))
		return FALSE;
	return header.symlink_target != NULL || deflate_content(content, writer, error);
}

gboolean
satchel_archive_file_copy(OstreeRepo *repo, const char *checksum, int dir_fd, const char *member,
			  SatchelWrittenFile *written, GError **error)
{
	g_autoptr(SatchelFileWriter) writer = satchel_write_directory_begin(dir_fd, member, error);
	gboolean archive = ostree_repo_get_mode(repo) == OSTREE_REPO_MODE_ARCHIVE;
	g_autofree char *object = satchel_object_path(SATCHEL_OBJECT_FILE, checksum, archive);
	g_autofree char *path = g_strconcat("objects/", object, NULL);
	int source_fd = -1;

	if (writer == NULL)
		return FALSE;
	if (archive)
		source_fd =
			openat(ostree_repo_get_dfd(repo), path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	/* An archive repository that has it not itself may have it by its parent. */
	if (source_fd >= 0 ? !copy_stored(source_fd, path, checksum, writer, error)
			   : !copy_loaded(repo, path, checksum, writer, error))
		return FALSE;
	return satchel_write_directory_finish(writer, written, error);
}
