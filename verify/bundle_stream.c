#include "bundle_stream.h"

#define SATCHEL_TYPE_BUNDLE_STREAM (satchel_bundle_stream_get_type())
G_DECLARE_FINAL_TYPE(SatchelBundleStream, satchel_bundle_stream, SATCHEL, BUNDLE_STREAM,
		     GInputStream)

struct _SatchelBundleStream {
	GInputStream parent_instance;
	SatchelBundleReader *reader;
	char *member;
	guint64 at, end;
};

G_DEFINE_TYPE(SatchelBundleStream, satchel_bundle_stream, G_TYPE_INPUT_STREAM)

static gssize
stream_read(GInputStream *stream, void *buffer, gsize n_bytes, GCancellable *cancellable,
	    GError **error)
{
	SatchelBundleStream *self = SATCHEL_BUNDLE_STREAM(stream);
	gsize n_now = (gsize)MIN(MIN(n_bytes, (gsize)G_MAXSSIZE), self->end - self->at);

	if (!satchel_bundle_reader_read_at(self->reader, self->member, self->at, buffer, n_now,
					   error))
		return -1;
	self->at += n_now;
	return (gssize)n_now;
}

static void
stream_finalize(GObject *object)
{
	g_free(SATCHEL_BUNDLE_STREAM(object)->member);
	G_OBJECT_CLASS(satchel_bundle_stream_parent_class)->finalize(object);
}

static void
satchel_bundle_stream_class_init(SatchelBundleStreamClass *klass)
{
	G_INPUT_STREAM_CLASS(klass)->read_fn = stream_read;
	G_OBJECT_CLASS(klass)->finalize = stream_finalize;
}

static void
satchel_bundle_stream_init(SatchelBundleStream *self)
{
}

GInputStream *
satchel_bundle_stream_new(SatchelBundleReader *reader, const char *member, guint64 size_bytes)
{
	SatchelBundleStream *self = g_object_new(SATCHEL_TYPE_BUNDLE_STREAM, NULL);

	self->reader = reader;
	self->member = g_strdup(member);
	self->end = size_bytes;
	return G_INPUT_STREAM(self);
}
