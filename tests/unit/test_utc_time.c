#include "../../verify/utc_time.h"

static void
test_times_are_read_and_written_the_same(void)
{
	static const struct {
		const char *text;
		gint64 seconds;
	} cases[] = {
		{"1970-01-01T00:00:00Z", 0},
		{"1970-12-31T23:59:59Z", 31535999},
		{"1972-02-29T00:00:00Z", 68169600},
		{"2000-02-29T12:34:56Z", 951827696},
		{"2028-03-01T00:00:00Z", 1835481600},
		{"2038-01-19T03:14:08Z", 2147483648},
		{"2090-01-01T23:00:00Z", 3786994800},
		{"2100-03-01T00:00:00Z", 4107542400},
		{"9999-12-31T23:59:59Z", 253402300799},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text = satchel_utc_time_format(cases[i].seconds);
		g_autoptr(GError) error = NULL;
		gint64 seconds = -1;

		g_assert_cmpstr(text, ==, cases[i].text);
		g_assert_true(satchel_utc_time_parse(cases[i].text, &seconds, &error));
		g_assert_no_error(error);
		g_assert_cmpint(seconds, ==, cases[i].seconds);
	}
}

static void
test_other_forms_and_unreal_dates_are_refused(void)
{
	static const char *const cases[] = {
		"",
		"2030-01-01",
		"2030-01-01T00:00:00",
		"2030-01-01T00:00:00+00:00",
		"2030-01-01T00:00:00.0Z",
		"2030-01-01 00:00:00Z",
		"2030-01-01t00:00:00z",
		" 2030-01-01T00:00:00Z",
		"2030-01-01T00:00:00Z ",
		"1969-12-31T23:59:59Z",
		"2030-00-01T00:00:00Z",
		"2030-13-01T00:00:00Z",
		"2030-01-00T00:00:00Z",
		"2030-01-32T00:00:00Z",
		"2030-04-31T00:00:00Z",
		"2030-02-29T00:00:00Z",
		"2100-02-29T00:00:00Z",
		"2028-02-30T00:00:00Z",
		"2030-01-01T24:00:00Z",
		"2030-01-01T00:60:00Z",
		"2030-01-01T00:00:60Z",
		"+030-01-01T00:00:00Z",
		"2030-01-01T00:00:0xZ",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		gint64 seconds = -1;

		g_assert_false(satchel_utc_time_parse(cases[i], &seconds, &error));
		g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID);
		g_assert_cmpint(seconds, ==, -1);
	}
}

static void
test_no_month_has_a_day_too_many(void)
{
	static const guint days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	for (guint month = 1; month <= 12; month++) {
		g_autofree char *last =
			g_strdup_printf("2090-%02u-%02uT00:00:00Z", month, days[month - 1]);
		g_autofree char *beyond =
			g_strdup_printf("2090-%02u-%02uT00:00:00Z", month, days[month - 1] + 1);
		gint64 seconds = -1;

		g_assert_false(satchel_utc_time_parse(beyond, &seconds, NULL));
		g_assert_cmpint(seconds, ==, -1);
		g_assert_true(satchel_utc_time_parse(last, &seconds, NULL));
	}
}

/* Walks every day, so that no month or leap year is wrong. */
static void
test_every_day_follows_the_one_before(void)
{
	for (gint64 day = 0; day <= 253402300799 / 86400; day++) {
		g_autofree char *text = satchel_utc_time_format(day * 86400);
		gint64 seconds = -1;

		g_assert_true(satchel_utc_time_parse(text, &seconds, NULL));
		g_assert_cmpint(seconds, ==, day * 86400);
	}
}

static void
test_seconds_out_of_range_are_clamped(void)
{
	g_autofree char *low = satchel_utc_time_format(G_MININT64);
	g_autofree char *high = satchel_utc_time_format(G_MAXINT64);

	g_assert_cmpstr(low, ==, "1970-01-01T00:00:00Z");
	g_assert_cmpstr(high, ==, "9999-12-31T23:59:59Z");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/utc-time/read-and-written-the-same",
			test_times_are_read_and_written_the_same);
	g_test_add_func("/utc-time/other-forms-and-unreal-dates-are-refused",
			test_other_forms_and_unreal_dates_are_refused);
	g_test_add_func("/utc-time/no-month-has-a-day-too-many", test_no_month_has_a_day_too_many);
	g_test_add_func("/utc-time/every-day-follows-the-one-before",
			test_every_day_follows_the_one_before);
	g_test_add_func("/utc-time/seconds-out-of-range-are-clamped",
			test_seconds_out_of_range_are_clamped);
	return g_test_run();
}
