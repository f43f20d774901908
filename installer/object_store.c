#include "object_store.h"
#include <string.h>

/* ---- header and content as one stream, as libostree wants a file object ---- */

#define SATCHEL_TYPE_WHOLE_STREAM (whole_stream_get_type())
G_DECLARE_FINAL_TYPE(WholeStream, whole_stream, SATCHEL, WHOLE_STREAM, GInputStream)

struct _WholeStream {
	GInputStream parent_instance;
	const SatchelPipelineObject *object;
	guint64 at;
};

G_DEFINE_FINAL_TYPE(WholeStream, whole_stream, G_TYPE_INPUT_STREAM)

static guint64
whole_length(const SatchelPipelineObject *object)
{
	return object->whole.n_header_bytes + object->size_bytes;
}

static gssize
whole_stream_read(GInputStream *stream, void *buffer, gsize count, GCancellable *cancellable,
		  GError **error)
{
	WholeStream *self = SATCHEL_WHOLE_STREAM(stream);
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

/* ---- the two kinds of objects ---- */

static gboolean
put_file(OstreeRepo *repo, const SatchelPipelineObject *object, gboolean *was_read, GError **error)
{
	g_autoptr(WholeStream) stream = g_object_new(SATCHEL_TYPE_WHOLE_STREAM, NULL);

	stream->object = object;
	if (!ostree_repo_write_content_trusted(repo, object->checksum, G_INPUT_STREAM(stream),
					       whole_length(object), NULL, error))
		return FALSE;
	*was_read = stream->at == whole_length(object);
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
