#include "object_choice.h"
#include "../verify/hex.h"

struct SatchelObjectChoice {
	const SatchelClosureList *all;
	GHashTable *indexes; /* of (type, checksum), as object_key() gives it: index + 1 */
	GPtrArray *pairs;    /* of guint8 *: for each object, whether the device lacks it */
	GArray *n_needing;   /* of guint, for each object: pairs that need it in the bundle */
};

static const SatchelClosureObject *
object_at(const SatchelClosureList *list, guint index)
{
	return &g_array_index(list->objects, SatchelClosureObject, index);
}

/* A checksum names one object only together with its type. (transfer full) */
static char *
object_key(const SatchelClosureObject *object)
{
	char checksum[65];

	satchel_hex_from_sha256(object->checksum, checksum);
	return g_strdup_printf("%d%s", (int)object->type, checksum);
}

static GHashTable *
index_objects(const SatchelClosureList *list)
{
	GHashTable *indexes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (guint i = 0; i < list->objects->len; i++)
		g_hash_table_insert(indexes, object_key(object_at(list, i)),
				    GUINT_TO_POINTER(i + 1));
	return indexes;
}

SatchelObjectChoice *
satchel_object_choice_new(const SatchelClosureList *all)
{
	SatchelObjectChoice *self = g_new0(SatchelObjectChoice, 1);

	self->all = all;
	self->indexes = index_objects(all);
	self->pairs = g_ptr_array_new_with_free_func(g_free);
	self->n_needing = g_array_new(FALSE, TRUE, sizeof(guint));
	g_array_set_size(self->n_needing, all->objects->len);
	return self;
}

static guint *
n_needing(const SatchelObjectChoice *self, guint index)
{
	return &g_array_index(self->n_needing, guint, index);
}

void
satchel_object_choice_add_pair(SatchelObjectChoice *self, const SatchelClosureList *base,
			       const SatchelClosureList *target)
{
	g_autoptr(GHashTable) held = index_objects(base);
	guint8 *lacking = g_new0(guint8, self->all->objects->len);

	for (guint i = 0; i < target->objects->len; i++) {
		g_autofree char *key = object_key(object_at(target, i));
		guint place = GPOINTER_TO_UINT(g_hash_table_lookup(self->indexes, key));

		g_assert(place > 0);
		if (g_hash_table_contains(held, key))
			continue;
		lacking[place - 1] = TRUE;
		*n_needing(self, place - 1) += 1;
	}
	g_ptr_array_add(self->pairs, lacking);
}

gboolean
satchel_object_choice_is_lacking(const SatchelObjectChoice *self, guint pair, guint index)
{
	const guint8 *lacking = g_ptr_array_index(self->pairs, pair);

	return lacking[index] != 0;
}

gboolean
satchel_object_choice_is_wanted(const SatchelObjectChoice *self, guint index)
{
	return self->pairs->len == 0 ||
	       object_at(self->all, index)->type == SATCHEL_OBJECT_COMMIT ||
	       *n_needing(self, index) > 0;
}

static void
change_need(SatchelObjectChoice *self, guint pair, gboolean needs)
{
	for (guint i = 0; i < self->all->objects->len; i++) {
		if (!satchel_object_choice_is_lacking(self, pair, i))
			continue;
		if (needs)
			*n_needing(self, i) += 1;
		else
			*n_needing(self, i) -= 1;
	}
}

/* What the bundle would have to hold beside what it holds if the delta of @pair were not there. */
static guint64
weigh_replaced(const SatchelObjectChoice *self, guint pair, const SatchelWrittenFile *written)
{
	guint64 total = 0;

	for (guint i = 0; i < self->all->objects->len; i++)
		if (satchel_object_choice_is_lacking(self, pair, i) &&
		    !satchel_object_choice_is_wanted(self, i))
			total += written[i].size_bytes;
	return total;
}

void
satchel_object_choice_set_deltas(SatchelObjectChoice *self, guint64 *delta_bytes,
				 const SatchelWrittenFile *written)
{
	gboolean changed;

	for (guint pair = 0; pair < self->pairs->len; pair++)
		if (delta_bytes[pair] > 0)
			change_need(self, pair, FALSE);
	/* What one delta less brings in may make the next one superfluous. */
	do {
		changed = FALSE;
		for (guint pair = 0; pair < self->pairs->len; pair++) {
			if (delta_bytes[pair] == 0 ||
			    delta_bytes[pair] < weigh_replaced(self, pair, written))
				continue;
			delta_bytes[pair] = 0;
			change_need(self, pair, TRUE);
			changed = TRUE;
		}
	} while (changed);
}

void
satchel_object_choice_free(SatchelObjectChoice *self)
{
	g_hash_table_unref(self->indexes);
	g_ptr_array_unref(self->pairs);
	g_array_unref(self->n_needing);
	g_free(self);
}
