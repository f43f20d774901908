#pragma once
#include "bundle_form.h"
#include <pthread.h>

/*
 * A member as it is stored, from its beginning, for one worker among threads that share the
 * bundle; hashed as it is read. Errors: those of satchel_bundle_reader_read_at(), and at the end
 * SATCHEL_ERROR_DOWNLOAD_FAILED where the hash is not the signed one.
 */

typedef void (*PipelineCount)(gpointer user_data, guint64 n_bytes);

/**
 * pipeline_stream_new:
 * @medium: held for each read of @bundle
 * @signed_sha256: (nullable): 32 bytes
 * @count: (nullable): told of every read
 *
 * All is borrowed and must outlive the stream. (transfer full)
 */
GInputStream *pipeline_stream_new(SatchelBundleReader *bundle, pthread_mutex_t *medium,
				  const char *member, guint64 size_bytes,
				  const guint8 *signed_sha256, PipelineCount count,
				  gpointer user_data);
