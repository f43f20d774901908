#include "path_pattern.h"
#include <string.h>

/* One component, or what is left of it. */
typedef struct {
	const char *at;
	const char *end;
} Span;

static gunichar
span_take(Span *span)
{
	gunichar c = g_utf8_get_char(span->at);

	span->at += g_utf8_skip[*(const guchar *)span->at];
	return c;
}

static gboolean
span_is_at(const Span *span, char c)
{
	return span->at < span->end && *span->at == c;
}

/* A `-` between two characters, of which the last is not the closing bracket. */
static gboolean
range_follows(const Span *span)
{
	return span->end - span->at >= 2 && span->at[0] == '-' && span->at[1] != ']';
}

/* *@set stands behind `[`. FALSE where there is no `]`; otherwise *@set stands behind it. */
static gboolean
match_set(Span *set, gunichar c, gboolean *matched)
{
	Span rest = *set;
	gboolean negated = span_is_at(&rest, '!') || span_is_at(&rest, '^');
	gboolean listed = FALSE;
	gboolean first = TRUE; /* a `]` right at the beginning is an ordinary member */

	if (negated)
		rest.at++;
	while (rest.at < rest.end && (first || *rest.at != ']')) {
		gunichar low = span_take(&rest);
		gunichar high = low;

		if (range_follows(&rest)) {
			rest.at++;
			high = span_take(&rest);
		}
		listed = listed || (low <= c && c <= high);
		first = FALSE;
	}
	if (rest.at >= rest.end)
		return FALSE;
	rest.at++;
	*set = rest;
	*matched = listed != negated;
	return TRUE;
}

/* One character against the pattern's next element, which is no `*`. */
static gboolean
match_one(Span *pattern, gunichar c)
{
	gunichar element;
	gboolean matched;

	if (pattern->at >= pattern->end)
		return FALSE;
	element = span_take(pattern);
	if (element == '?')
		return TRUE;
	if (element == '[' && match_set(pattern, c, &matched))
		return matched;
	return element == c;
}

/* To come back to the last `*` only is enough: whatever an earlier one could take, the last can
 * take as well. */
static gboolean
match_component(Span pattern, Span text)
{
	Span star_pattern = {NULL, NULL};
	Span star_text = {NULL, NULL};

	while (text.at < text.end) {
		if (span_is_at(&pattern, '*')) {
			pattern.at++;
			star_pattern = pattern;
			star_text = text;
			continue;
		}
		if (match_one(&pattern, span_take(&text)))
			continue;
		if (star_pattern.at == NULL)
			return FALSE;
		span_take(&star_text);
		text = star_text;
		pattern = star_pattern;
	}
	while (span_is_at(&pattern, '*'))
		pattern.at++;
	return pattern.at == pattern.end;
}

static Span
component_at(const char *text)
{
	return (Span){text, strchrnul(text, '/')};
}

gboolean
satchel_path_pattern_matches(const char *pattern, const char *path)
{
	Span element = component_at(pattern);
	Span component = component_at(path);

	if (!g_utf8_validate(path, -1, NULL) || !g_utf8_validate(pattern, -1, NULL))
		return FALSE;
	while (match_component(element, component)) {
		if (*element.end != *component.end)
			return FALSE;
		if (*element.end == '\0')
			return TRUE;
		element = component_at(element.end + 1);
		component = component_at(component.end + 1);
	}
	return FALSE;
}
