#include "../../installer/media_verdict.h"
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

static int
status_of(SatchelError code)
{
	return code == SATCHEL_ERROR_BUNDLE_INVALID ? 42 : 1;
}

static void
test_a_receipt_tells_all_that_came_of_a_stick(void)
{
	static const char *const tags[] = {"main", "beta", NULL};
	g_autoptr(GPtrArray) verdicts =
		g_ptr_array_new_with_free_func((GDestroyNotify)satchel_media_verdict_free);
	SatchelReceipt receipt = {.step = "media",
				  .device_uuid = "u-1",
				  .device_name = "d",
				  .hardware_id = "board",
				  .tags = tags,
				  .medium = "12AB",
				  .begun_s = 1767225600,
				  .ended_s = 1767225661,
				  .status = 100,
				  .text = "installed",
				  .verdicts = verdicts,
				  .chosen = "good",
				  .bundle_sha256 = "ff",
				  .before = {"t-1", 1, "c1"},
				  .after = {NULL, -1, "c2"},
				  .status_of = status_of};
	json_t *got = NULL;
	json_t *expected = json_pack(
		"{s:s, s:{s:s, s:s, s:s, s:[s,s]}, s:s, s:s, s:s, s:i, s:s,"
		" s:[{s:s, s:s, s:s, s:s, s:i, s:b}, {s:s, s:s, s:s, s:i, s:b}], s:s,"
		" s:{s:s, s:s, s:i}, s:{s:s}}",
		"step", "media", "device", "uuid", "u-1", "name", "d", "hardware-id", "board",
		"tags", "main", "beta", "medium", "12AB", "begun", "2026-01-01T00:00:00Z", "ended",
		"2026-01-01T00:01:01Z", "status", 100, "text", "installed", "candidates", "path",
		"good", "verdict", "installable", "reason", "new", "target", "t-2", "version", 2,
		"chosen", 1, "path", "bad\357\277\275", "verdict", "refused", "reason", "unsigned",
		"status", 42, "chosen", 0, "bundle-sha256", "ff", "before", "name", "t-1", "commit",
		"c1", "version", 1, "after", "commit", "c2");

	g_ptr_array_add(verdicts, satchel_media_verdict_new("good", SATCHEL_MEDIA_INSTALLABLE,
							    SATCHEL_ERROR_FAILED, "t-2", 2, "new"));
	g_ptr_array_add(verdicts, satchel_media_verdict_new("bad\377", SATCHEL_MEDIA_REFUSED,
							    SATCHEL_ERROR_BUNDLE_INVALID, NULL, -1,
							    "unsigned"));
	got = satchel_receipt_to_json(&receipt);
	g_assert_nonnull(expected);
	g_assert_true(json_equal(got, expected));
	json_decref(got);
	json_decref(expected);
}

static void
test_what_is_unknown_is_left_out(void)
{
	SatchelReceipt receipt = {.step = "run",
				  .device_name = "d",
				  .hardware_id = "board",
				  .text = "done",
				  .before = {NULL, -1, NULL},
				  .after = {NULL, -1, NULL}};
	json_t *got = satchel_receipt_to_json(&receipt);
	json_t *expected = json_pack(
		"{s:s, s:{s:s, s:s, s:[]}, s:s, s:s, s:i, s:s, s:[]}", "step", "run", "device",
		"name", "d", "hardware-id", "board", "tags", "begun", "1970-01-01T00:00:00Z",
		"ended", "1970-01-01T00:00:00Z", "status", 0, "text", "done", "candidates");

	g_assert_nonnull(expected);
	g_assert_true(json_equal(got, expected));
	json_decref(got);
	json_decref(expected);
}

static void
test_people_read_the_same_in_lines(void)
{
	json_t *receipt = json_pack(
		"{s:s, s:{s:s}, s:s, s:s, s:i, s:s, s:{s:s, s:s}, s:[{s:s, s:s, s:s, s:b},"
		" {s:s, s:s, s:s, s:b}]}",
		"step", "media", "device", "name", "d", "begun", "B", "ended", "E", "status", 100,
		"text", "installed", "after", "name", "t-2", "commit", "c2", "candidates", "path",
		"good", "verdict", "installable", "reason", "new", "chosen", 1, "path", "bad",
		"verdict", "refused", "reason", "unsigned", "chosen", 0);
	g_autofree char *media = satchel_receipt_json_to_text(receipt);
	g_autofree char *run = NULL;

	g_assert_cmpstr(media, ==,
			"device   d (-)\r\nbegun    B\r\nended    E\r\n"
			"result   100: installed\r\nafter    t-2 (c2)\r\n"
			"* good: installable: new\r\n- bad: refused: unsigned\r\n");
	json_object_set_new(receipt, "step", json_string("run"));
	run = satchel_receipt_json_to_text(receipt);
	g_assert_nonnull(strstr(run, "\r\nreboot   100: installed\r\n"));
	json_decref(receipt);
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

static void
test_a_clock_that_was_ahead_makes_no_receipt_old(void)
{
	char *dir = temp_dir_new();
	int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	json_t *document = document_new();
	g_auto(GStrv) names = NULL;

	for (guint i = 0; i < SATCHEL_RECEIPT_MAX_KEPT + 1; i++) {
		g_autoptr(GError) error = NULL;
		/* The last one is of the time before. */
		const char *stem = i < SATCHEL_RECEIPT_MAX_KEPT ? "SATCHEL-d-20380101-"
								: "SATCHEL-d-20260101-";
		g_autofree char *name = satchel_receipt_store_add(dir_fd, stem, document, &error);

		g_assert_no_error(error);
		g_assert_true(g_str_has_prefix(name, stem));
		satchel_receipt_store_prune(dir_fd);
	}
	names = satchel_receipt_store_list(dir_fd);
	g_assert_cmpuint(g_strv_length(names), ==, SATCHEL_RECEIPT_MAX_KEPT);
	g_assert_cmpstr(names[0], ==, "SATCHEL-d-20380101-2");
	g_assert_cmpstr(names[SATCHEL_RECEIPT_MAX_KEPT - 1], ==, "SATCHEL-d-20260101-257");
	json_decref(document);
	close(dir_fd);
	temp_dir_free(dir);
}

/* Whoever made the stick may have made the folder. */
static void
test_of_a_folder_without_end_so_much_is_read(void)
{
	char *dir = temp_dir_new();
	int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	json_t *document = document_new();
	g_autoptr(GError) error = NULL;
	g_autofree char *added = NULL;
	g_auto(GStrv) names = NULL;

	for (guint i = 1; i <= 4100; i++) {
		g_autofree char *name = g_strdup_printf("SATCHEL-d-20260101-%u.json", i);
		int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

		g_assert_cmpint(fd, >=, 0);
		close(fd);
	}
	names = satchel_receipt_store_list(dir_fd);
	g_assert_cmpuint(g_strv_length(names), <=, 4096);
	added = satchel_receipt_store_add(dir_fd, "SATCHEL-d-20260101-", document, &error);
	g_assert_no_error(error);
	g_assert_nonnull(added);
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
	g_test_add_func("/receipt/all", test_a_receipt_tells_all_that_came_of_a_stick);
	g_test_add_func("/receipt/unknown", test_what_is_unknown_is_left_out);
	g_test_add_func("/receipt/text", test_people_read_the_same_in_lines);
	g_test_add_func("/receipt/store", test_none_is_overwritten_and_the_oldest_go);
	g_test_add_func("/receipt/ahead", test_a_clock_that_was_ahead_makes_no_receipt_old);
	g_test_add_func("/receipt/folder", test_of_a_folder_without_end_so_much_is_read);
	return g_test_run();
}
