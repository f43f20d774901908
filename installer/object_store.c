#include "object_store.h"
#include <gio/gfiledescriptorbased.h>
#include <string.h>
#include <unistd.h>

/* From how much content on it is copied by the kernel. libostree writes what it reads in pieces of
 * 8 KiB, each a call; setting up a copy costs about as much as a few of them. */
#define KERNEL_COPY_MIN_BYTES (32u * 1024u)

/* ---- header and content as one stream, as libostree wants a file object ---- */

typedef struct {
	GInputStream parent_instance;
	const SatchelPipelineObject *object;
	guint64 at;
	gboolean fd_given; /* the descriptor's position goes on where @at stopped */
} WholeStream;

typedef struct {
	GInputStreamClass parent_class;
} WholeStreamClass;

static GType whole_stream_get_type(void);
G_DEFINE_TYPE(WholeStream, whole_stream, G_TYPE_INPUT_STREAM)

static guint64
whole_length(const SatchelPipelineObject *object)
{
	return object->whole.n_header_bytes + object->size_bytes;
}

static gssize
whole_stream_read(GInputStream *stream, void *buffer, gsize count, GCancellable *cancellable,
		  GError **error)
{
	WholeStream *self = (WholeStream *)stream;
	const SatchelVerifiedObject *whole = &self->object->whole;
	gsize n_header = whole->n_header_bytes;
	gssize n_read;

	if (self->at < n_header) {
		n_read = (gssize)MIN(count, n_header - self->at);
		memcpy(buffer, whole->header + self->at, (gsize)n_read);
	} else if (self->object->stream != NULL) {
		n_read = g_input_stream_read(self->object->stream, buffer, count, cancellable,
					     error);
	} else {
		n_read = (gssize)MIN(count, whole_length(self->object) - self->at);
		if (n_read > 0)
			memcpy(buffer, whole->content + (self->at - n_header), (gsize)n_read);
	}
	if (n_read > 0)
		self->at += (guint64)n_read;
	return n_read;
}

static void
whole_stream_class_init(WholeStreamClass *klass)
{
	G_INPUT_STREAM_CLASS(klass)->read_fn = whole_stream_read;
}

static void
whole_stream_init(WholeStream *self)
{
}

/* ---- the same where the content has a descriptor, from which libostree copies it ---- */

typedef WholeStream CopiedStream;
typedef WholeStreamClass CopiedStreamClass;

/* Behind what was read of the stream already: the header, before libostree asks. */
static int
copied_stream_get_fd(GFileDescriptorBased *stream)
{
	WholeStream *self = (WholeStream *)stream;
	guint64 n_header = self->object->whole.n_header_bytes;
	int fd = *self->object->whole.content_fd;

	g_return_val_if_fail(self->at >= n_header, -1);
	self->fd_given = lseek(fd, (off_t)(self->at - n_header), SEEK_SET) >= 0;
	return self->fd_given ? fd : -1;
}

static void
copied_stream_describe(GFileDescriptorBasedIface *iface)
{
	iface->get_fd = copied_stream_get_fd;
}

static GType copied_stream_get_type(void);
G_DEFINE_TYPE_WITH_CODE(CopiedStream, copied_stream, whole_stream_get_type(),
			G_IMPLEMENT_INTERFACE(G_TYPE_FILE_DESCRIPTOR_BASED, copied_stream_describe))

static void
copied_stream_class_init(CopiedStreamClass *klass)
{
}

static void
copied_stream_init(CopiedStream *self)
{
}

static WholeStream *
whole_stream_new(const SatchelPipelineObject *object)
{
	gboolean copied = object->whole.content_fd != NULL && object->stream == NULL &&
			  object->size_bytes >= KERNEL_COPY_MIN_BYTES;
	WholeStream *self =
		g_object_new(copied ? copied_stream_get_type() : whole_stream_get_type(), NULL);

	self->object = object;
	return self;
}

static gboolean
whole_stream_is_at_end(const WholeStream *self)
{
	const SatchelPipelineObject *object = self->object;

	if (!self->fd_given)
		return self->at == whole_length(object);
	return lseek(*object->whole.content_fd, 0, SEEK_CUR) == (off_t)object->size_bytes;
}

/* ---- the two kinds of objects ---- */

static gboolean
put_file(OstreeRepo *repo, const SatchelPipelineObject *object, gboolean *was_read, GError **error)
{
	WholeStream *whole = whole_stream_new(object);
	g_autoptr(GInputStream) stream = G_INPUT_STREAM(whole);

	if (!ostree_repo_write_content_trusted(repo, object->checksum, stream, whole_length(object),
					       NULL, error))
		return FALSE;
	*was_read = whole_stream_is_at_end(whole);
	return TRUE;
}

static const GVariantType *
type_of(SatchelObjectType type)
{
	switch (type) {
	case SATCHEL_OBJECT_DIR_TREE:
		return OSTREE_TREE_GVARIANT_FORMAT;
	case SATCHEL_OBJECT_DIR_META:
		return OSTREE_DIRMETA_GVARIANT_FORMAT;
	case SATCHEL_OBJECT_COMMIT:
		return OSTREE_COMMIT_GVARIANT_FORMAT;
	case SATCHEL_OBJECT_FILE:
		break;
	}
	g_assert_not_reached();
}

static gboolean
put_metadata(OstreeRepo *repo, const SatchelPipelineObject *object, gboolean *was_read,
	     GError **error)
{
	g_autoptr(GBytes) bytes = g_bytes_new(object->whole.content, object->whole.n_content_bytes);
	g_autoptr(GVariant) variant =
		g_variant_ref_sink(g_variant_new_from_bytes(type_of(object->type), bytes, FALSE));
	gboolean present = FALSE;

	if (!ostree_repo_has_object(repo, (OstreeObjectType)object->type, object->checksum,
				    &present, NULL, error))
		return FALSE;
	*was_read = !present;
	return ostree_repo_write_metadata_trusted(repo, (OstreeObjectType)object->type,
						  object->checksum, variant, NULL, error);
}

gboolean
satchel_object_store_put(OstreeRepo *repo, const SatchelPipelineObject *object, gboolean *was_read,
			 GError **error)
{
	*was_read = FALSE;
	return object->type == SATCHEL_OBJECT_FILE ? put_file(repo, object, was_read, error)
						   : put_metadata(repo, object, was_read, error);
}
