#include "pipeline_worker.h"
#include "hex.h"
#include "medium_error.h"
#include "object_stream.h"
#include "pipeline_stream.h"

#define DRAIN_BYTES (256u * 1024u)

/* ---- reading ---- */

gboolean
pipeline_work_fill(const PipelineWork *self, PipelineItem *item, GError **error)
{
	gboolean is_bare = item->job.type == SATCHEL_OBJECT_FILE &&
			   !satchel_closure_repo_is_archive(self->repo);
	SatchelBundleStat info;
	gboolean good = TRUE;

	pthread_mutex_lock(self->medium);
	if (is_bare) {
		satchel_file_header_clear(&item->header);
		good = satchel_closure_repo_read_bare_header(self->repo, item->job.member,
							     &item->header, error);
		item->has_header = good;
	}
	if (good && item->data != NULL && item->header.symlink_target == NULL)
		good = satchel_bundle_reader_read_at(self->bundle, item->job.member, 0, item->data,
						     (gsize)item->job.size_bytes, error);
	/* Reading nothing does not tell whether there is a file. */
	if (good && item->job.size_bytes == 0)
		good = satchel_bundle_reader_stat(self->bundle, item->job.member, &info, error);
	pthread_mutex_unlock(self->medium);
	return good;
}

static void
work_forget(const PipelineWork *self, const PipelineItem *item)
{
	pthread_mutex_lock(self->medium);
	satchel_bundle_reader_drop_cache(self->bundle, item->job.member, 0, item->job.size_bytes);
	pthread_mutex_unlock(self->medium);
}

/* The verdict after the second try. @reason: (transfer full): what was wrong */
static gboolean
work_blame_medium(const PipelineItem *item, GError *reason, GError **error)
{
	g_autoptr(GError) found = reason;
	g_autoptr(GError) blame = NULL;

	(void)satchel_medium_error_set(&blame, SATCHEL_MEDIUM_WRONG_HASH, item->job.member, 0,
				       NULL);
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED, "%s (%s)", blame->message,
		    found->message);
	return FALSE;
}

/* ---- an object that is held ---- */

static void
work_describe(const PipelineItem *item, SatchelPipelineObject *object)
{
	object->type = item->job.type;
	satchel_hex_from_sha256(item->job.checksum, object->checksum);
}

static SatchelVerifyOutcome
work_verify(SatchelObjectVerifier *verifier, const PipelineItem *item,
	    SatchelVerifiedObject *verified, GError **error)
{
	const SatchelStoredObject stored = {
		.type = item->job.type,
		.checksum = item->job.checksum,
		.signed_sha256 = item->signed_sha256,
		.data = item->data,
		.n_bytes = (gsize)item->job.size_bytes,
		.header = item->has_header ? &item->header : NULL,
	};

	if (stored.type != 0)
		return satchel_object_verifier_check(verifier, &stored, verified, error);
	if (stored.signed_sha256 == NULL ||
	    satchel_object_verifier_matches(verifier, stored.data, stored.n_bytes,
					    stored.signed_sha256))
		return SATCHEL_VERIFY_GOOD;
	g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
			    "the content does not match the manifest's hash");
	return SATCHEL_VERIFY_BAD;
}

static gboolean
work_take(const PipelineWork *self, const PipelineItem *item, const SatchelVerifiedObject *verified,
	  GError **error)
{
	SatchelPipelineObject object = {.whole = *verified};

	if (self->user->take == NULL || item->job.type == 0)
		return TRUE;
	object.size_bytes = verified->n_content_bytes;
	work_describe(item, &object);
	return self->user->take(self->user->self, item->index, &object, error);
}

/* ---- an object in pieces ---- */

static gboolean
work_drain(GInputStream *stream, GError **error)
{
	g_autofree guint8 *buffer = g_malloc(DRAIN_BYTES);
	gssize n_bytes;

	do
		n_bytes = g_input_stream_read(stream, buffer, DRAIN_BYTES, NULL, error);
	while (n_bytes > 0);
	return n_bytes == 0;
}

static GInputStream *
work_open_object(PipelineItem *item, GInputStream *stored, SatchelFileHeader *header,
		 GError **error)
{
	char checksum[65];

	satchel_hex_from_sha256(item->job.checksum, checksum);
	if (!item->has_header)
		return satchel_object_stream_new_archive(g_object_ref(stored), item->job.member,
							 checksum, header, error);
	return satchel_object_stream_new_bare(g_object_ref(stored), item->job.member, checksum,
					      &item->header, error);
}

/* @is_medium: (out): where it fails, whether what was read is wrong, or what took it failed */
static gboolean
work_stream_object(const PipelineWork *self, PipelineItem *item, GInputStream *stored,
		   gboolean *is_medium, GError **error)
{
	g_auto(SatchelFileHeader) header = {0};
	g_autoptr(GInputStream) content = work_open_object(item, stored, &header, error);
	const SatchelFileHeader *known = item->has_header ? &item->header : &header;
	SatchelPipelineObject object = {0};
	g_autoptr(GBytes) prefix = NULL;
	g_autoptr(GError) local_error = NULL;
	const GError *failure;

	*is_medium = TRUE;
	if (content == NULL)
		return FALSE;
	if (self->user->take == NULL)
		return work_drain(content, error);
	prefix = satchel_file_header_to_checksum_prefix(known);
	object.whole.header = g_bytes_get_data(prefix, &object.whole.n_header_bytes);
	object.size_bytes = known->size_bytes;
	object.stream = content;
	work_describe(item, &object);
	if (self->user->take(self->user->self, item->index, &object, &local_error))
		return TRUE;
	failure = satchel_object_stream_get_failure(content);
	*is_medium = failure != NULL;
	g_propagate_error(error,
			  failure != NULL ? g_error_copy(failure) : g_steal_pointer(&local_error));
	return FALSE;
}

/* From the medium, hashed on the way. @counted: its bytes were counted before */
static GInputStream *
work_open_stored(const PipelineWork *self, const PipelineItem *item, gboolean counted)
{
	return pipeline_stream_new(self->bundle, self->medium, item->job.member,
				   item->job.size_bytes, item->signed_sha256,
				   counted ? NULL : self->count, self->user_data);
}

static gboolean
work_stream(const PipelineWork *self, PipelineItem *item, GInputStream *stored, gboolean *is_medium,
	    GError **error)
{
	*is_medium = TRUE;
	if (item->job.type == SATCHEL_OBJECT_FILE)
		return work_stream_object(self, item, stored, is_medium, error);
	return work_drain(stored, error);
}

/* @stored: the first try's */
static gboolean
work_stream_twice(const PipelineWork *self, PipelineItem *item, GInputStream *stored,
		  GError **error)
{
	g_autoptr(GError) local_error = NULL;
	g_autoptr(GInputStream) again = NULL;
	gboolean is_medium = FALSE;

	if (work_stream(self, item, stored, &is_medium, &local_error))
		return TRUE;
	if (is_medium) {
		g_clear_error(&local_error);
		work_forget(self, item);
		again = work_open_stored(self, item, TRUE);
		if (work_stream(self, item, again, &is_medium, &local_error))
			return TRUE;
	}
	if (is_medium)
		return work_blame_medium(item, g_steal_pointer(&local_error), error);
	g_propagate_error(error, g_steal_pointer(&local_error));
	return FALSE;
}

/* ---- both ---- */

static gboolean
work_held(const PipelineWork *self, SatchelObjectVerifier *verifier, PipelineItem *item,
	  GError **error)
{
	SatchelVerifiedObject verified = {0};
	g_autoptr(GInputStream) stored = NULL;
	g_autoptr(GError) reason = NULL;
	SatchelVerifyOutcome outcome = work_verify(verifier, item, &verified, &reason);

	if (outcome == SATCHEL_VERIFY_BAD) {
		g_clear_error(&reason);
		work_forget(self, item);
		if (!pipeline_work_fill(self, item, error))
			return FALSE;
		outcome = work_verify(verifier, item, &verified, &reason);
	}
	self->count(self->user_data, item->job.size_bytes);
	switch (outcome) {
	case SATCHEL_VERIFY_GOOD:
		return work_take(self, item, &verified, error);
	case SATCHEL_VERIFY_TOO_LARGE:
		stored = g_memory_input_stream_new_from_data(item->data,
							     (gssize)item->job.size_bytes, NULL);
		return work_stream_twice(self, item, stored, error);
	case SATCHEL_VERIFY_BAD:
		break;
	}
	return work_blame_medium(item, g_steal_pointer(&reason), error);
}

/* The reader says "metadata not found" of any member; of an object it is content. */
static gboolean
work_unread(const PipelineItem *item, GError *reason, GError **error)
{
	if (item->job.type != 0 &&
	    g_error_matches(reason, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND))
		reason->code = SATCHEL_ERROR_NO_TARGET_CONTENT;
	g_propagate_error(error, reason);
	return FALSE;
}

gboolean
pipeline_work_do(const PipelineWork *self, SatchelObjectVerifier *verifier, PipelineItem *item,
		 GError **error)
{
	g_autoptr(GInputStream) stored = NULL;

	if (item->error != NULL)
		return work_unread(item, g_steal_pointer(&item->error), error);
	if (item->data != NULL)
		return work_held(self, verifier, item, error);
	stored = work_open_stored(self, item, FALSE);
	return work_stream_twice(self, item, stored, error);
}
