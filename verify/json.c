#include "json.h"
#include "utc_time.h"

static json_t *
get_member(const json_t *object, const char *member, GError **error)
{
	json_t *value = json_object_get(object, member);

	if (value == NULL)
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID, "no member '%s'",
			    member);
	return value;
}

static json_t *
get_typed(const json_t *object, const char *member, json_type type, const char *type_name,
	  GError **error)
{
	json_t *value = get_member(object, member, error);

	if (value != NULL && json_typeof(value) != type) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
			    "member '%s' is not %s", member, type_name);
		return NULL;
	}
	return value;
}

const char *
satchel_json_get_string(const json_t *object, const char *member, GError **error)
{
	return json_string_value(get_typed(object, member, JSON_STRING, "a string", error));
}

json_t *
satchel_json_get_object(const json_t *object, const char *member, GError **error)
{
	return get_typed(object, member, JSON_OBJECT, "an object", error);
}

json_t *
satchel_json_get_array(const json_t *object, const char *member, GError **error)
{
	return get_typed(object, member, JSON_ARRAY, "an array", error);
}

gboolean
satchel_json_get_int(const json_t *object, const char *member, gint64 min, gint64 max,
		     gint64 *value, GError **error)
{
	json_t *number = get_typed(object, member, JSON_INTEGER, "an integer", error);
	gint64 got;

	if (number == NULL)
		return FALSE;
	got = json_integer_value(number);
	if (got < min || got > max) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
			    "member '%s' is %" G_GINT64_FORMAT ", not from %" G_GINT64_FORMAT
			    " to %" G_GINT64_FORMAT,
			    member, got, min, max);
		return FALSE;
	}
	*value = got;
	return TRUE;
}

GStrv
satchel_json_get_strv(const json_t *object, const char *member, GError **error)
{
	json_t *array = satchel_json_get_array(object, member, error);
	g_autoptr(GStrvBuilder) builder = NULL;
	json_t *element;
	gsize i;

	if (array == NULL)
		return NULL;
	builder = g_strv_builder_new();
	json_array_foreach(array, i, element)
	{
		if (!json_is_string(element)) {
			g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
				    "element %" G_GSIZE_FORMAT " of '%s' is not a string", i,
				    member);
			return NULL;
		}
		g_strv_builder_add(builder, json_string_value(element));
	}
	return g_strv_builder_end(builder);
}

gboolean
satchel_json_get_time(const json_t *object, const char *member, gint64 *seconds, GError **error)
{
	const char *text = satchel_json_get_string(object, member, error);

	if (text == NULL)
		return FALSE;
	if (!satchel_utc_time_parse(text, seconds, error)) {
		g_prefix_error(error, "member '%s': ", member);
		return FALSE;
	}
	return TRUE;
}
