#include "json.h"
#include <stdlib.h>

typedef struct {
	const char *key;
	const json_t *value;
} Member;

/* Bytes that grow. GString does more for each append than the copying costs. */
typedef struct {
	char *data;
	gsize n_bytes;
	gsize n_allocated;
} Output;

typedef struct {
	Output out;
	/* One stack of members for all objects that are open, so that nothing is allocated for
	 * each object. */
	GArray *members;
	SatchelDialect dialect;
	guint depth;
} Writer;

static gboolean write_value(Writer *writer, const json_t *value, GError **error);

/* Room for @n_bytes more. Nothing can overflow: all of it has been in memory already, in a form
 * that is at most six times shorter. */
static char *
output_reserve(Output *out, gsize n_bytes)
{
	if (out->n_allocated - out->n_bytes < n_bytes) {
		out->n_allocated = MAX(out->n_allocated * 2, out->n_bytes + n_bytes + 256);
		out->data = g_realloc(out->data, out->n_allocated);
	}
	return out->data + out->n_bytes;
}

static void
output_append(Output *out, const char *data, gsize n_bytes)
{
	memcpy(output_reserve(out, n_bytes), data, n_bytes);
	out->n_bytes += n_bytes;
}

static void
output_append_char(Output *out, char c)
{
	*output_reserve(out, 1) = c;
	out->n_bytes++;
}

static void
output_append_integer(Output *out, gint64 value)
{
	/* Of the smallest value the negative is not a gint64. */
	guint64 rest = value < 0 ? 0 - (guint64)value : (guint64)value;
	char digits[20];
	gsize first = sizeof digits;

	do {
		digits[--first] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest > 0);
	if (value < 0)
		output_append_char(out, '-');
	output_append(out, digits + first, sizeof digits - first);
}

/* One UTF-16 code unit as \uXXXX, in lower case. */
static void
output_append_code_unit(Output *out, guint unit)
{
	static const char hex[] = "0123456789abcdef";
	const char escape[] = {'\\',
			       'u',
			       hex[unit >> 12 & 0xf],
			       hex[unit >> 8 & 0xf],
			       hex[unit >> 4 & 0xf],
			       hex[unit & 0xf]};

	output_append(out, escape, sizeof escape);
}

/* jsoncpp 1.9.5 writes 0x7f raw, and all beyond ASCII as UTF-16 code units. */
static void
write_uptane_char(Output *out, gunichar c)
{
	static const char short_escapes[] = {
		['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};

	if (c == '"' || c == '\\') {
		output_append_char(out, '\\');
		output_append_char(out, (char)c);
	} else if (c < sizeof short_escapes && short_escapes[c] != '\0') {
		output_append_char(out, '\\');
		output_append_char(out, short_escapes[c]);
	} else if (c >= 0x10000) {
		output_append_code_unit(out, 0xd800 + ((c - 0x10000) >> 10));
		output_append_code_unit(out, 0xdc00 + ((c - 0x10000) & 0x3ff));
	} else {
		output_append_code_unit(out, c);
	}
}

static gboolean
is_uptane_plain(char c)
{
	return (guint8)c >= 0x20 && (guint8)c < 0x80 && c != '"' && c != '\\';
}

static void
write_uptane_text(Output *out, const char *text)
{
	while (*text != '\0') {
		const char *plain_end = text;

		while (is_uptane_plain(*plain_end))
			plain_end++;
		output_append(out, text, (gsize)(plain_end - text));
		if (*plain_end == '\0')
			break;
		write_uptane_char(out, g_utf8_get_char(plain_end));
		text = plain_end + g_utf8_skip[(guint8)*plain_end];
	}
}

/* OLPC: only these two are escaped; line ends and other controls stay as they are. */
static void
write_tuf_text(Output *out, const char *text)
{
	for (;;) {
		const char *plain_end = text;

		while (*plain_end != '"' && *plain_end != '\\' && *plain_end != '\0')
			plain_end++;
		output_append(out, text, (gsize)(plain_end - text));
		if (*plain_end == '\0')
			break;
		output_append_char(out, '\\');
		output_append_char(out, *plain_end);
		text = plain_end + 1;
	}
}

static void
write_string(Writer *writer, const char *text)
{
	output_append_char(&writer->out, '"');
	if (writer->dialect == SATCHEL_DIALECT_TUF)
		write_tuf_text(&writer->out, text);
	else
		write_uptane_text(&writer->out, text);
	output_append_char(&writer->out, '"');
}

/* Bytes of UTF-8 sort as code points do; UTF-16 would not. */
static int
compare_members(const void *a, const void *b)
{
	return strcmp(((const Member *)a)->key, ((const Member *)b)->key);
}

/* Puts the members of @object on the stack, in order; returns the place of the first. */
static guint
push_sorted_members(GArray *members, json_t *object)
{
	guint first = members->len;
	gboolean sorted = TRUE;

	for (void *iter = json_object_iter(object); iter != NULL;
	     iter = json_object_iter_next(object, iter)) {
		Member member = {json_object_iter_key(iter), json_object_iter_value(iter)};

		if (members->len > first) {
			const Member *last = &g_array_index(members, Member, members->len - 1);

			sorted = sorted && compare_members(last, &member) < 0;
		}
		g_array_append_val(members, member);
	}
	if (!sorted)
		qsort(&g_array_index(members, Member, first), members->len - first, sizeof(Member),
		      compare_members);
	return first;
}

static gboolean
write_object(Writer *writer, const json_t *object, GError **error)
{
	/* jansson's iterators do not change the object; they only lack the const. */
	guint first = push_sorted_members(writer->members, (json_t *)(gintptr)object);
	guint end = writer->members->len;

	output_append_char(&writer->out, '{');
	for (guint i = first; i < end; i++) {
		/* By value: the stack may move while the member's own objects are pushed. */
		Member member = g_array_index(writer->members, Member, i);

		if (i > first)
			output_append_char(&writer->out, ',');
		write_string(writer, member.key);
		output_append_char(&writer->out, ':');
		if (!write_value(writer, member.value, error))
			return FALSE;
	}
	output_append_char(&writer->out, '}');
	g_array_set_size(writer->members, first);
	return TRUE;
}

static gboolean
write_array(Writer *writer, const json_t *array, GError **error)
{
	output_append_char(&writer->out, '[');
	for (gsize i = 0; i < json_array_size(array); i++) {
		if (i > 0)
			output_append_char(&writer->out, ',');
		if (!write_value(writer, json_array_get(array, i), error))
			return FALSE;
	}
	output_append_char(&writer->out, ']');
	return TRUE;
}

/* Parsed documents cannot be deeper than this; trees that a program built could be. */
static gboolean
write_container(Writer *writer, const json_t *value, GError **error)
{
	gboolean written;

	if (writer->depth >= SATCHEL_LIMIT_JSON_DEPTH) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
			    "nested deeper than %u levels", SATCHEL_LIMIT_JSON_DEPTH);
		return FALSE;
	}
	writer->depth++;
	written = json_is_object(value) ? write_object(writer, value, error)
					: write_array(writer, value, error);
	writer->depth--;
	return written;
}

static gboolean
write_value(Writer *writer, const json_t *value, GError **error)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
	case JSON_ARRAY:
		return write_container(writer, value, error);
	case JSON_STRING:
		write_string(writer, json_string_value(value));
		return TRUE;
	case JSON_INTEGER:
		output_append_integer(&writer->out, json_integer_value(value));
		return TRUE;
	case JSON_TRUE:
		output_append(&writer->out, "true", 4);
		return TRUE;
	case JSON_FALSE:
		output_append(&writer->out, "false", 5);
		return TRUE;
	case JSON_NULL:
		output_append(&writer->out, "null", 4);
		return TRUE;
	case JSON_REAL:
		break;
	}
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
		    "a number with a fraction has no canonical form");
	return FALSE;
}

GBytes *
satchel_json_canonicalize(const json_t *value, SatchelDialect dialect, GError **error)
{
	g_autoptr(GArray) members = g_array_new(FALSE, FALSE, sizeof(Member));
	Writer writer = {.members = members, .dialect = dialect};

	if (!write_value(&writer, value, error)) {
		g_free(writer.out.data);
		return NULL;
	}
	return g_bytes_new_take(writer.out.data, writer.out.n_bytes);
}

GBytes *
satchel_canonical_json(GBytes *document, SatchelDialect dialect, GError **error)
{
	g_autoptr(SatchelJson) tree = satchel_json_parse(document, error);

	if (tree == NULL)
		return NULL;
	return satchel_json_canonicalize(tree, dialect, error);
}
