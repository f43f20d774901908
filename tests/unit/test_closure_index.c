#include "../../verify/closure_index.h"
#include <string.h>

#define MANY 5000u

typedef struct {
	GArray *objects;
	SatchelClosureIndex *index;
} Fixture;

static Fixture
fixture_new(void)
{
	Fixture self = {.objects = g_array_new(FALSE, FALSE, sizeof(SatchelClosureObject))};

	self.index = satchel_closure_index_new(self.objects);
	return self;
}

static void
fixture_clear(Fixture *self)
{
	satchel_closure_index_free(self->index);
	g_array_unref(self->objects);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fixture, fixture_clear)

/* Checksums that begin alike, so that their slots collide. */
static SatchelClosureObject
object_of(guint number, SatchelObjectType type)
{
	SatchelClosureObject object = {.type = type};

	object.checksum[0] = (guint8)(number & 3);
	memcpy(object.checksum + 20, &number, sizeof number);
	return object;
}

static void
test_object_is_two_thirds_of_its_hex(void)
{
	g_assert_cmpuint(sizeof(SatchelClosureObject), ==, 48);
}

static void
test_each_is_added_once_and_found(void)
{
	g_auto(Fixture) self = fixture_new();

	for (guint round = 0; round < 2; round++) {
		for (guint i = 0; i < MANY; i++) {
			SatchelClosureObject object = object_of(i, SATCHEL_OBJECT_FILE);

			g_assert_true(satchel_closure_index_add(self.index, &object) ==
				      (round == 0));
		}
	}
	g_assert_cmpuint(self.objects->len, ==, MANY);
	for (guint i = 0; i < MANY; i++) {
		SatchelClosureObject object = object_of(i, SATCHEL_OBJECT_FILE);

		g_assert_cmpuint(satchel_closure_index_find(self.index, SATCHEL_OBJECT_FILE,
							    object.checksum),
				 ==, i);
	}
}

static void
test_type_tells_objects_apart(void)
{
	g_auto(Fixture) self = fixture_new();
	SatchelClosureObject file = object_of(7, SATCHEL_OBJECT_FILE);
	SatchelClosureObject tree = object_of(7, SATCHEL_OBJECT_DIR_TREE);

	g_assert_true(satchel_closure_index_add(self.index, &file));
	g_assert_cmpuint(
		satchel_closure_index_find(self.index, SATCHEL_OBJECT_DIR_TREE, file.checksum), ==,
		SATCHEL_CLOSURE_NONE);
	g_assert_true(satchel_closure_index_add(self.index, &tree));
	g_assert_cmpuint(
		satchel_closure_index_find(self.index, SATCHEL_OBJECT_DIR_TREE, file.checksum), ==,
		1);
}

static void
test_moved_objects_are_found_after_a_rebuild(void)
{
	g_auto(Fixture) self = fixture_new();
	SatchelClosureObject first = object_of(1, SATCHEL_OBJECT_FILE);
	SatchelClosureObject second = object_of(2, SATCHEL_OBJECT_DIR_TREE);

	g_assert_true(satchel_closure_index_add(self.index, &first));
	g_assert_true(satchel_closure_index_add(self.index, &second));
	g_array_index(self.objects, SatchelClosureObject, 0) = second;
	g_array_index(self.objects, SatchelClosureObject, 1) = first;
	satchel_closure_index_rebuild(self.index);
	g_assert_cmpuint(satchel_closure_index_find(self.index, first.type, first.checksum), ==, 1);
	g_assert_cmpuint(satchel_closure_index_find(self.index, second.type, second.checksum), ==,
			 0);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/closure-index/size", test_object_is_two_thirds_of_its_hex);
	g_test_add_func("/closure-index/once", test_each_is_added_once_and_found);
	g_test_add_func("/closure-index/types", test_type_tells_objects_apart);
	g_test_add_func("/closure-index/rebuild", test_moved_objects_are_found_after_a_rebuild);
	return g_test_run();
}
