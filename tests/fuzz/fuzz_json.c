/*
 * Any bytes as a document: refused with a place, or a tree within all bounds. jansson's own loader
 * stands beside: what we take it takes too, with the same result, and what we refuse and it takes
 * is beyond a bound or a number in a form that it lets pass.
 */
#include "../../verify/json.h"

int LLVMFuzzerTestOneInput(const guint8 *data, size_t n_bytes);

static guint assert_sound(json_t *value, guint depth);

static guint
assert_sound_members(json_t *object, guint depth)
{
	const char *key;
	json_t *value;
	guint n_values = 0;

	json_object_foreach(object, key, value)
	{
		g_assert(strlen(key) <= SATCHEL_LIMIT_JSON_STRING_BYTES);
		g_assert(g_utf8_validate(key, -1, NULL));
		n_values += assert_sound(value, depth + 1);
	}
	return n_values;
}

static guint
assert_sound_elements(json_t *array, guint depth)
{
	guint n_values = 0;

	for (gsize i = 0; i < json_array_size(array); i++)
		n_values += assert_sound(json_array_get(array, i), depth + 1);
	return n_values;
}

/* Number of values in it. */
static guint
assert_sound(json_t *value, guint depth)
{
	g_assert(depth <= SATCHEL_LIMIT_JSON_DEPTH);
	g_assert(!json_is_real(value));
	if (json_is_object(value))
		return 1 + assert_sound_members(value, depth);
	if (json_is_array(value))
		return 1 + assert_sound_elements(value, depth);
	if (json_is_string(value)) {
		g_assert(json_string_length(value) == strlen(json_string_value(value)));
		g_assert(json_string_length(value) <= SATCHEL_LIMIT_JSON_STRING_BYTES);
	}
	return 1;
}

static void
try_members(const json_t *tree)
{
	g_auto(GStrv) strv = satchel_json_get_strv(tree, "a", NULL);
	gint64 number = 0;

	g_assert(strv == NULL ||
		 g_strv_length(strv) == json_array_size(json_object_get(tree, "a")));
	if (satchel_json_get_int(tree, "a", 1, 10, &number, NULL))
		g_assert(number >= 1 && number <= 10);
	if (satchel_json_get_time(tree, "a", &number, NULL))
		g_assert(number >= 0);
}

static gboolean
has_real(json_t *value)
{
	const char *key;
	json_t *inner;
	gsize i;

	json_object_foreach(value, key, inner)
	{
		if (has_real(inner))
			return TRUE;
	}
	json_array_foreach(value, i, inner)
	{
		if (has_real(inner))
			return TRUE;
	}
	return json_is_real(value);
}

/* No bound can be reached in so few bytes but depth, which is then counted generously. */
static gboolean
is_certainly_within_bounds(const char *text, gsize n_bytes)
{
	guint n_opening = 0;

	for (gsize i = 0; i < n_bytes; i++)
		n_opening += text[i] == '{' || text[i] == '[';
	return n_bytes <= SATCHEL_LIMIT_JSON_MEMORY_BYTES / 256 &&
	       n_opening <= SATCHEL_LIMIT_JSON_DEPTH;
}

static void
compare_with_jansson(const char *text, gsize n_bytes, json_t *ours)
{
	json_error_t reason;
	g_autoptr(SatchelJson) theirs = json_loadb(text, n_bytes, JSON_REJECT_DUPLICATES, &reason);

	if (ours != NULL) {
		g_assert(theirs != NULL && json_equal(ours, theirs));
		return;
	}
	if (theirs == NULL || !json_is_object(theirs) || has_real(theirs))
		return;
	/* It steps over NUL bytes behind a number. */
	if (memchr(text, '\0', n_bytes) != NULL)
		return;
	g_assert(!is_certainly_within_bounds(text, n_bytes) ||
		 g_strstr_len(text, (gssize)n_bytes, "-0") != NULL);
}

int
LLVMFuzzerTestOneInput(const guint8 *data, size_t n_bytes)
{
	g_autoptr(GBytes) bytes = g_bytes_new(data, n_bytes);
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelJson) tree = satchel_json_parse(bytes, &error);

	compare_with_jansson((const char *)data, n_bytes, tree);
	if (tree == NULL) {
		g_assert(g_error_matches(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID));
		g_assert(g_str_has_prefix(error->message, "line "));
		g_assert(strchr(error->message, '\n') == NULL);
		return 0;
	}
	g_assert(error == NULL);
	g_assert(json_is_object(tree));
	g_assert(assert_sound(tree, 0) <= SATCHEL_LIMIT_JSON_MEMORY_BYTES / 24);
	try_members(tree);
	return 0;
}
