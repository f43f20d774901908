#pragma once
#include "object_verify.h"
#include "ostree_closure.h"

/*
 * One pass over a bundle: a thread reads members in the order it is given, one worker for each
 * processor verifies them, and the calling thread hears how it goes. What is in flight is bounded
 * in bytes, not in members, so that memory is the same for every bundle; an object that is too
 * large to hold goes through a worker in pieces.
 *
 * What is not what it should be is read once more with the page cache dropped before it is called
 * bad.
 */

/* What to read. */
typedef struct {
	SatchelObjectType type; /* 0: no object; only its bytes as they are stored are hashed */
	guint8 checksum[32];	/* of an object */
	char *member;		/* (transfer full) */
	guint64 size_bytes;	/* as it is stored */
} SatchelPipelineJob;

/* A verified object, for the length of one call. Header and content, one after the other, are what
 * its checksum is of. */
typedef struct {
	SatchelObjectType type;
	char checksum[65];
	SatchelVerifiedObject whole; /* of a large object the header alone */
	/* (nullable): content that was too large to hold: size_bytes of it. The last bytes come
	 * when all was verified; until then what was read must not be used. */
	GInputStream *stream;
	guint64 size_bytes;
} SatchelPipelineObject;

typedef struct {
	/* In the reading thread, for each index in ascending order. @job: zeroed. */
	void (*describe)(gpointer self, guint index, SatchelPipelineJob *job);
	/* (nullable): in the workers' threads, several at a time: an object that is what its name
	 * says. Not called for members that are none. */
	gboolean (*take)(gpointer self, guint index, const SatchelPipelineObject *object,
			 GError **error);
	/* In the calling thread: so many more bytes of the medium are done. */
	void (*progress)(gpointer self, guint64 n_bytes);
	/* In the calling thread, in no order: @error (transfer full) came of that member. FALSE: no
	 * new one is begun; those under way are still heard of. */
	gboolean (*failed)(gpointer self, guint index, GError *error);
	gpointer self;
} SatchelPipelineUser;

/* How many workers there are for this machine. */
guint satchel_object_pipeline_count_workers(void);

/**
 * satchel_object_pipeline_run:
 * @bundle: used under a lock until this returns
 * @repo: (nullable): where the objects among the jobs lie; of @bundle
 * @n_workers: at least 1
 * @cancellable: (nullable): ends the pass early; nothing is reported of what was not begun
 *
 * Returns when every member was verified and taken, or all that were begun have ended.
 * Errors reach SatchelPipelineUser.failed: SATCHEL_ERROR_DOWNLOAD_FAILED in the words of
 * medium_error.h, SATCHEL_ERROR_NO_TARGET_CONTENT for an object that is not there
 * (SATCHEL_ERROR_METADATA_NOT_FOUND for another member), and those of SatchelPipelineUser.take.
 */
void satchel_object_pipeline_run(SatchelBundleReader *bundle, SatchelClosureRepo *repo,
				 guint n_jobs, const SatchelPipelineUser *user, guint n_workers,
				 GCancellable *cancellable);
