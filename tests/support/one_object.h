#pragma once
#include "../../verify/hex.h"
#include "../../verify/object_pipeline.h"

/* One object through the pipeline. */
typedef struct {
	SatchelClosureRepo *repo;
	SatchelObjectType type;
	const char *checksum;
	GByteArray *content; /* of an object that was taken whole, without header */
	GError *error;
} OneObject;

static inline void
one_describe(gpointer user_data, guint index, SatchelPipelineJob *job)
{
	const OneObject *one = user_data;
	SatchelBundlePlace place = {0};
	gboolean missing = FALSE;

	g_assert_cmpuint(index, ==, 0);
	job->type = one->type;
	g_assert_true(satchel_hex_to_sha256(one->checksum, job->checksum));
	job->member = satchel_closure_repo_member(one->repo, one->type, one->checksum);
	if (satchel_closure_repo_find(one->repo, one->type, one->checksum, &place, &missing, NULL))
		job->size_bytes = place.size_bytes;
}

static inline gboolean
one_take(gpointer user_data, guint index, const SatchelPipelineObject *object, GError **error)
{
	OneObject *one = user_data;

	g_assert_cmpuint(object->type, ==, one->type);
	g_assert_cmpstr(object->checksum, ==, one->checksum);
	g_assert_null(object->stream);
	one->content = g_byte_array_new();
	g_byte_array_append(one->content, object->whole.content,
			    (guint)object->whole.n_content_bytes);
	return TRUE;
}

static inline void
one_progress(gpointer user_data, guint64 n_bytes)
{
}

static inline gboolean
one_failed(gpointer user_data, guint index, GError *error)
{
	OneObject *one = user_data;

	g_assert_null(one->error);
	one->error = error;
	return FALSE;
}

/* The content, or NULL where it was refused. */
static inline GByteArray *
one_object_read(const char *bundle, SatchelObjectType type, const char *checksum, GError **error)
{
	OneObject one = {.type = type, .checksum = checksum};
	const SatchelPipelineUser user = {one_describe, one_take, one_progress, one_failed, &one};
	/* A reader may keep the file open that it read last; a test writes another one. */
	g_autoptr(SatchelBundleReader) reader = satchel_bundle_reader_open(bundle, NULL);
	g_autoptr(SatchelClosureRepo) repo = satchel_closure_repo_open(reader, NULL);

	one.repo = repo;
	satchel_object_pipeline_run(reader, repo, 1, &user, 1, NULL);
	g_assert_true((one.content == NULL) == (one.error != NULL));
	if (one.error != NULL)
		g_propagate_error(error, one.error);
	return one.content;
}

static inline gboolean
one_object_check(const char *bundle, SatchelObjectType type, const char *checksum, GError **error)
{
	g_autoptr(GByteArray) content = one_object_read(bundle, type, checksum, error);

	return content != NULL;
}
