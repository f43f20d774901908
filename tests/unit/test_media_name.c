#include "../../installer/media_name.h"

static void
test_what_systems_and_browsers_leave_is_ignored(void)
{
	static const char *const left[] = {
		"",
		"._u.satchel",
		".Trash-1000",
		".fseventsd",
		"$RECYCLE.BIN",
		"Recycler",
		"RECYCLED",
		"System Volume Information",
		"lost+found",
		"FOUND.000",
		"u.satchel.part",
		"u.satchel.CRDOWNLOAD",
		"u.tmp",
		"u.satchel.aria2",
		"u.satchel~",
		"u.satchel.download",
	};

	for (guint i = 0; i < G_N_ELEMENTS(left); i++)
		g_assert_true(satchel_media_name_is_ignored(left[i]));
}

static void
test_what_people_name_their_files_is_not(void)
{
	static const char *const good[] = {"u.satchel",	 "u (2).satchel", "u.satchel.000",
					   "found.0000", "FOUND.abc",	  "recycle.bin",
					   "partial",	 "update~1",	  "u.satchel.parts"};

	for (guint i = 0; i < G_N_ELEMENTS(good); i++)
		g_assert_false(satchel_media_name_is_ignored(good[i]));
}

static void
test_the_mark_of_a_download_names_its_file(void)
{
	g_autofree char *firefox = satchel_media_name_of_partial("u.satchel.part");
	g_autofree char *aria = satchel_media_name_of_partial("u.satchel.aria2");
	g_autofree char *none = satchel_media_name_of_partial("u.satchel");

	g_assert_cmpstr(firefox, ==, "u.satchel");
	g_assert_cmpstr(aria, ==, "u.satchel");
	g_assert_null(none);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/media-name/left", test_what_systems_and_browsers_leave_is_ignored);
	g_test_add_func("/media-name/good", test_what_people_name_their_files_is_not);
	g_test_add_func("/media-name/partial", test_the_mark_of_a_download_names_its_file);
	return g_test_run();
}
