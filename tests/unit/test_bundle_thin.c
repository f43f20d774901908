#include "../../verify/bundle_thin.h"
#include <string.h>

#define OLD "636350e19104c5f3e3a2d2fd855eb59a3cfc2ac539b7f1af2119e6dbbc94d917"
#define OLDER "998e85f4f6ec6b6368713fa9b4295155cab5b208860e7695e7c426cebe642841"
#define NEW "af279a2ccb98ceaa69aff97260571ca01a69b649cc7077afb01e092d8fc9ee9a"

/* An addition with @bases and a delta from the first. */
static SatchelBundleThin *
parse(const char *const *bases)
{
	g_autoptr(SatchelJson) addition =
		json_pack("{s:[], s:{s:i, s:i}, s:[{s:s, s:s, s:i, s:{s:i, s:i}}]}", "from", "full",
			  "objects", 9, "bytes", 9000, "deltas", "from", bases[0], "to", NEW,
			  "bytes", 10, "unpacked", "objects", 1, "bytes", 2);
	g_autoptr(GError) error = NULL;
	SatchelBundleThin *thin = NULL;

	for (guint i = 0; bases[i] != NULL; i++)
		json_array_append_new(json_object_get(addition, "from"),
				      json_pack("{s:s, s:[s], s:{s:i, s:i}}", "commit", bases[i],
						"targets", "name\n1", "lacks", "objects", 1,
						"bytes", 2));
	g_assert_true(satchel_bundle_thin_parse(addition, &thin, &error));
	g_assert_no_error(error);
	g_assert_nonnull(thin);
	return thin;
}

static void
test_a_device_is_served_by_a_base_or_by_the_target(void)
{
	const char *const bases[] = {OLD, OLDER, NULL};
	const char *const second[] = {NEW, OLDER, NULL};
	const char *const only_target[] = {NEW, NULL};
	const char *const nothing[] = {NULL};
	g_autoptr(SatchelBundleThin) thin = parse(bases);

	g_assert_true(satchel_bundle_thin_serves(thin, bases, NEW));
	g_assert_true(satchel_bundle_thin_serves(thin, second, NEW));
	g_assert_true(satchel_bundle_thin_serves(thin, only_target, NEW));
	g_assert_false(satchel_bundle_thin_serves(thin, only_target, OLD));
	g_assert_false(satchel_bundle_thin_serves(thin, nothing, NEW));
}

static void
test_a_delta_is_found_by_both_its_ends(void)
{
	const char *const bases[] = {OLD, OLDER, NULL};
	const char *const older[] = {OLDER, NULL};
	g_autoptr(SatchelBundleThin) thin = parse(bases);

	g_assert_true(satchel_bundle_thin_find_delta(thin, bases, NEW) == &thin->deltas[0]);
	g_assert_null(satchel_bundle_thin_find_delta(thin, bases, OLD));
	g_assert_null(satchel_bundle_thin_find_delta(thin, older, NEW));
}

static void
test_a_delta_lies_where_libostree_looks(void)
{
	const char *const bases[] = {OLD, NULL};
	g_autoptr(SatchelBundleThin) thin = parse(bases);
	g_autofree char *member = NULL;

	memcpy(thin->deltas[0].to, OLDER, sizeof thin->deltas[0].to);
	member = satchel_bundle_delta_member(&thin->deltas[0]);
	/* What `ostree static-delta generate` made of these. */
	g_assert_cmpstr(member, ==,
			"ostree_repo/deltas/Y2/NQ4ZEExfPjotL9hV61mjz8KsU5t_GvIRnm27yU2Rc-"
			"mY6F9Pbsa2NocT+ptClRVcq1sgiGDnaV58Qmzr5kKEE/superblock");
}

static void
test_many_bases_are_counted_and_quoted(void)
{
	char commits[6][65] = {{0}};
	const char *bases[7] = {NULL};
	g_autoptr(SatchelBundleThin) thin = NULL;
	g_autofree char *text = NULL;

	for (guint i = 0; i < 6; i++) {
		memset(commits[i], 'a' + (int)i, 64);
		bases[i] = commits[i];
	}
	thin = parse(bases);
	text = satchel_bundle_thin_describe_bases(thin);
	g_assert_true(g_str_has_prefix(text, "name\\x0a1 (commit aaaaaaaaaaaa), "));
	g_assert_true(g_str_has_suffix(text, "(commit dddddddddddd) and 2 more"));
	g_clear_pointer(&thin->bases[0].names[0], g_free);
	g_free(text);
	text = satchel_bundle_thin_describe_bases(thin);
	g_assert_true(g_str_has_prefix(text, "commit aaaaaaaaaaaa, name"));
}

static void
test_json_is_what_was_parsed(void)
{
	const char *const bases[] = {OLD, OLDER, NULL};
	g_autoptr(SatchelBundleThin) thin = parse(bases);
	g_autoptr(SatchelJson) first = json_object();
	g_autoptr(SatchelJson) second = json_object();
	SatchelBundleThin *again = NULL;

	satchel_bundle_thin_to_json(thin, first);
	g_assert_cmpuint(json_array_size(json_object_get(first, "deltas")), ==, 1);
	g_assert_true(satchel_bundle_thin_parse(first, &again, NULL));
	again->n_deltas = 0;
	satchel_bundle_thin_to_json(again, second);
	g_assert_null(json_object_get(second, "deltas"));
	json_object_del(first, "deltas");
	g_assert_true(json_equal(first, second));
	satchel_bundle_thin_free(again);
}

static gboolean
parse_many(guint n_bases, GError **error)
{
	g_autoptr(SatchelJson) addition =
		json_pack("{s:[], s:{s:i, s:i}}", "from", "full", "objects", 9, "bytes", 9000);
	SatchelBundleThin *thin = NULL;

	for (guint i = 0; i < n_bases; i++) {
		g_autofree char *commit = g_strdup_printf("%064x", i);

		json_array_append_new(json_object_get(addition, "from"),
				      json_pack("{s:s, s:[], s:{s:i, s:i}}", "commit", commit,
						"targets", "lacks", "objects", 1, "bytes", 2));
	}
	gboolean good = satchel_bundle_thin_parse(addition, &thin, error);

	g_assert_true(good == (thin != NULL));
	satchel_bundle_thin_free(thin);
	return good;
}

static void
test_bases_are_limited(void)
{
	g_autoptr(GError) error = NULL;

	g_assert_true(parse_many(SATCHEL_LIMIT_BUNDLE_BASES, &error));
	g_assert_no_error(error);
	g_assert_false(parse_many(SATCHEL_LIMIT_BUNDLE_BASES + 1, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID);
	g_assert_nonnull(strstr(error->message, "more than 1024"));
}

static void
test_nothing_thin_is_nothing(void)
{
	g_autoptr(SatchelJson) addition = json_object();
	SatchelBundleThin *thin = NULL;

	g_assert_true(satchel_bundle_thin_parse(addition, &thin, NULL));
	g_assert_null(thin);
	satchel_bundle_thin_free(thin);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/bundle_thin/a_device_is_served_by_a_base_or_by_the_target",
			test_a_device_is_served_by_a_base_or_by_the_target);
	g_test_add_func("/bundle_thin/a_delta_is_found_by_both_its_ends",
			test_a_delta_is_found_by_both_its_ends);
	g_test_add_func("/bundle_thin/a_delta_lies_where_libostree_looks",
			test_a_delta_lies_where_libostree_looks);
	g_test_add_func("/bundle_thin/many_bases_are_counted_and_quoted",
			test_many_bases_are_counted_and_quoted);
	g_test_add_func("/bundle_thin/json_is_what_was_parsed", test_json_is_what_was_parsed);
	g_test_add_func("/bundle_thin/bases_are_limited", test_bases_are_limited);
	g_test_add_func("/bundle_thin/nothing_thin_is_nothing", test_nothing_thin_is_nothing);
	return g_test_run();
}
