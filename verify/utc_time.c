#include "utc_time.h"
#include "path_safety.h"

#define SECONDS_PER_DAY 86400
/* 9999-12-31T23:59:59Z */
#define LAST_SECOND G_GINT64_CONSTANT(253402300799)

static gboolean
is_leap_year(guint year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static guint
days_in_month(guint year, guint month)
{
	static const guint days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[month - 1] + (month == 2 && is_leap_year(year) ? 1 : 0);
}

static gint64
days_before_year(guint year)
{
	guint past = year - 1;
	guint leaps = past / 4 - past / 100 + past / 400;
	const guint leaps_before_1970 = 477;

	return (gint64)(year - 1970) * 365 + (leaps - leaps_before_1970);
}

/* FALSE unless @text has exactly the form; digits stand where the form has 0. */
static gboolean
has_form(const char *text)
{
	const char form[] = "0000-00-00T00:00:00Z";

	if (strlen(text) != sizeof form - 1)
		return FALSE;
	for (gsize i = 0; i < sizeof form - 1; i++) {
		if (form[i] == '0' ? !g_ascii_isdigit(text[i]) : text[i] != form[i])
			return FALSE;
	}
	return TRUE;
}

static guint
number_at(const char *text, guint n_digits)
{
	guint number = 0;

	for (guint i = 0; i < n_digits; i++)
		number = number * 10 + (guint)(text[i] - '0');
	return number;
}

static gboolean
parse_fields(const char *text, gint64 *seconds)
{
	guint year, month, day, hour, minute, second;
	gint64 days;

	if (!has_form(text))
		return FALSE;
	year = number_at(text, 4);
	month = number_at(text + 5, 2);
	day = number_at(text + 8, 2);
	hour = number_at(text + 11, 2);
	minute = number_at(text + 14, 2);
	second = number_at(text + 17, 2);
	if (year < 1970 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
		return FALSE;
	if (hour > 23 || minute > 59 || second > 59)
		return FALSE;
	days = days_before_year(year);
	for (guint m = 1; m < month; m++)
		days += days_in_month(year, m);
	days += day - 1;
	*seconds = days * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second;
	return TRUE;
}

gboolean
satchel_utc_time_parse(const char *text, gint64 *seconds, GError **error)
{
	g_autofree char *quoted = NULL;

	if (parse_fields(text, seconds))
		return TRUE;
	quoted = satchel_path_quote(text);
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
		    "'%s' is not a time of the form YYYY-MM-DDTHH:MM:SSZ", quoted);
	return FALSE;
}

char *
satchel_utc_time_format(gint64 seconds)
{
	gint64 clamped = CLAMP(seconds, 0, LAST_SECOND);
	gint64 days = clamped / SECONDS_PER_DAY;
	guint in_day = (guint)(clamped % SECONDS_PER_DAY);
	guint year = (guint)(1970 + days / 366);
	guint month = 1;
	guint day;

	/* A year has at most 366 days, so the guess is never too late. */
	while (days_before_year(year + 1) <= days)
		year++;
	day = (guint)(days - days_before_year(year));
	for (; day >= days_in_month(year, month); month++)
		day -= days_in_month(year, month);
	return g_strdup_printf("%04u-%02u-%02uT%02u:%02u:%02uZ", year, month, day + 1,
			       in_day / 3600, in_day / 60 % 60, in_day % 60);
}
