#include "json.h"
#include <stdlib.h>

typedef struct {
	const char *key;
	const json_t *value;
} Member;

typedef struct {
	GString *out;
	/* One stack of members for all objects that are open, so that nothing is allocated for
	 * each object. */
	GArray *members;
	SatchelDialect dialect;
	guint depth;
} Writer;

static gboolean write_value(Writer *writer, const json_t *value, GError **error);

/* jsoncpp 1.9.5 writes 0x7f raw, and all beyond ASCII as UTF-16 code units. */
static void
append_uptane_char(GString *out, gunichar c)
{
	static const char short_escapes[] = {
		['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};

	if (c == '"' || c == '\\') {
		g_string_append_c(out, '\\');
		g_string_append_c(out, (char)c);
	} else if (c < sizeof short_escapes && short_escapes[c] != '\0') {
		g_string_append_c(out, '\\');
		g_string_append_c(out, short_escapes[c]);
	} else if (c >= 0x10000) {
		g_string_append_printf(out, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10),
				       0xdc00 + ((c - 0x10000) & 0x3ff));
	} else {
		g_string_append_printf(out, "\\u%04x", c);
	}
}

static gboolean
is_uptane_plain(char c)
{
	return (guint8)c >= 0x20 && (guint8)c < 0x80 && c != '"' && c != '\\';
}

static void
write_uptane_string(GString *out, const char *text)
{
	while (*text != '\0') {
		const char *plain_end = text;

		while (is_uptane_plain(*plain_end))
			plain_end++;
		g_string_append_len(out, text, plain_end - text);
		if (*plain_end == '\0')
			break;
		append_uptane_char(out, g_utf8_get_char(plain_end));
		text = plain_end + g_utf8_skip[(guint8)*plain_end];
	}
}

/* OLPC: only these two are escaped; line ends and other controls stay as they are. */
static void
write_tuf_string(GString *out, const char *text)
{
	for (;;) {
		gsize n_plain = strcspn(text, "\"\\");

		g_string_append_len(out, text, (gssize)n_plain);
		if (text[n_plain] == '\0')
			break;
		g_string_append_c(out, '\\');
		g_string_append_c(out, text[n_plain]);
		text += n_plain + 1;
	}
}

static void
write_string(Writer *writer, const char *text)
{
	g_string_append_c(writer->out, '"');
	if (writer->dialect == SATCHEL_DIALECT_TUF)
		write_tuf_string(writer->out, text);
	else
		write_uptane_string(writer->out, text);
	g_string_append_c(writer->out, '"');
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

	g_string_append_c(writer->out, '{');
	for (guint i = first; i < end; i++) {
		/* By value: the stack may move while the member's own objects are pushed. */
		Member member = g_array_index(writer->members, Member, i);

		if (i > first)
			g_string_append_c(writer->out, ',');
		write_string(writer, member.key);
		g_string_append_c(writer->out, ':');
		if (!write_value(writer, member.value, error))
			return FALSE;
	}
	g_string_append_c(writer->out, '}');
	g_array_set_size(writer->members, first);
	return TRUE;
}

static gboolean
write_array(Writer *writer, const json_t *array, GError **error)
{
	g_string_append_c(writer->out, '[');
	for (gsize i = 0; i < json_array_size(array); i++) {
		if (i > 0)
			g_string_append_c(writer->out, ',');
		if (!write_value(writer, json_array_get(array, i), error))
			return FALSE;
	}
	g_string_append_c(writer->out, ']');
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
		g_string_append_printf(writer->out, "%" JSON_INTEGER_FORMAT,
				       json_integer_value(value));
		return TRUE;
	case JSON_TRUE:
		g_string_append(writer->out, "true");
		return TRUE;
	case JSON_FALSE:
		g_string_append(writer->out, "false");
		return TRUE;
	case JSON_NULL:
		g_string_append(writer->out, "null");
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
	g_autoptr(GString) out = g_string_new(NULL);
	g_autoptr(GArray) members = g_array_new(FALSE, FALSE, sizeof(Member));
	Writer writer = {.out = out, .members = members, .dialect = dialect};

	if (!write_value(&writer, value, error))
		return NULL;
	return g_string_free_to_bytes(g_steal_pointer(&out));
}

GBytes *
satchel_canonical_json(GBytes *document, SatchelDialect dialect, GError **error)
{
	g_autoptr(SatchelJson) tree = satchel_json_parse(document, error);

	if (tree == NULL)
		return NULL;
	return satchel_json_canonicalize(tree, dialect, error);
}
