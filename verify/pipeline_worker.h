#pragma once
#include "pipeline_queue.h"
#include <pthread.h>

/*
 * What a worker does with one member: verify it, let it be taken, and look at the medium a second
 * time before it calls it bad.
 */

/* Shared by the workers. */
typedef struct {
	SatchelBundleReader *bundle;
	SatchelClosureRepo *repo; /* (nullable) */
	pthread_mutex_t *medium;  /* held for each use of the two */
	const SatchelPipelineUser *user;
	/* Called in the worker's thread: so many bytes of the medium are done. */
	void (*count)(gpointer user_data, guint64 n_bytes);
	gpointer user_data;
} PipelineWork;

/* Reads @item's bytes into its data, and what else it takes; the errors of reading a member. */
G_GNUC_WARN_UNUSED_RESULT
gboolean pipeline_work_fill(const PipelineWork *self, PipelineItem *item, GError **error);

/* FALSE with what satchel_object_pipeline_run() reports of the member. */
G_GNUC_WARN_UNUSED_RESULT
gboolean pipeline_work_do(const PipelineWork *self, SatchelObjectVerifier *verifier,
			  PipelineItem *item, GError **error);
