#include "../../installer/media_verdict.h"
#include <string.h>

static GPtrArray *
list_new(void)
{
	return g_ptr_array_new_with_free_func((GDestroyNotify)satchel_media_verdict_free);
}

static void
add(GPtrArray *list, const char *path, SatchelMediaVerdictKind kind, SatchelError code,
    gint64 version)
{
	g_ptr_array_add(list, satchel_media_verdict_new(path, kind, code, "t", version, "so"));
}

static void
test_a_line_brings_all_of_it_over(void)
{
	g_autoptr(SatchelMediaVerdict) sent = satchel_media_verdict_new(
		"a\tb\n\303\244", SATCHEL_MEDIA_INSTALLABLE, SATCHEL_ERROR_FAILED, "t-7", 7,
		"good\tnews\nof \033[31mred");
	g_autofree char *line = satchel_media_verdict_to_line(sent);
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelMediaVerdict) got =
		satchel_media_verdict_from_line(line, "a\tb\n\303\244", &error);

	g_assert_no_error(error);
	g_assert_cmpint(got->kind, ==, SATCHEL_MEDIA_INSTALLABLE);
	g_assert_cmpint(got->version, ==, 7);
	g_assert_cmpstr(got->target, ==, "t-7");
	g_assert_cmpstr(got->reason, ==, "good\\x09news\\x0aof \\x1b[31mred");
}

static void
test_the_longest_texts_fit_a_line(void)
{
	g_autofree char *path = g_strnfill(511, '\001');
	g_autofree char *text = g_strnfill(100000, '\\');
	g_autoptr(SatchelMediaVerdict) sent = satchel_media_verdict_new(
		path, SATCHEL_MEDIA_REFUSED, SATCHEL_ERROR_FAILED, text, 1, text);
	g_autofree char *line = satchel_media_verdict_to_line(sent);
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelMediaVerdict) got = satchel_media_verdict_from_line(line, path, &error);

	g_assert_no_error(error);
	g_assert_nonnull(got);
}

static void
test_any_other_line_is_refused(void)
{
	g_autofree char *big = g_strnfill(SATCHEL_MEDIA_VERDICT_BYTES, 'a');
	const char *const lines[] = {
		"",
		"0\t0\t-1\tp\tt",
		"0\t0\t-1\tp\tt\tr\tx",
		"3\t0\t-1\tp\tt\tr\n",
		"-1\t0\t-1\tp\tt\tr\n",
		"0\t999\t-1\tp\tt\tr\n",
		"0\t0\t-2\tp\tt\tr\n",
		"0\t0\tx\tp\tt\tr\n",
		"0\t0\t-1\tq\tt\tr\n",
		"0\t0\t-1\t../p\tt\tr\n",
		big,
	};

	for (guint i = 0; i < G_N_ELEMENTS(lines); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(satchel_media_verdict_from_line(lines[i], "p", &error));
		g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED);
	}
}

static void
test_a_refusal_keeps_the_code_of_its_reason(void)
{
	g_autoptr(GError) reason =
		g_error_new_literal(SATCHEL_ERROR, SATCHEL_ERROR_METADATA_EXPIRED, "it\nexpired");
	g_autoptr(SatchelMediaVerdict) got = satchel_media_verdict_new_refused("p", reason);

	g_assert_cmpstr(got->path, ==, "p");
	g_assert_cmpint(got->kind, ==, SATCHEL_MEDIA_REFUSED);
	g_assert_cmpint(got->code, ==, SATCHEL_ERROR_METADATA_EXPIRED);
	g_assert_null(got->target);
	g_assert_cmpint(got->version, ==, -1);
	g_assert_cmpstr(got->reason, ==, "it\\x0aexpired");
}

static void
test_a_foreign_reason_means_an_unreadable_stick(void)
{
	g_autoptr(GError) reason =
		g_error_new_literal(G_FILE_ERROR, G_FILE_ERROR_IO, "the stick broke");
	g_autoptr(SatchelMediaVerdict) got = satchel_media_verdict_new_refused("p", reason);

	g_assert_cmpint(got->kind, ==, SATCHEL_MEDIA_REFUSED);
	g_assert_cmpint(got->code, ==, SATCHEL_ERROR_DOWNLOAD_FAILED);
	g_assert_cmpstr(got->reason, ==, "the stick broke");
}

static void
test_a_refusal_without_a_target_comes_over_without_one(void)
{
	g_autoptr(GError) reason =
		g_error_new_literal(SATCHEL_ERROR, SATCHEL_ERROR_BUNDLE_INVALID, "not signed");
	g_autoptr(SatchelMediaVerdict) sent = satchel_media_verdict_new_refused("p", reason);
	g_autofree char *line = satchel_media_verdict_to_line(sent);
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelMediaVerdict) got = satchel_media_verdict_from_line(line, "p", &error);

	g_assert_no_error(error);
	g_assert_cmpint(got->kind, ==, SATCHEL_MEDIA_REFUSED);
	g_assert_cmpint(got->code, ==, SATCHEL_ERROR_BUNDLE_INVALID);
	g_assert_null(got->target);
	g_assert_cmpint(got->version, ==, -1);
	g_assert_cmpstr(got->reason, ==, "not signed");
}

static void
test_the_highest_version_that_can_be_installed_is_the_best(void)
{
	g_autoptr(GPtrArray) list = list_new();

	g_assert_null(satchel_media_verdict_best(list));
	add(list, "a", SATCHEL_MEDIA_REFUSED, SATCHEL_ERROR_FAILED, 9);
	add(list, "b", SATCHEL_MEDIA_NOTHING_NEW, SATCHEL_ERROR_FAILED, 8);
	g_assert_null(satchel_media_verdict_best(list));
	add(list, "c", SATCHEL_MEDIA_INSTALLABLE, SATCHEL_ERROR_FAILED, 3);
	add(list, "d", SATCHEL_MEDIA_INSTALLABLE, SATCHEL_ERROR_FAILED, 7);
	add(list, "e", SATCHEL_MEDIA_INSTALLABLE, SATCHEL_ERROR_FAILED, 7);
	g_assert_cmpstr(satchel_media_verdict_best(list)->path, ==, "d");
}

static void
test_what_is_for_another_device_is_no_refusal(void)
{
	g_autoptr(GPtrArray) list = list_new();

	add(list, "a", SATCHEL_MEDIA_REFUSED, SATCHEL_ERROR_NO_MATCHING_TARGET, -1);
	add(list, "b", SATCHEL_MEDIA_REFUSED, SATCHEL_ERROR_TARGET_NOT_FOUND, -1);
	g_assert_null(satchel_media_verdict_newest_refusal(list));
	g_assert_false(satchel_media_verdict_is_any_good(list));
	add(list, "c", SATCHEL_MEDIA_REFUSED, SATCHEL_ERROR_METADATA_EXPIRED, -1);
	g_assert_cmpstr(satchel_media_verdict_newest_refusal(list)->path, ==, "c");
	add(list, "d", SATCHEL_MEDIA_NOTHING_NEW, SATCHEL_ERROR_FAILED, -1);
	g_assert_true(satchel_media_verdict_is_any_good(list));
}

static void
test_what_turned_out_bad_keeps_its_version(void)
{
	g_autoptr(GPtrArray) list = list_new();
	g_autoptr(GError) reason =
		g_error_new_literal(SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED, "altered");

	add(list, "a", SATCHEL_MEDIA_INSTALLABLE, SATCHEL_ERROR_FAILED, 7);
	add(list, "b", SATCHEL_MEDIA_INSTALLABLE, SATCHEL_ERROR_FAILED, 3);
	satchel_media_verdict_refuse(list->pdata[0], reason);
	g_assert_cmpstr(satchel_media_verdict_best(list)->path, ==, "b");
	satchel_media_verdict_refuse(list->pdata[1], reason);
	g_assert_null(satchel_media_verdict_best(list));
	g_assert_cmpstr(satchel_media_verdict_newest_refusal(list)->path, ==, "a");
	g_assert_cmpint(satchel_media_verdict_newest_refusal(list)->code, ==,
			SATCHEL_ERROR_DOWNLOAD_FAILED);
	g_assert_cmpstr(satchel_media_verdict_newest_refusal(list)->reason, ==, "altered");
}

static void
test_the_refusal_of_the_newest_counts(void)
{
	g_autoptr(GPtrArray) list = list_new();

	add(list, "0", SATCHEL_MEDIA_REFUSED, SATCHEL_ERROR_OTHER_TAG, -1);
	g_assert_cmpstr(satchel_media_verdict_newest_refusal(list)->path, ==, "0");
	add(list, "a", SATCHEL_MEDIA_REFUSED, SATCHEL_ERROR_BUNDLE_INVALID, 3);
	add(list, "b", SATCHEL_MEDIA_REFUSED, SATCHEL_ERROR_BUNDLE_INVALID, 5);
	add(list, "c", SATCHEL_MEDIA_REFUSED, SATCHEL_ERROR_BUNDLE_INVALID, 4);
	g_assert_cmpstr(satchel_media_verdict_newest_refusal(list)->path, ==, "b");
	/* What runs is newer than some of them, and then than all. */
	add(list, "d", SATCHEL_MEDIA_NOTHING_NEW, SATCHEL_ERROR_FAILED, 4);
	g_assert_cmpstr(satchel_media_verdict_newest_refusal(list)->path, ==, "b");
	add(list, "e", SATCHEL_MEDIA_NOTHING_NEW, SATCHEL_ERROR_FAILED, 5);
	g_assert_null(satchel_media_verdict_newest_refusal(list));
	/* One that is damaged has no version, and may be newer. */
	add(list, "f", SATCHEL_MEDIA_REFUSED, SATCHEL_ERROR_METADATA_INVALID, -1);
	add(list, "g", SATCHEL_MEDIA_REFUSED, SATCHEL_ERROR_METADATA_INVALID, -1);
	add(list, "h", SATCHEL_MEDIA_REFUSED, SATCHEL_ERROR_BUNDLE_INVALID, 9);
	g_assert_cmpstr(satchel_media_verdict_newest_refusal(list)->path, ==, "f");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/media-verdict/line", test_a_line_brings_all_of_it_over);
	g_test_add_func("/media-verdict/longest", test_the_longest_texts_fit_a_line);
	g_test_add_func("/media-verdict/other", test_any_other_line_is_refused);
	g_test_add_func("/media-verdict/refused", test_a_refusal_keeps_the_code_of_its_reason);
	g_test_add_func("/media-verdict/foreign", test_a_foreign_reason_means_an_unreadable_stick);
	g_test_add_func("/media-verdict/no-target",
			test_a_refusal_without_a_target_comes_over_without_one);
	g_test_add_func("/media-verdict/best",
			test_the_highest_version_that_can_be_installed_is_the_best);
	g_test_add_func("/media-verdict/turned-out", test_what_turned_out_bad_keeps_its_version);
	g_test_add_func("/media-verdict/newest", test_the_refusal_of_the_newest_counts);
	g_test_add_func("/media-verdict/another", test_what_is_for_another_device_is_no_refusal);
	return g_test_run();
}
