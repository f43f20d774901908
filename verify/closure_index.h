#pragma once
#include "ostree_object.h"

/*
 * Finds the objects of a closure by type and checksum, in a few bytes for each: it keeps positions,
 * and the objects stay where they are. Pure; not thread-safe while it is added to.
 */
typedef struct SatchelClosureIndex SatchelClosureIndex;

#define SATCHEL_CLOSURE_NONE G_MAXUINT

/* Larger sizes are counted as this one: no medium has it. */
#define SATCHEL_CLOSURE_MAX_BYTES ((G_GUINT64_CONSTANT(1) << 60) - 1)

/* One object of a closure, as compact as it can be: a bundle has very many. */
typedef struct {
	guint8 checksum[32];
	guint64 place; /* where it lies on the medium: reading in ascending order is cheapest */
	guint64 stored_bytes : 60; /* on the medium; 0 where it is missing */
	guint64 type : 3;	   /* SatchelObjectType */
	guint64 missing : 1;
} SatchelClosureObject;

/* @objects: of SatchelClosureObject, borrowed; what is in it stays in its place. (transfer full) */
SatchelClosureIndex *satchel_closure_index_new(GArray *objects);

/* The position of that object among those added, or SATCHEL_CLOSURE_NONE. */
guint satchel_closure_index_find(const SatchelClosureIndex *self, SatchelObjectType type,
				 const guint8 *checksum);

/* Appends @object to the array unless one of its type and checksum is there. TRUE where it was new.
 */
gboolean satchel_closure_index_add(SatchelClosureIndex *self, const SatchelClosureObject *object);

/* To be called when objects have changed places in the array. */
void satchel_closure_index_rebuild(SatchelClosureIndex *self);

void satchel_closure_index_free(SatchelClosureIndex *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelClosureIndex, satchel_closure_index_free)
