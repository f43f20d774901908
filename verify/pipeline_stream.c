#include "pipeline_stream.h"
#include "digest.h"
#include <string.h>

#define SATCHEL_TYPE_PIPELINE_STREAM (pipeline_stream_get_type())
G_DECLARE_FINAL_TYPE(PipelineStream, pipeline_stream, SATCHEL, PIPELINE_STREAM, GInputStream)

struct _PipelineStream {
	GInputStream parent_instance;
	SatchelBundleReader *bundle;
	pthread_mutex_t *medium;
	const char *member;
	const guint8 *signed_sha256;
	guint64 at, end;
	SatchelDigest *digest;
	PipelineCount count;
	gpointer user_data;
};

G_DEFINE_FINAL_TYPE(PipelineStream, pipeline_stream, G_TYPE_INPUT_STREAM)

static gboolean
stream_check_hash(PipelineStream *self, GError **error)
{
	guint8 found[SATCHEL_SHA256_BYTES];

	if (self->digest == NULL || self->signed_sha256 == NULL)
		return TRUE;
	satchel_digest_finish_raw(self->digest, found);
	g_clear_pointer(&self->digest, satchel_digest_free);
	if (memcmp(found, self->signed_sha256, sizeof found) == 0)
		return TRUE;
	g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
			    "the content does not match the manifest's hash");
	return FALSE;
}

static gssize
stream_read(GInputStream *stream, void *buffer, gsize n_bytes, GCancellable *cancellable,
	    GError **error)
{
	PipelineStream *self = SATCHEL_PIPELINE_STREAM(stream);
	gsize n_now = (gsize)MIN(MIN(n_bytes, (gsize)G_MAXSSIZE), self->end - self->at);
	gboolean good;

	if (n_now == 0)
		return stream_check_hash(self, error) ? 0 : -1;
	pthread_mutex_lock(self->medium);
	good = satchel_bundle_reader_read_at(self->bundle, self->member, self->at, buffer, n_now,
					     error);
	pthread_mutex_unlock(self->medium);
	if (!good)
		return -1;
	self->at += n_now;
	if (self->signed_sha256 != NULL)
		satchel_digest_update(self->digest, buffer, n_now);
	if (self->count != NULL)
		self->count(self->user_data, n_now);
	return (gssize)n_now;
}

static void
stream_finalize(GObject *object)
{
	g_clear_pointer(&SATCHEL_PIPELINE_STREAM(object)->digest, satchel_digest_free);
	G_OBJECT_CLASS(pipeline_stream_parent_class)->finalize(object);
}

static void
pipeline_stream_class_init(PipelineStreamClass *klass)
{
	G_INPUT_STREAM_CLASS(klass)->read_fn = stream_read;
	G_OBJECT_CLASS(klass)->finalize = stream_finalize;
}

static void
pipeline_stream_init(PipelineStream *self)
{
	self->digest = satchel_digest_new(SATCHEL_DIGEST_SHA256);
}

GInputStream *
pipeline_stream_new(SatchelBundleReader *bundle, pthread_mutex_t *medium, const char *member,
		    guint64 size_bytes, const guint8 *signed_sha256, PipelineCount count,
		    gpointer user_data)
{
	PipelineStream *self = g_object_new(SATCHEL_TYPE_PIPELINE_STREAM, NULL);

	self->bundle = bundle;
	self->medium = medium;
	self->member = member;
	self->end = size_bytes;
	self->signed_sha256 = signed_sha256;
	self->count = count;
	self->user_data = user_data;
	return G_INPUT_STREAM(self);
}
