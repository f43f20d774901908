#include "../../installer/receipt.h"
#include "../../installer/receipt_store.h"
#include "../support/temp_dir.h"
#include <fcntl.h>
#include <unistd.h>

static void
test_a_name_has_nothing_that_a_file_system_minds(void)
{
	g_autofree char *stem = satchel_receipt_stem("a/b:c\303\244 d.e", 1767225600);
	g_autofree char *long_name = g_strnfill(1000, 'x');
	g_autofree char *cut = satchel_receipt_stem(long_name, 0);

	g_assert_cmpstr(stem, ==, "SATCHEL-a_b_c___d_e-20260101-");
	g_assert_cmpuint(strlen(cut), <, 100);
}

static void
test_names_tell_their_age_and_others_are_none(void)
{
	static const char *const others[] = {
		"SATCHEL-a-20260101-1.txt",	"SATCHEL-20260101-1.json",
		"SATCHEL-a-20260101-.json",	"satchel-a-20260101-1.json",
		"SATCHEL-a-20260101-0.json",	"SATCHEL-a-20260101-1",
		"SATCHEL-a-20260101-1.json.tmp"};
	guint date = 0;
	guint number = 0;

	g_assert_true(satchel_receipt_name_parse("SATCHEL-a-b-20260101-12.json", &date, &number));
	g_assert_cmpuint(date, ==, 20260101);
	g_assert_cmpuint(number, ==, 12);
	for (guint i = 0; i < G_N_ELEMENTS(others); i++)
		g_assert_false(satchel_receipt_name_parse(others[i], &date, &number));
}

static json_t *
document_new(void)
{
	return json_pack("{s:{s:s}, s:[]}", "signed", "step", "media", "signatures");
}

static void
test_none_is_overwritten_and_the_oldest_go(void)
{
	char *dir = temp_dir_new();
	int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	json_t *document = document_new();
	g_autofree char *text = g_build_filename(dir, "SATCHEL-d-20260101-2.txt", NULL);
	g_autofree char *content = NULL;
	g_auto(GStrv) names = NULL;

	/* A text whose JSON was never written is somebody's, too. */
	g_assert_true(g_file_set_contents(text, "mine", -1, NULL));
	for (guint i = 0; i < SATCHEL_RECEIPT_MAX_KEPT + 2; i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *name =
			satchel_receipt_store_add(dir_fd, "SATCHEL-d-20260101-", document, &error);

		g_assert_no_error(error);
		g_assert_cmpstr(name, !=, "SATCHEL-d-20260101-2");
	}
	g_assert_true(g_file_get_contents(text, &content, NULL, NULL));
	g_assert_cmpstr(content, ==, "mine");
	satchel_receipt_store_prune(dir_fd);
	names = satchel_receipt_store_list(dir_fd);
	g_assert_cmpuint(g_strv_length(names), ==, SATCHEL_RECEIPT_MAX_KEPT);
	/* 1 and 3 are gone, 10 is younger than 9. */
	g_assert_cmpstr(names[0], ==, "SATCHEL-d-20260101-4");
	g_assert_cmpstr(names[6], ==, "SATCHEL-d-20260101-10");
	json_decref(document);
	close(dir_fd);
	temp_dir_free(dir);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/receipt/stem", test_a_name_has_nothing_that_a_file_system_minds);
	g_test_add_func("/receipt/names", test_names_tell_their_age_and_others_are_none);
	g_test_add_func("/receipt/store", test_none_is_overwritten_and_the_oldest_go);
	return g_test_run();
}
