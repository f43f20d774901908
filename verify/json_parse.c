#include "json.h"
#include "path_safety.h"

/*
 * One pass over the bytes that builds jansson's values, within all bounds. jansson's own loader
 * knows none of the bounds, takes 1.0 and -0, and needs three times as long, most of it for reading
 * one byte after the other through a callback.
 */

/* What jansson 2.14 with glibc's malloc takes in memory, in bytes. */
#define OBJECT_BYTES 224u
#define ARRAY_BYTES 128u
#define STRING_BYTES 80u  /* and its text */
#define INTEGER_BYTES 32u /* the other literals are there once */
#define MEMBER_BYTES 80u  /* and its name */
/* Objects and arrays have room for this many; beyond it tables double, and the old one stays until
 * it has been copied. */
#define N_INCLUDED 8u
#define FURTHER_MEMBER_BYTES 64u
#define FURTHER_ELEMENT_BYTES 24u
/* What a character beyond ASCII takes in the canonical form of the uptane dialect. */
#define WIDE_BYTES 6u
#define WIDEST_BYTES 12u

typedef struct {
	const char *text;
	const char *end;
	const char *at;
	guint depth;
	gsize weight_bytes;
	GString *decoded; /* the string with escapes that is being read */
	GError **error;
} Reader;

/* The text of a string: in the document itself, or in Reader.decoded where it has escapes. */
typedef struct {
	const char *data;
	gsize n_bytes;
} Text;

static json_t *read_value(Reader *reader);

/* Always FALSE. @where stands in the text; columns count characters, not bytes. */
static gboolean G_GNUC_PRINTF(3, 4) fail(Reader *reader, const char *where, const char *format, ...)
{
	g_autofree char *reason = NULL;
	guint line = 1;
	guint column = 1;
	va_list args;

	va_start(args, format);
	reason = g_strdup_vprintf(format, args);
	va_end(args);
	for (const char *c = reader->text; c < where; c++) {
		if (*c == '\n') {
			line++;
			column = 1;
		} else if (((guint8)*c & 0xc0) != 0x80) {
			column++;
		}
	}
	g_set_error(reader->error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
		    "line %u, column %u: %s", line, column, reason);
	return FALSE;
}

/* Something else stands where @expected should. */
static gboolean
fail_expected(Reader *reader, const char *expected)
{
	if (reader->at == reader->end)
		return fail(reader, reader->at, "the document ends where %s is expected", expected);
	if (*reader->at == '\0')
		return fail(reader, reader->at, "NUL byte");
	return fail(reader, reader->at, "%s expected", expected);
}

/* Before it is allocated. A few bytes of text become hundreds in memory, and nothing has been
 * verified yet: so memory is what is bounded. */
static gboolean
add_weight(Reader *reader, gsize n_bytes)
{
	if (n_bytes <= SATCHEL_LIMIT_JSON_MEMORY_BYTES - reader->weight_bytes) {
		reader->weight_bytes += n_bytes;
		return TRUE;
	}
	return fail(reader, reader->at, "the document takes more than %u bytes of memory",
		    SATCHEL_LIMIT_JSON_MEMORY_BYTES);
}

static void
skip_space(Reader *reader)
{
	while (reader->at < reader->end && (*reader->at == ' ' || *reader->at == '\n' ||
					    *reader->at == '\t' || *reader->at == '\r'))
		reader->at++;
}

/* TRUE and stepped over where @c is next. */
static gboolean
take(Reader *reader, char c)
{
	if (reader->at == reader->end || *reader->at != c)
		return FALSE;
	reader->at++;
	return TRUE;
}

/* jansson says no more than NULL where memory is short. */
static json_t *
made(Reader *reader, json_t *value)
{
	if (value == NULL)
		fail(reader, reader->at, "no memory left");
	return value;
}

static json_t *
read_literal(Reader *reader, const char *word, json_t *value)
{
	gsize n_bytes = strlen(word);

	if ((gsize)(reader->end - reader->at) < n_bytes || memcmp(reader->at, word, n_bytes) != 0) {
		fail_expected(reader, "a value");
		return NULL;
	}
	reader->at += n_bytes;
	return value;
}

/* Only whole numbers, each in one form: other forms canonicalise differently from one
 * implementation to the next, or lose digits. */
static json_t *
read_integer(Reader *reader)
{
	const char *start = reader->at;
	gboolean negative = take(reader, '-');
	const char *digits = reader->at;
	gint64 value = 0;

	for (; reader->at < reader->end && g_ascii_isdigit(*reader->at); reader->at++) {
		int digit = *reader->at - '0';

		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, negative ? -digit : digit, &value)) {
			fail(reader, start, "integer of more than 64 bits");
			return NULL;
		}
	}
	if (reader->at == digits) {
		fail(reader, start, "number without digits");
		return NULL;
	}
	if (reader->at < reader->end && strchr(".eE", *reader->at) != NULL && *reader->at != '\0') {
		fail(reader, start, "number that is not a plain integer");
		return NULL;
	}
	if (*digits == '0' && (negative || reader->at - digits > 1)) {
		fail(reader, start, negative ? "negative zero" : "number with a leading zero");
		return NULL;
	}
	if (!add_weight(reader, INTEGER_BYTES))
		return NULL;
	return made(reader, json_integer(value));
}

/* Steps over characters that stand for themselves, up to a quote or a backslash. */
static gboolean
skip_plain(Reader *reader)
{
	for (;;) {
		gunichar c;

		while (reader->at < reader->end && (guint8)*reader->at >= 0x20 &&
		       (guint8)*reader->at < 0x80 && *reader->at != '"' && *reader->at != '\\')
			reader->at++;
		if (reader->at == reader->end)
			return fail(reader, reader->at, "the document ends within a string");
		if (*reader->at == '"' || *reader->at == '\\')
			return TRUE;
		if (*reader->at == '\0')
			return fail(reader, reader->at, "NUL byte in a string");
		if ((guint8)*reader->at < 0x20)
			return fail(reader, reader->at, "control character in a string");
		c = g_utf8_get_char_validated(reader->at, reader->end - reader->at);
		if (c == (gunichar)-1 || c == (gunichar)-2)
			return fail(reader, reader->at, "invalid UTF-8");
		if (!add_weight(reader, c < 0x10000 ? WIDE_BYTES : WIDEST_BYTES))
			return FALSE;
		reader->at = reader->at + g_utf8_skip[(guint8)*reader->at];
	}
}

/* Steps over \uXXXX; the code unit, or -1 where it is none. */
static int
take_code_unit(Reader *reader)
{
	int unit = 0;

	if (reader->end - reader->at < 6 || reader->at[0] != '\\' || reader->at[1] != 'u')
		return -1;
	for (guint i = 2; i < 6; i++) {
		if (!g_ascii_isxdigit(reader->at[i]))
			return -1;
		unit = unit * 16 + g_ascii_xdigit_value(reader->at[i]);
	}
	reader->at += 6;
	return unit;
}

static gboolean
read_unicode_escape(Reader *reader)
{
	const char *start = reader->at;
	int unit = take_code_unit(reader);
	int low;

	if (unit < 0)
		return fail(reader, start, "bad escape");
	if (unit == 0) /* in C the string would end here for one reader and go on for another */
		return fail(reader, start, "\\u0000 in a string");
	if (unit >= 0xdc00 && unit <= 0xdfff)
		return fail(reader, start, "lone surrogate");
	if (unit < 0xd800 || unit > 0xdbff) {
		g_string_append_unichar(reader->decoded, (gunichar)unit);
		return TRUE;
	}
	low = take_code_unit(reader);
	if (low < 0xdc00 || low > 0xdfff)
		return fail(reader, start, "lone surrogate");
	g_string_append_unichar(reader->decoded, 0x10000u + ((gunichar)(unit - 0xd800) << 10) +
							 (gunichar)(low - 0xdc00));
	return TRUE;
}

static gboolean
read_escape(Reader *reader)
{
	static const char letters[] = "\"\\/bfnrt";
	static const char meanings[] = "\"\\/\b\f\n\r\t";
	const char *letter;

	if (reader->end - reader->at < 2)
		return fail(reader, reader->at, "the document ends within a string");
	if (reader->at[1] == 'u')
		return read_unicode_escape(reader);
	letter = memchr(letters, reader->at[1], sizeof letters - 1);
	if (letter == NULL)
		return fail(reader, reader->at, "bad escape");
	g_string_append_c(reader->decoded, meanings[letter - letters]);
	reader->at += 2;
	return TRUE;
}

static gboolean
check_length(Reader *reader, const char *start, gsize n_bytes)
{
	if (n_bytes <= SATCHEL_LIMIT_JSON_STRING_BYTES)
		return TRUE;
	return fail(reader, start, "string longer than %u bytes", SATCHEL_LIMIT_JSON_STRING_BYTES);
}

/* The rest of a string, from its first backslash on; @start is its opening quote. */
static gboolean
read_escaped_text(Reader *reader, const char *start)
{
	g_string_truncate(reader->decoded, 0);
	g_string_append_len(reader->decoded, start + 1, reader->at - start - 1);
	while (*reader->at != '"') {
		const char *plain;

		if (!read_escape(reader))
			return FALSE;
		plain = reader->at;
		if (!skip_plain(reader))
			return FALSE;
		g_string_append_len(reader->decoded, plain, reader->at - plain);
		if (!check_length(reader, start, reader->decoded->len))
			return FALSE;
	}
	return TRUE;
}

static gboolean
read_text(Reader *reader, Text *text)
{
	const char *start = reader->at;

	reader->at++;
	if (!skip_plain(reader) || !check_length(reader, start, (gsize)(reader->at - start - 1)))
		return FALSE;
	if (*reader->at == '"') {
		*text = (Text){start + 1, (gsize)(reader->at - start - 1)};
	} else {
		if (!read_escaped_text(reader, start))
			return FALSE;
		*text = (Text){reader->decoded->str, reader->decoded->len};
	}
	reader->at++;
	return TRUE;
}

static json_t *
read_string(Reader *reader)
{
	Text text;

	if (!read_text(reader, &text) || !add_weight(reader, STRING_BYTES + text.n_bytes))
		return NULL;
	return made(reader, json_stringn_nocheck(text.data, text.n_bytes));
}

/* @copy: (transfer full): where the name had escapes; @text is then its content */
static gboolean
read_member_name(Reader *reader, Text *text, char **copy)
{
	skip_space(reader);
	if (reader->at == reader->end || *reader->at != '"')
		return fail_expected(reader, "a member's name");
	if (!read_text(reader, text))
		return FALSE;
	/* The value may have escapes too, and they are decoded in the same place. */
	if (text->data == reader->decoded->str)
		text->data = *copy = g_strndup(text->data, text->n_bytes);
	skip_space(reader);
	return take(reader, ':') || fail_expected(reader, "':'");
}

static gboolean
read_member(Reader *reader, json_t *object)
{
	gsize n_before = json_object_size(object);
	g_autofree char *copy = NULL;
	const char *start;
	Text name;
	json_t *value;

	skip_space(reader);
	start = reader->at;
	if (!read_member_name(reader, &name, &copy) ||
	    !add_weight(reader, MEMBER_BYTES + name.n_bytes +
					(n_before < N_INCLUDED ? 0 : FURTHER_MEMBER_BYTES)))
		return FALSE;
	skip_space(reader);
	value = read_value(reader);
	if (value == NULL)
		return FALSE;
	if (json_object_setn_new_nocheck(object, name.data, name.n_bytes, value) != 0)
		return fail(reader, start, "no memory left");
	if (json_object_size(object) == n_before) {
		g_autofree char *whole = g_strndup(name.data, name.n_bytes);
		g_autofree char *quoted = satchel_path_quote(whole);

		return fail(reader, start, "member '%s' stands twice", quoted);
	}
	return TRUE;
}

static gboolean
read_element(Reader *reader, json_t *array)
{
	json_t *value;

	skip_space(reader);
	if (json_array_size(array) >= N_INCLUDED && !add_weight(reader, FURTHER_ELEMENT_BYTES))
		return FALSE;
	value = read_value(reader);
	if (value == NULL)
		return FALSE;
	return json_array_append_new(array, value) == 0 ||
	       fail(reader, reader->at, "no memory left");
}

static gboolean
read_members(Reader *reader, json_t *object)
{
	do {
		if (!read_member(reader, object))
			return FALSE;
		skip_space(reader);
	} while (take(reader, ','));
	return take(reader, '}') || fail_expected(reader, "',' or '}'");
}

static gboolean
read_elements(Reader *reader, json_t *array)
{
	do {
		if (!read_element(reader, array))
			return FALSE;
		skip_space(reader);
	} while (take(reader, ','));
	return take(reader, ']') || fail_expected(reader, "',' or ']'");
}

static json_t *
read_container(Reader *reader, gboolean is_object)
{
	g_autoptr(SatchelJson) value = NULL;
	gboolean whole;

	if (reader->depth >= SATCHEL_LIMIT_JSON_DEPTH) {
		fail(reader, reader->at, "nested deeper than %u levels", SATCHEL_LIMIT_JSON_DEPTH);
		return NULL;
	}
	if (!add_weight(reader, is_object ? OBJECT_BYTES : ARRAY_BYTES))
		return NULL;
	reader->depth++;
	reader->at++;
	value = made(reader, is_object ? json_object() : json_array());
	if (value == NULL)
		return NULL;
	skip_space(reader);
	if (is_object)
		whole = take(reader, '}') || read_members(reader, value);
	else
		whole = take(reader, ']') || read_elements(reader, value);
	reader->depth--;
	return whole ? g_steal_pointer(&value) : NULL;
}

static json_t *
read_value(Reader *reader)
{
	char c = reader->at < reader->end ? *reader->at : '\0';

	switch (c) {
	case '{':
		return read_container(reader, TRUE);
	case '[':
		return read_container(reader, FALSE);
	case '"':
		return read_string(reader);
	case 't':
		return read_literal(reader, "true", json_true());
	case 'f':
		return read_literal(reader, "false", json_false());
	case 'n':
		return read_literal(reader, "null", json_null());
	default:
		if (c == '-' || g_ascii_isdigit(c))
			return read_integer(reader);
		fail_expected(reader, "a value");
		return NULL;
	}
}

static json_t *
read_document(Reader *reader)
{
	g_autoptr(SatchelJson) tree = NULL;

	if (reader->end - reader->at >= 3 && memcmp(reader->at, "\xef\xbb\xbf", 3) == 0) {
		fail(reader, reader->at, "document begins with a byte order mark");
		return NULL;
	}
	skip_space(reader);
	if (reader->at == reader->end) {
		fail(reader, reader->at, "empty document");
		return NULL;
	}
	if (*reader->at != '{') {
		fail(reader, reader->at, "the document is not an object");
		return NULL;
	}
	tree = read_value(reader);
	if (tree == NULL)
		return NULL;
	skip_space(reader);
	if (reader->at < reader->end) {
		fail_expected(reader, "the end of the document");
		return NULL;
	}
	return g_steal_pointer(&tree);
}

SatchelJson *
satchel_json_parse(GBytes *document, GError **error)
{
	g_autoptr(GString) decoded = g_string_new(NULL);
	gsize n_bytes = 0;
	const char *data = g_bytes_get_data(document, &n_bytes);
	const char *text = data != NULL ? data : ""; /* GBytes of no bytes may have none */
	Reader reader = {.text = text,
			 .at = text,
			 .end = text + n_bytes,
			 .decoded = decoded,
			 .error = error};

	return read_document(&reader);
}
