#include "json.h"
#include "path_safety.h"
#include "utc_time.h"

/*
 * A look at the bytes before jansson builds a tree of them: what it cannot bound (depth, values,
 * string lengths) and what it lets through (1.0, 1e3, -0) is refused here. It knows tokens, not
 * grammar; jansson judges that.
 */
typedef struct {
	const char *text;
	const char *end;
	const char *at;
	guint depth;
	guint n_values;
} JsonScan;

/* Always FALSE. @where stands in the text; columns count characters, not bytes. */
static gboolean G_GNUC_PRINTF(4, 5)
	scan_fail(const JsonScan *scan, const char *where, GError **error, const char *format, ...)
{
	g_autofree char *reason = NULL;
	guint line = 1;
	guint column = 1;
	va_list args;

	va_start(args, format);
	reason = g_strdup_vprintf(format, args);
	va_end(args);

	for (const char *c = scan->text; c < where; c++) {
		if (*c == '\n') {
			line++;
			column = 1;
		} else if (((guint8)*c & 0xc0) != 0x80) {
			column++;
		}
	}
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID, "line %u, column %u: %s",
		    line, column, reason);
	return FALSE;
}

/* The code unit of the \uXXXX at @at, or -1 where it is none. */
static int
scan_code_unit(const JsonScan *scan, const char *at)
{
	int unit = 0;

	if (scan->end - at < 6)
		return -1;
	for (guint i = 2; i < 6; i++) {
		if (!g_ascii_isxdigit(at[i]))
			return -1;
		unit = unit * 16 + g_ascii_xdigit_value(at[i]);
	}
	return unit;
}

/* Bytes that a code unit adds to the decoded string; both halves of a pair make four. */
static gsize
code_unit_bytes(int unit)
{
	if (unit < 0x80)
		return 1;
	if (unit < 0x800 || (unit >= 0xd800 && unit < 0xe000))
		return 2;
	return 3;
}

/* Steps over the escape at scan->at; what is wrong with its form is for jansson to say. */
static gboolean
scan_escape(JsonScan *scan, gsize *n_bytes, GError **error)
{
	int unit;

	if (scan->end - scan->at < 2 || scan->at[1] != 'u') {
		scan->at += MIN(2, scan->end - scan->at);
		*n_bytes += 1;
		return TRUE;
	}
	unit = scan_code_unit(scan, scan->at);
	if (unit == 0) /* in C the string would end here for one reader and go on for another */
		return scan_fail(scan, scan->at, error, "\\u0000 in a string");
	scan->at += unit < 0 ? 2 : 6;
	*n_bytes += unit < 0 ? 1 : code_unit_bytes(unit);
	return TRUE;
}

static gboolean
scan_string(JsonScan *scan, GError **error)
{
	const char *start = scan->at;
	gsize n_bytes = 0;

	for (scan->at++; scan->at < scan->end && *scan->at != '"';) {
		if (*scan->at == '\0')
			return scan_fail(scan, scan->at, error, "NUL byte in a string");
		if (*scan->at == '\\') {
			if (!scan_escape(scan, &n_bytes, error))
				return FALSE;
		} else {
			scan->at++;
			n_bytes++;
		}
		if (n_bytes > SATCHEL_LIMIT_JSON_STRING_BYTES)
			return scan_fail(scan, start, error, "string longer than %u bytes",
					 SATCHEL_LIMIT_JSON_STRING_BYTES);
	}
	if (scan->at < scan->end)
		scan->at++;
	return TRUE;
}

/* Only whole numbers, and each in one form: the other forms canonicalise differently from one
 * implementation to the next. */
static gboolean
scan_number(JsonScan *scan, GError **error)
{
	const char *start = scan->at;

	for (; scan->at < scan->end; scan->at++) {
		if (*scan->at == '.' || *scan->at == 'e' || *scan->at == 'E')
			return scan_fail(scan, start, error, "number that is not a plain integer");
		if (!g_ascii_isdigit(*scan->at) && *scan->at != '-' && *scan->at != '+')
			break;
	}
	if (scan->at - start >= 2 && start[0] == '-' && start[1] == '0')
		return scan_fail(scan, start, error, "negative zero");
	return TRUE;
}

/* Each member and element stands behind an opening bracket or a comma. */
static gboolean
scan_count_value(JsonScan *scan, GError **error)
{
	if (scan->n_values >= SATCHEL_LIMIT_JSON_VALUES)
		return scan_fail(scan, scan->at, error, "more than %u values",
				 SATCHEL_LIMIT_JSON_VALUES);
	scan->n_values++;
	return TRUE;
}

static gboolean
scan_open(JsonScan *scan, GError **error)
{
	if (scan->depth >= SATCHEL_LIMIT_JSON_DEPTH)
		return scan_fail(scan, scan->at, error, "nested deeper than %u levels",
				 SATCHEL_LIMIT_JSON_DEPTH);
	scan->depth++;
	return scan_count_value(scan, error);
}

static gboolean
scan_token(JsonScan *scan, GError **error)
{
	char c = *scan->at;

	if (c == '"')
		return scan_string(scan, error);
	if (c == '-' || g_ascii_isdigit(c))
		return scan_number(scan, error);
	if (c == '\0')
		return scan_fail(scan, scan->at, error, "NUL byte");
	if ((c == '{' || c == '[') && !scan_open(scan, error))
		return FALSE;
	if (c == ',' && !scan_count_value(scan, error))
		return FALSE;
	if ((c == '}' || c == ']') && scan->depth > 0)
		scan->depth--;
	scan->at++;
	return TRUE;
}

/* All roles are objects; jansson would take an array too. */
static gboolean
scan_start(JsonScan *scan, GError **error)
{
	if (scan->end - scan->at >= 3 && memcmp(scan->at, "\xef\xbb\xbf", 3) == 0)
		return scan_fail(scan, scan->at, error, "document begins with a byte order mark");
	while (scan->at < scan->end && strchr(" \t\r\n", *scan->at) != NULL && *scan->at != '\0')
		scan->at++;
	if (scan->at == scan->end)
		return scan_fail(scan, scan->at, error, "empty document");
	if (*scan->at != '{')
		return scan_fail(scan, scan->at, error, "the document is not an object");
	return TRUE;
}

static gboolean
scan_document(const char *text, gsize n_bytes, GError **error)
{
	JsonScan scan = {.text = text, .end = text + n_bytes, .at = text};

	if (!scan_start(&scan, error))
		return FALSE;
	while (scan.at < scan.end) {
		if (!scan_token(&scan, error))
			return FALSE;
	}
	return TRUE;
}

SatchelJson *
satchel_json_parse(GBytes *document, GError **error)
{
	gsize n_bytes = 0;
	const char *text = g_bytes_get_data(document, &n_bytes);
	g_autofree char *quoted = NULL;
	json_error_t reason;
	json_t *tree;

	/* Of no bytes GBytes gives NULL. */
	if (!scan_document(text != NULL ? text : "", n_bytes, error))
		return NULL;
	tree = json_loadb(text, n_bytes, JSON_REJECT_DUPLICATES, &reason);
	if (tree != NULL)
		return tree;
	quoted = satchel_path_quote(reason.text);
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID, "line %d, column %d: %s",
		    reason.line, reason.column, quoted);
	return NULL;
}

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
