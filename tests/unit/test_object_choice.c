#include "../../bundler/object_choice.h"
#include <string.h>

/* Objects are told by a letter: 'C' is a commit, others are files. */
static SatchelClosureList *
list_of(const char *letters)
{
	SatchelClosureList *list = g_new0(SatchelClosureList, 1);

	list->objects = g_array_new(FALSE, TRUE, sizeof(SatchelClosureObject));
	for (; *letters != '\0'; letters++) {
		SatchelClosureObject object = {.type = g_ascii_isupper(*letters)
							       ? SATCHEL_OBJECT_COMMIT
							       : SATCHEL_OBJECT_FILE};

		memset(object.checksum, *letters, sizeof object.checksum);
		g_array_append_val(list->objects, object);
	}
	return list;
}

static void
add_pair(SatchelObjectChoice *choice, const char *base, const char *target)
{
	g_autoptr(SatchelClosureList) base_list = list_of(base);
	g_autoptr(SatchelClosureList) target_list = list_of(target);

	satchel_object_choice_add_pair(choice, base_list, target_list);
}

static void
assert_wanted(const SatchelObjectChoice *choice, const char *all, const char *wanted)
{
	for (guint i = 0; all[i] != '\0'; i++)
		if (satchel_object_choice_is_wanted(choice, i) != (strchr(wanted, all[i]) != NULL))
			g_error("'%c' of '%s', where '%s' are wanted", all[i], all, wanted);
}

/* Every object weighs ten bytes. */
static void
set_deltas(SatchelObjectChoice *choice, guint n_objects, guint64 *sizes)
{
	g_autofree SatchelWrittenFile *written = g_new0(SatchelWrittenFile, n_objects);

	for (guint i = 0; i < n_objects; i++)
		written[i].size_bytes = 10;
	satchel_object_choice_set_deltas(choice, sizes, written);
}

static void
test_without_a_pair_all_are_wanted(void)
{
	g_autoptr(SatchelClosureList) all = list_of("Cab");
	g_autoptr(SatchelObjectChoice) choice = satchel_object_choice_new(all);

	assert_wanted(choice, "Cab", "Cab");
}

static void
test_what_one_base_lacks_is_wanted(void)
{
	g_autoptr(SatchelClosureList) all = list_of("Cabcd");
	g_autoptr(SatchelObjectChoice) choice = satchel_object_choice_new(all);

	add_pair(choice, "Babx", "Cabcd");
	assert_wanted(choice, "Cabcd", "Ccd");
	add_pair(choice, "Aac", "Cabcd");
	assert_wanted(choice, "Cabcd", "Cbcd");
	g_assert_true(satchel_object_choice_is_lacking(choice, 1, 2));
	g_assert_false(satchel_object_choice_is_lacking(choice, 0, 2));
}

static void
test_the_commit_of_a_target_that_is_a_base_is_wanted(void)
{
	g_autoptr(SatchelClosureList) all = list_of("Cab");
	g_autoptr(SatchelObjectChoice) choice = satchel_object_choice_new(all);

	add_pair(choice, "Cab", "Cab");
	assert_wanted(choice, "Cab", "C");
}

static void
test_a_file_and_a_commit_of_one_checksum_are_two(void)
{
	g_autoptr(SatchelClosureList) all = list_of("Cab");
	g_autoptr(SatchelClosureList) base = list_of("a");
	g_autoptr(SatchelObjectChoice) choice = satchel_object_choice_new(all);

	g_array_index(base->objects, SatchelClosureObject, 0).type = SATCHEL_OBJECT_DIR_TREE;
	satchel_object_choice_add_pair(choice, base, all);
	assert_wanted(choice, "Cab", "Cab");
}

static void
test_a_smaller_delta_replaces_its_objects(void)
{
	g_autoptr(SatchelClosureList) all = list_of("Cabcd");
	g_autoptr(SatchelObjectChoice) choice = satchel_object_choice_new(all);
	guint64 sizes[] = {29};

	add_pair(choice, "a", "Cabcd");
	set_deltas(choice, 5, sizes);
	g_assert_cmpuint(sizes[0], ==, 29);
	assert_wanted(choice, "Cabcd", "C");
}

static void
test_a_delta_as_large_as_its_objects_goes(void)
{
	g_autoptr(SatchelClosureList) all = list_of("Cabcd");
	g_autoptr(SatchelObjectChoice) choice = satchel_object_choice_new(all);
	guint64 sizes[] = {30};

	add_pair(choice, "a", "Cabcd");
	set_deltas(choice, 5, sizes);
	g_assert_cmpuint(sizes[0], ==, 0);
	assert_wanted(choice, "Cabcd", "Cbcd");
}

/* The second base has no delta: what it needs is there for the first one as well, and the first
 * one's delta replaces nothing but 'b'. */
static void
test_a_delta_that_replaces_what_others_need_goes(void)
{
	g_autoptr(SatchelClosureList) all = list_of("Cabcd");
	g_autoptr(SatchelObjectChoice) choice = satchel_object_choice_new(all);
	guint64 sizes[] = {20, 0};

	add_pair(choice, "a", "Cabcd");
	add_pair(choice, "ab", "Cabcd");
	set_deltas(choice, 5, sizes);
	g_assert_cmpuint(sizes[0], ==, 0);
	assert_wanted(choice, "Cabcd", "Cbcd");
}

/* The first delta is no gain, and what comes for it makes the second one superfluous. */
static void
test_one_delta_less_makes_the_next_superfluous(void)
{
	g_autoptr(SatchelClosureList) all = list_of("Cabcd");
	g_autoptr(SatchelObjectChoice) choice = satchel_object_choice_new(all);
	guint64 sizes[] = {5, 35};

	add_pair(choice, "abc", "Cabcd");
	add_pair(choice, "a", "Cabcd");
	set_deltas(choice, 5, sizes);
	g_assert_cmpuint(sizes[1], ==, 0);
	g_assert_cmpuint(sizes[0], ==, 0);
	assert_wanted(choice, "Cabcd", "Cbcd");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/object_choice/without_a_pair_all_are_wanted",
			test_without_a_pair_all_are_wanted);
	g_test_add_func("/object_choice/what_one_base_lacks_is_wanted",
			test_what_one_base_lacks_is_wanted);
	g_test_add_func("/object_choice/the_commit_of_a_target_that_is_a_base_is_wanted",
			test_the_commit_of_a_target_that_is_a_base_is_wanted);
	g_test_add_func("/object_choice/a_file_and_a_commit_of_one_checksum_are_two",
			test_a_file_and_a_commit_of_one_checksum_are_two);
	g_test_add_func("/object_choice/a_smaller_delta_replaces_its_objects",
			test_a_smaller_delta_replaces_its_objects);
	g_test_add_func("/object_choice/a_delta_as_large_as_its_objects_goes",
			test_a_delta_as_large_as_its_objects_goes);
	g_test_add_func("/object_choice/a_delta_that_replaces_what_others_need_goes",
			test_a_delta_that_replaces_what_others_need_goes);
	g_test_add_func("/object_choice/one_delta_less_makes_the_next_superfluous",
			test_one_delta_less_makes_the_next_superfluous);
	return g_test_run();
}
