#include "../../verify/split_set.h"
#include <satchel/limits.h>

static void
assert_base(const char *name, const char *expected)
{
	g_autofree char *base = satchel_split_set_base(name);

	g_assert_cmpstr(base, ==, expected);
}

static void
test_the_first_part_names_the_set(void)
{
	assert_base("a.satchel.000", "a.satchel");
	assert_base("a.000", "a");
	assert_base("a.satchel", NULL);
	assert_base("a.satchel.001", NULL);
	assert_base("a.satchel.0000", NULL);
	assert_base("a.satchel.00", NULL);
	assert_base("a.satchel.0x0", NULL);
	assert_base("a.satchel000", NULL);
	assert_base(".000", NULL);
	assert_base("", NULL);
}

static void
test_parts_have_three_digits(void)
{
	g_autofree char *second = satchel_split_set_part("a.satchel", 1);
	g_autofree char *last = satchel_split_set_part("a.satchel", SATCHEL_LIMIT_PACKED_PARTS - 1);

	g_assert_cmpstr(second, ==, "a.satchel.001");
	g_assert_cmpstr(last, ==, "a.satchel.999");
}

static void
test_names_tell_what_a_file_is(void)
{
	static const struct {
		const char *name;
		SatchelSplitSetKind kind;
	} cases[] = {
		{"a.satchel", SATCHEL_SPLIT_SET_WHOLE},
		{"a b.satchel.000", SATCHEL_SPLIT_SET_FIRST_PART},
		{"a.satchel.001", SATCHEL_SPLIT_SET_LATER_PART},
		{"a.satchel.999", SATCHEL_SPLIT_SET_LATER_PART},
		{"._a.satchel", SATCHEL_SPLIT_SET_NOTHING},
		{"._a.satchel.000", SATCHEL_SPLIT_SET_NOTHING},
		{".satchel", SATCHEL_SPLIT_SET_NOTHING},
		{".satchel.000", SATCHEL_SPLIT_SET_NOTHING},
		{"satchel", SATCHEL_SPLIT_SET_NOTHING},
		{"a.satchel.part", SATCHEL_SPLIT_SET_NOTHING},
		{"a.tar", SATCHEL_SPLIT_SET_NOTHING},
		{"a.tar.000", SATCHEL_SPLIT_SET_NOTHING},
		{"satchel.000", SATCHEL_SPLIT_SET_NOTHING},
		{"", SATCHEL_SPLIT_SET_NOTHING},
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
		g_assert_cmpint(satchel_split_set_classify(cases[i].name), ==, cases[i].kind);
}

static void
test_only_the_last_part_may_be_shorter(void)
{
	guint wrong = 99;

	g_assert_true(satchel_split_set_check_sizes((const guint64[]){7}, 1, &wrong));
	g_assert_true(satchel_split_set_check_sizes((const guint64[]){7, 7, 7}, 3, &wrong));
	g_assert_true(satchel_split_set_check_sizes((const guint64[]){7, 7, 1}, 3, &wrong));
	g_assert_cmpuint(wrong, ==, 99);
	g_assert_false(satchel_split_set_check_sizes((const guint64[]){7, 8}, 2, &wrong));
	g_assert_cmpuint(wrong, ==, 1);
	g_assert_false(satchel_split_set_check_sizes((const guint64[]){7, 7, 6, 7}, 4, &wrong));
	g_assert_cmpuint(wrong, ==, 2);
	g_assert_false(satchel_split_set_check_sizes((const guint64[]){7, 7, 8}, 3, &wrong));
	g_assert_cmpuint(wrong, ==, 2);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/split-set/the-first-part-names-the-set",
			test_the_first_part_names_the_set);
	g_test_add_func("/split-set/parts-have-three-digits", test_parts_have_three_digits);
	g_test_add_func("/split-set/names-tell-what-a-file-is", test_names_tell_what_a_file_is);
	g_test_add_func("/split-set/only-the-last-part-may-be-shorter",
			test_only_the_last_part_may_be_shorter);
	return g_test_run();
}
