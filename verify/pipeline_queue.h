#pragma once
#include "object_pipeline.h"

/*
 * What lies between the reading thread and the workers: members in batches, so that small ones are
 * not handed over one by one, and a bound on the bytes of all batches together.
 */

#define PIPELINE_BATCH_BYTES (256u * 1024u)
#define PIPELINE_BATCH_ITEMS 64u

/* One member on its way. */
typedef struct {
	guint index;
	SatchelPipelineJob job;
	const guint8 *signed_sha256; /* (nullable), borrowed from the bundle's manifest */
	guint8 *data;		     /* of the batch; NULL: too large to hold */
	SatchelFileHeader header;    /* of a file in one of the bare modes */
	gboolean has_header;
	GError *error; /* it could not be read */
} PipelineItem;

typedef struct {
	PipelineItem items[PIPELINE_BATCH_ITEMS];
	guint n_items;
	guint8 *buffer;
	gsize capacity_bytes, used_bytes;
} PipelineBatch;

typedef struct PipelineQueue PipelineQueue;

/* @max_bytes: of all buffers together, those of idle batches included. */
PipelineQueue *pipeline_queue_new(gsize max_bytes);

/* An empty batch with at least @n_bytes of buffer; waits until there is room for it. NULL when the
 * queue was stopped. (transfer full) */
PipelineBatch *pipeline_queue_begin_batch(PipelineQueue *self, gsize n_bytes);
/* @batch: (transfer full) */
void pipeline_queue_push(PipelineQueue *self, PipelineBatch *batch);
/* Waits for a batch. NULL when the queue was closed and is empty. (transfer full) */
PipelineBatch *pipeline_queue_pop(PipelineQueue *self);
/* A batch that is done with. @batch: (transfer full) */
void pipeline_queue_end_batch(PipelineQueue *self, PipelineBatch *batch);

/* Nothing more will be pushed. */
void pipeline_queue_close(PipelineQueue *self);
/* Wakes the reader, which is to push nothing more. */
void pipeline_queue_stop(PipelineQueue *self);
gboolean pipeline_queue_is_stopped(PipelineQueue *self);

void pipeline_queue_free(PipelineQueue *self);

void pipeline_item_clear(PipelineItem *self);
