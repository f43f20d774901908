#include "closure_index.h"
#include <string.h>

#define INITIAL_SLOTS 1024u

/* Open addressing: a slot holds a position plus one, or nothing. At most half of them are taken. */
struct SatchelClosureIndex {
	GArray *objects; /* borrowed */
	guint32 *slots;
	gsize n_slots; /* a power of two */
};

SatchelClosureIndex *
satchel_closure_index_new(GArray *objects)
{
	SatchelClosureIndex *self = g_new0(SatchelClosureIndex, 1);

	self->objects = objects;
	self->n_slots = INITIAL_SLOTS;
	self->slots = g_new0(guint32, self->n_slots);
	return self;
}

void
satchel_closure_index_free(SatchelClosureIndex *self)
{
	if (self == NULL)
		return;
	g_free(self->slots);
	g_free(self);
}

/* The slot of that object, or the empty one where it belongs. A checksum is its own hash, and
 * nobody can choose many of them that begin alike without much computing; what that would gain is a
 * slow check of a bundle that was signed. */
static gsize
index_slot(const SatchelClosureIndex *self, SatchelObjectType type, const guint8 *checksum)
{
	gsize mask = self->n_slots - 1;
	guint64 begin = 0;
	gsize slot;

	memcpy(&begin, checksum, sizeof begin);
	for (slot = (gsize)(begin + type) & mask; self->slots[slot] != 0;
	     slot = (slot + 1) & mask) {
		const SatchelClosureObject *object =
			&g_array_index(self->objects, SatchelClosureObject, self->slots[slot] - 1);

		if (object->type == type &&
		    memcmp(object->checksum, checksum, sizeof object->checksum) == 0)
			break;
	}
	return slot;
}

guint
satchel_closure_index_find(const SatchelClosureIndex *self, SatchelObjectType type,
			   const guint8 *checksum)
{
	guint32 found = self->slots[index_slot(self, type, checksum)];

	return found == 0 ? SATCHEL_CLOSURE_NONE : found - 1;
}

void
satchel_closure_index_rebuild(SatchelClosureIndex *self)
{
	memset(self->slots, 0, self->n_slots * sizeof *self->slots);
	for (guint i = 0; i < self->objects->len; i++) {
		const SatchelClosureObject *object =
			&g_array_index(self->objects, SatchelClosureObject, i);

		self->slots[index_slot(self, object->type, object->checksum)] = i + 1;
	}
}

static void
index_grow(SatchelClosureIndex *self)
{
	g_free(self->slots);
	self->n_slots *= 2;
	self->slots = g_new(guint32, self->n_slots);
	satchel_closure_index_rebuild(self);
}

gboolean
satchel_closure_index_add(SatchelClosureIndex *self, const SatchelClosureObject *object)
{
	gsize slot = index_slot(self, object->type, object->checksum);

	if (self->slots[slot] != 0)
		return FALSE;
	g_array_append_val(self->objects, *object);
	self->slots[slot] = self->objects->len;
	if (self->objects->len > self->n_slots / 2)
		index_grow(self);
	return TRUE;
}
