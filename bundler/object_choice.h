#pragma once
#include "../verify/ostree_closure.h"
#include "write_directory.h"
#include <satchel/bundle_thin.h>

/*
 * Which objects a bundle holds: all, or, of a thin one, those that a device on at least one of its
 * bases lacks and does not make out of a delta. A pair is a base and a target that a device on it
 * takes. Pure; not thread-safe.
 */
typedef struct SatchelObjectChoice SatchelObjectChoice;

/* Of all objects of the bundle's targets, each once; borrowed. Without a pair all are wanted.
 * (transfer full) */
SatchelObjectChoice *satchel_object_choice_new(const SatchelClosureList *all);

/* @base, @target: closures, the second one within the list of all; only read now. Pairs are
 * numbered from 0 on. */
void satchel_object_choice_add_pair(SatchelObjectChoice *self, const SatchelClosureList *base,
				    const SatchelClosureList *target);

/* Whether the bundle must hold the object @index of the list of all. Commits always. */
gboolean satchel_object_choice_is_wanted(const SatchelObjectChoice *self, guint index);

/* Whether a device on the base lacks that object of the target. */
gboolean satchel_object_choice_is_lacking(const SatchelObjectChoice *self, guint pair, guint index);

/**
 * satchel_object_choice_set_deltas:
 * @delta_bytes: of the delta of each pair; 0: there is none
 * @written: sizes of all objects
 *
 * Keeps the deltas that make the bundle smaller, and wants no more what only they bring. Sets the
 * sizes of the others to 0.
 */
void satchel_object_choice_set_deltas(SatchelObjectChoice *self, guint64 *delta_bytes,
				      const SatchelWrittenFile *written);

void satchel_object_choice_free(SatchelObjectChoice *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelObjectChoice, satchel_object_choice_free)
