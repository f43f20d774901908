#include "object_stream.h"
#include "digest.h"
#include <zlib.h>

#define INPUT_BYTES (64u * 1024u)

#define SATCHEL_TYPE_OBJECT_STREAM (object_stream_get_type())
G_DECLARE_FINAL_TYPE(ObjectStream, object_stream, SATCHEL, OBJECT_STREAM, GInputStream)

struct _ObjectStream {
	GInputStream parent_instance;
	GInputStream *stored; /* NULL: nothing is stored beyond the header */
	char *member;
	char *checksum;
	SatchelDigest *digest;
	guint64 remaining_bytes; /* of the content, as the header claims it */
	gboolean verified;	 /* the whole object was hashed and is right */
	GError *failure;	 /* what the first read that failed reported */
	gboolean deflated;
	gboolean inflate_ended;
	z_stream z;
	guint8 *input; /* stored bytes that were read and not used: [position, end) */
	gsize input_position, input_end, input_capacity;
};

G_DEFINE_FINAL_TYPE(ObjectStream, object_stream, G_TYPE_INPUT_STREAM)

static gboolean
stream_error(ObjectStream *self, const char *reason, GError **error)
{
	if (self->failure == NULL)
		g_set_error(&self->failure, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED, "%s: %s",
			    self->member, reason);
	g_propagate_error(error, g_error_copy(self->failure));
	return FALSE;
}

/* More stored bytes into an input that was used up; at the end of the file, none. */
static gboolean
stream_fill(ObjectStream *self, GCancellable *cancellable, GError **error)
{
	g_autoptr(GError) local_error = NULL;
	gssize n_bytes = g_input_stream_read(self->stored, self->input, self->input_capacity,
					     cancellable, &local_error);

	self->input_position = 0;
	self->input_end = n_bytes < 0 ? 0 : (gsize)n_bytes;
	return n_bytes < 0 ? stream_error(self, local_error->message, error) : TRUE;
}

/* Inflates until there is some output, the deflated data end, or an error. */
static gboolean
stream_inflate(ObjectStream *self, guint8 *buffer, gsize count, gsize *n_bytes,
	       GCancellable *cancellable, GError **error)
{
	int result = Z_OK;

	self->z.next_out = buffer;
	self->z.avail_out = (uInt)MIN(count, G_MAXINT);
	while (result == Z_OK && self->z.next_out == buffer) {
		if (self->input_position == self->input_end &&
		    !stream_fill(self, cancellable, error))
			return FALSE;
		if (self->input_end == 0)
			return stream_error(self, "the file is cut short", error);
		self->z.next_in = self->input + self->input_position;
		self->z.avail_in = (uInt)(self->input_end - self->input_position);
		result = inflate(&self->z, Z_NO_FLUSH);
		self->input_position = self->input_end - self->z.avail_in;
	}
	if (result != Z_OK && result != Z_STREAM_END)
		return stream_error(self, "the compressed data are damaged", error);
	self->inflate_ended = result == Z_STREAM_END;
	*n_bytes = (gsize)(self->z.next_out - buffer);
	return TRUE;
}

static gboolean
stream_copy(ObjectStream *self, guint8 *buffer, gsize count, gsize *n_bytes,
	    GCancellable *cancellable, GError **error)
{
	g_autoptr(GError) local_error = NULL;
	gssize n_read = g_input_stream_read(self->stored, buffer, count, cancellable, &local_error);

	if (n_read < 0)
		return stream_error(self, local_error->message, error);
	*n_bytes = (gsize)n_read;
	return TRUE;
}

/* After the last byte that the header promised nothing may follow: neither inflated nor stored.
 * What the hash does not cover must not be there. */
static gboolean
stream_check_end(ObjectStream *self, GCancellable *cancellable, GError **error)
{
	guint8 byte;
	gsize n_bytes = 0;

	if (self->stored == NULL)
		return TRUE;
	if (!self->deflated) {
		if (!stream_copy(self, &byte, 1, &n_bytes, cancellable, error))
			return FALSE;
		return n_bytes == 0 || stream_error(self, "longer than it was", error);
	}
	if (!self->inflate_ended && !stream_inflate(self, &byte, 1, &n_bytes, cancellable, error))
		return FALSE;
	if (n_bytes != 0)
		return stream_error(self, "longer than its header says", error);
	if (self->input_position == self->input_end && !stream_fill(self, cancellable, error))
		return FALSE;
	return self->input_position == self->input_end ||
	       stream_error(self, "something follows the compressed data", error);
}

static gboolean
stream_verify(ObjectStream *self, GCancellable *cancellable, GError **error)
{
	g_autofree char *found = NULL;

	if (!stream_check_end(self, cancellable, error))
		return FALSE;
	found = satchel_digest_finish(self->digest);
	if (strcmp(found, self->checksum) != 0)
		return stream_error(self, "the content does not match the object's hash", error);
	self->verified = TRUE;
	return TRUE;
}

static gssize
object_stream_read(GInputStream *stream, void *buffer, gsize count, GCancellable *cancellable,
		   GError **error)
{
	ObjectStream *self = SATCHEL_OBJECT_STREAM(stream);
	gsize n_wanted = (gsize)MIN((guint64)count, self->remaining_bytes);
	gsize n_bytes = 0;
	gboolean good;

	if (self->failure != NULL)
		return stream_error(self, "an earlier read failed", error) ? 0 : -1;
	if (n_wanted == 0)
		return 0;
	if (self->deflated && self->inflate_ended)
		good = TRUE;
	else if (self->deflated)
		good = stream_inflate(self, buffer, n_wanted, &n_bytes, cancellable, error);
	else
		good = stream_copy(self, buffer, n_wanted, &n_bytes, cancellable, error);
	if (!good)
		return -1;
	if (n_bytes == 0) {
		stream_error(self, "shorter than its header says", error);
		return -1;
	}
	satchel_digest_update(self->digest, buffer, n_bytes);
	self->remaining_bytes -= n_bytes;
	/* Not one byte more than can be taken back: the last piece is given out when all is right.
	 */
	if (self->remaining_bytes == 0 && !stream_verify(self, cancellable, error))
		return -1;
	return (gssize)n_bytes;
}

static void
object_stream_finalize(GObject *object)
{
	ObjectStream *self = SATCHEL_OBJECT_STREAM(object);

	if (self->deflated)
		inflateEnd(&self->z);
	g_clear_object(&self->stored);
	g_clear_pointer(&self->digest, satchel_digest_free);
	g_clear_error(&self->failure);
	g_free(self->input);
	g_free(self->member);
	g_free(self->checksum);
	G_OBJECT_CLASS(object_stream_parent_class)->finalize(object);
}

static void
object_stream_class_init(ObjectStreamClass *klass)
{
	G_OBJECT_CLASS(klass)->finalize = object_stream_finalize;
	G_INPUT_STREAM_CLASS(klass)->read_fn = object_stream_read;
}

static void
object_stream_init(ObjectStream *self)
{
	self->digest = satchel_digest_new(SATCHEL_DIGEST_SHA256);
}

static ObjectStream *
stream_new(GInputStream *stored, const char *member, const char *checksum)
{
	ObjectStream *self = g_object_new(SATCHEL_TYPE_OBJECT_STREAM, NULL);

	self->stored = stored;
	self->member = g_strdup(member);
	self->checksum = g_strdup(checksum);
	return self;
}

/* The header joins the hash; content that is empty is verified here and now. */
static gboolean
stream_begin(ObjectStream *self, const SatchelFileHeader *header, GError **error)
{
	g_autoptr(GBytes) prefix = satchel_file_header_to_checksum_prefix(header);

	satchel_digest_update(self->digest, g_bytes_get_data(prefix, NULL),
			      g_bytes_get_size(prefix));
	self->remaining_bytes = header->size_bytes;
	return self->remaining_bytes != 0 || stream_verify(self, NULL, error);
}

/* At least @n_bytes of the stored file into the input. */
static gboolean
stream_fill_to(ObjectStream *self, gsize n_bytes, GError **error)
{
	g_autoptr(GError) local_error = NULL;
	gsize n_read = 0;

	if (n_bytes > self->input_capacity) {
		self->input = g_realloc(self->input, n_bytes);
		self->input_capacity = n_bytes;
	}
	if (n_bytes <= self->input_end)
		return TRUE;
	if (!g_input_stream_read_all(self->stored, self->input + self->input_end,
				     self->input_capacity - self->input_end, &n_read, NULL,
				     &local_error))
		return stream_error(self, local_error->message, error);
	self->input_end += n_read;
	return self->input_end >= n_bytes ||
	       stream_error(self, "the file header is cut short", error);
}

static gboolean
stream_read_header(ObjectStream *self, SatchelFileHeader *header, GError **error)
{
	g_autoptr(GError) local_error = NULL;
	gsize length_bytes = 0;

	if (!stream_fill_to(self, 8, error))
		return FALSE;
	if (!satchel_file_header_length_archive(self->input, self->input_end, &length_bytes,
						&local_error))
		return stream_error(self, local_error->message, error);
	if (!stream_fill_to(self, length_bytes, error))
		return FALSE;
	if (!satchel_file_header_parse_archive(self->input, self->input_end, header,
					       &self->input_position, &local_error))
		return stream_error(self, local_error->message, error);
	return TRUE;
}

GInputStream *
satchel_object_stream_new_archive(GInputStream *stored, const char *member, const char *checksum,
				  SatchelFileHeader *header, GError **error)
{
	g_autoptr(ObjectStream) self = stream_new(stored, member, checksum);
	g_auto(SatchelFileHeader) found = {0};

	memset(header, 0, sizeof *header);
	self->input = g_malloc(INPUT_BYTES);
	self->input_capacity = INPUT_BYTES;
	if (!stream_read_header(self, &found, error))
		return NULL;
	if (found.symlink_target == NULL) {
		if (inflateInit2(&self->z, -MAX_WBITS) != Z_OK)
			g_error("zlib cannot inflate");
		self->deflated = TRUE;
	} else if (self->input_position != self->input_end) {
		stream_error(self, "something follows the symbolic link", error);
		return NULL;
	}
	if (!stream_begin(self, &found, error))
		return NULL;
	*header = found;
	memset(&found, 0, sizeof found);
	return G_INPUT_STREAM(g_steal_pointer(&self));
}

GInputStream *
satchel_object_stream_new_bare(GInputStream *stored, const char *member, const char *checksum,
			       const SatchelFileHeader *header, GError **error)
{
	g_autoptr(ObjectStream) self = stream_new(stored, member, checksum);

	return stream_begin(self, header, error) ? G_INPUT_STREAM(g_steal_pointer(&self)) : NULL;
}

gboolean
satchel_object_stream_is_verified(GInputStream *stream)
{
	return SATCHEL_OBJECT_STREAM(stream)->verified;
}

const GError *
satchel_object_stream_get_failure(GInputStream *stream)
{
	return SATCHEL_OBJECT_STREAM(stream)->failure;
}
