#include "../../bundler/work_folder.h"
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* A fresh folder, and the place "final" in it. */
typedef struct {
	char *dir;
	char *final;
	char *work;
	char *old;
} Place;

static void
place_init(Place *self)
{
	self->dir = g_dir_make_tmp("satchel-test-XXXXXX", NULL);
	self->final = g_build_filename(self->dir, "final", NULL);
	self->work = g_build_filename(self->dir, ".final.satchel-work", NULL);
	self->old = g_build_filename(self->dir, ".final.satchel-old", NULL);
}

static void
place_clear(Place *self)
{
	const char *argv[] = {"rm", "-rf", "--", self->dir, NULL};

	g_assert_true(g_spawn_sync(NULL, (char **)(gpointer)argv, NULL, G_SPAWN_SEARCH_PATH, NULL,
				   NULL, NULL, NULL, NULL, NULL));
	g_free(self->dir);
	g_free(self->final);
	g_free(self->work);
	g_free(self->old);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Place, place_clear)

static void
put(const char *folder, const char *name)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);

	(void)g_mkdir_with_parents(folder, 0755);
	g_assert_true(g_file_set_contents(path, name, -1, NULL));
}

static gboolean
has(const char *folder, const char *name)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);

	return g_file_test(path, G_FILE_TEST_EXISTS);
}

static SatchelWorkFolder *
begin(const Place *place)
{
	g_autoptr(GError) error = NULL;
	SatchelWorkFolder *folder = satchel_work_folder_begin(place->final, &error);

	g_assert_no_error(error);
	return folder;
}

static void
test_it_appears_by_its_commit_only(void)
{
	g_auto(Place) place = {0};
	g_autoptr(SatchelWorkFolder) folder = NULL;
	g_autoptr(GError) error = NULL;

	place_init(&place);
	folder = begin(&place);
	put(satchel_work_folder_get_path(folder), "file");
	g_assert_false(g_file_test(place.final, G_FILE_TEST_EXISTS));
	g_assert_true(satchel_work_folder_commit(folder, FALSE, &error));
	g_assert_no_error(error);
	g_assert_true(has(place.final, "file"));
	g_assert_false(g_file_test(place.work, G_FILE_TEST_EXISTS));
}

static void
test_without_commit_it_vanishes_links_and_all(void)
{
	g_auto(Place) place = {0};
	SatchelWorkFolder *folder;
	g_autofree char *link = NULL;
	g_autofree char *deep = NULL;

	place_init(&place);
	put(place.dir, "mine");
	folder = begin(&place);
	deep = g_build_filename(place.work, "a", "b", "c", NULL);
	put(deep, "file");
	link = g_build_filename(place.work, "link", NULL);
	g_assert_cmpint(symlink(place.dir, link), ==, 0);
	satchel_work_folder_free(folder);
	g_assert_false(g_file_test(place.work, G_FILE_TEST_EXISTS));
	g_assert_true(has(place.dir, "mine"));
}

static void
test_what_a_killed_process_left_is_cleared(void)
{
	g_auto(Place) place = {0};
	g_autoptr(SatchelWorkFolder) folder = NULL;

	place_init(&place);
	put(place.work, "leftover");
	folder = begin(&place);
	g_assert_false(has(place.work, "leftover"));
	g_assert_true(g_file_test(place.work, G_FILE_TEST_IS_DIR));
}

static void
test_two_at_once_do_not_mix(void)
{
	g_auto(Place) place = {0};
	g_autoptr(SatchelWorkFolder) first = NULL;
	g_autoptr(SatchelWorkFolder) second = NULL;
	g_autoptr(GError) error = NULL;

	place_init(&place);
	first = begin(&place);
	put(satchel_work_folder_get_path(first), "file");
	second = satchel_work_folder_begin(place.final, &error);
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_BUSY);
	g_assert_null(second);
	g_assert_true(has(place.work, "file"));
}

static void
test_something_that_is_there_is_replaced_on_demand_only(void)
{
	g_auto(Place) place = {0};
	g_autoptr(SatchelWorkFolder) folder = NULL;
	g_autoptr(GError) error = NULL;

	place_init(&place);
	put(place.final, "old");
	folder = begin(&place);
	put(place.work, "new");
	g_assert_false(satchel_work_folder_commit(folder, FALSE, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED);
	g_assert_true(has(place.final, "old"));
	g_clear_error(&error);
	g_assert_true(satchel_work_folder_commit(folder, TRUE, &error));
	g_assert_no_error(error);
	g_assert_true(has(place.final, "new"));
	g_assert_false(has(place.final, "old"));
	g_assert_false(g_file_test(place.work, G_FILE_TEST_EXISTS));
	g_assert_false(g_file_test(place.old, G_FILE_TEST_EXISTS));
}

static void
test_a_folder_that_was_put_away_comes_back(void)
{
	g_auto(Place) place = {0};
	g_autoptr(SatchelWorkFolder) folder = NULL;

	place_init(&place);
	put(place.old, "file"); /* killed between the two renames */
	folder = begin(&place);
	g_assert_true(has(place.final, "file"));
	g_assert_false(g_file_test(place.old, G_FILE_TEST_EXISTS));
}

static void
test_a_replaced_folder_that_was_left_is_cleared(void)
{
	g_auto(Place) place = {0};
	g_autoptr(SatchelWorkFolder) folder = NULL;

	place_init(&place);
	put(place.old, "old");
	put(place.final, "new");
	folder = begin(&place);
	g_assert_true(has(place.final, "new"));
	g_assert_false(g_file_test(place.old, G_FILE_TEST_EXISTS));
}

static void
test_a_symbolic_link_in_its_place_is_not_followed(void)
{
	g_auto(Place) place = {0};
	g_autoptr(SatchelWorkFolder) folder = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *mine = NULL;

	place_init(&place);
	mine = g_build_filename(place.dir, "mine", NULL);
	put(mine, "file");
	g_assert_cmpint(symlink(mine, place.work), ==, 0);
	folder = satchel_work_folder_begin(place.final, &error);
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED);
	g_assert_null(folder);
	g_assert_true(has(mine, "file"));
}

static void
test_only_nothing_and_an_empty_folder_are_free(void)
{
	g_auto(Place) place = {0};
	g_autoptr(GError) error = NULL;
	g_autofree char *file = NULL;

	place_init(&place);
	g_assert_true(satchel_work_folder_is_free(place.final, &error));
	g_assert_cmpint(g_mkdir(place.final, 0755), ==, 0);
	g_assert_true(satchel_work_folder_is_free(place.final, &error));
	put(place.final, "file");
	g_assert_false(satchel_work_folder_is_free(place.final, &error));
	g_assert_no_error(error);
	file = g_build_filename(place.final, "file", NULL);
	g_assert_false(satchel_work_folder_is_free(file, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/work_folder/it_appears_by_its_commit_only",
			test_it_appears_by_its_commit_only);
	g_test_add_func("/work_folder/without_commit_it_vanishes_links_and_all",
			test_without_commit_it_vanishes_links_and_all);
	g_test_add_func("/work_folder/what_a_killed_process_left_is_cleared",
			test_what_a_killed_process_left_is_cleared);
	g_test_add_func("/work_folder/two_at_once_do_not_mix", test_two_at_once_do_not_mix);
	g_test_add_func("/work_folder/something_that_is_there_is_replaced_on_demand_only",
			test_something_that_is_there_is_replaced_on_demand_only);
	g_test_add_func("/work_folder/a_folder_that_was_put_away_comes_back",
			test_a_folder_that_was_put_away_comes_back);
	g_test_add_func("/work_folder/a_replaced_folder_that_was_left_is_cleared",
			test_a_replaced_folder_that_was_left_is_cleared);
	g_test_add_func("/work_folder/a_symbolic_link_in_its_place_is_not_followed",
			test_a_symbolic_link_in_its_place_is_not_followed);
	g_test_add_func("/work_folder/only_nothing_and_an_empty_folder_are_free",
			test_only_nothing_and_an_empty_folder_are_free);
	return g_test_run();
}
