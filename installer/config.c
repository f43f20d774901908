#include "config.h"
#include "../verify/path_safety.h"
#include <string.h>

typedef struct {
	char *text;
	char *file;
	guint line;
} ConfigValue;

struct SatchelConfig {
	GHashTable *values; /* "section.key" to ConfigValue (owned) */
};

/* One file while it is read. */
typedef struct {
	const char *file;
	guint line;
	const char *at; /* within the present line */
	char *section;
	GHashTable *sections;
	GHashTable *values;
} ConfigParser;

static void
config_value_free(gpointer data)
{
	ConfigValue *value = data;

	g_free(value->text);
	g_free(value->file);
	g_free(value);
}

static void
config_parser_clear(ConfigParser *parser)
{
	g_clear_pointer(&parser->section, g_free);
	g_clear_pointer(&parser->sections, g_hash_table_unref);
	g_clear_pointer(&parser->values, g_hash_table_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ConfigParser, config_parser_clear)

static gboolean
parser_fail(const ConfigParser *parser, const char *problem, const char *expected, GError **error)
{
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE, "%s:%u: %s; expected %s",
		    parser->file, parser->line, problem, expected);
	return FALSE;
}

static void
parser_skip_blanks(ConfigParser *parser)
{
	while (*parser->at == ' ' || *parser->at == '\t')
		parser->at++;
}

static gboolean
parser_expect_end(ConfigParser *parser, GError **error)
{
	parser_skip_blanks(parser);
	if (*parser->at == '\0' || *parser->at == '#' || *parser->at == ';')
		return TRUE;
	return parser_fail(parser, "there is more text after the value",
			   "the end of the line or a comment", error);
}

static gboolean
is_bare_char(char c)
{
	return g_ascii_isalnum(c) || c == '_' || c == '-' || c == '.';
}

/* A section's or key's name, or NULL where none begins here. (transfer full) */
static char *
parser_take_name(ConfigParser *parser)
{
	const char *begin = parser->at;

	while (is_bare_char(*parser->at))
		parser->at++;
	return parser->at > begin ? g_strndup(begin, (gsize)(parser->at - begin)) : NULL;
}

static gboolean
parser_section(ConfigParser *parser, GError **error)
{
	g_autofree char *name = NULL;

	parser->at++;
	if (*parser->at == '[')
		return parser_fail(parser, "arrays of tables are not supported", "[section]",
				   error);
	parser_skip_blanks(parser);
	name = parser_take_name(parser);
	parser_skip_blanks(parser);
	if (name == NULL || *parser->at != ']')
		return parser_fail(parser, "this is no section", "[section]", error);
	parser->at++;
	if (!parser_expect_end(parser, error))
		return FALSE;
	if (!g_hash_table_add(parser->sections, g_strdup(name))) {
		g_autofree char *problem = g_strdup_printf("section [%s] stands twice", name);

		return parser_fail(parser, problem, "each section once in a file", error);
	}
	g_free(parser->section);
	parser->section = g_steal_pointer(&name);
	return TRUE;
}

/* \uXXXX or \UXXXXXXXX; parser->at stands behind the letter. */
static gboolean
parser_unicode(ConfigParser *parser, guint n_digits, GString *text, GError **error)
{
	gunichar c = 0;

	for (guint i = 0; i < n_digits; i++) {
		int digit = g_ascii_xdigit_value(*parser->at);

		if (digit < 0)
			return parser_fail(parser, "this escape is too short",
					   "\\uXXXX or \\UXXXXXXXX", error);
		c = c << 4 | (gunichar)digit;
		parser->at++;
	}
	if (c == 0 || !g_unichar_validate(c))
		return parser_fail(parser, "this escape is no character", "a Unicode character",
				   error);
	g_string_append_unichar(text, c);
	return TRUE;
}

static gboolean
parser_escape(ConfigParser *parser, GString *text, GError **error)
{
	static const char letters[] = "\"\\bfnrt";
	static const char meanings[] = "\"\\\b\f\n\r\t";
	char letter = *parser->at;
	const char *found = letter == '\0' ? NULL : strchr(letters, letter);

	if (letter != '\0')
		parser->at++;
	if (letter == 'u')
		return parser_unicode(parser, 4, text, error);
	if (letter == 'U')
		return parser_unicode(parser, 8, text, error);
	if (found == NULL)
		return parser_fail(parser, "unknown escape",
				   "one of \\\" \\\\ \\b \\f \\n \\r \\t \\uXXXX", error);
	g_string_append_c(text, meanings[found - letters]);
	return TRUE;
}

/* (transfer full) */
static char *
parser_quoted(ConfigParser *parser, GError **error)
{
	g_autoptr(GString) text = g_string_new(NULL);
	char quote = *parser->at++;

	if (parser->at[0] == quote && parser->at[1] == quote) {
		parser_fail(parser, "strings over several lines are not supported",
			    "a string on one line", error);
		return NULL;
	}
	while (*parser->at != quote) {
		if (*parser->at == '\0') {
			parser_fail(parser, "the string does not end", "a closing quote", error);
			return NULL;
		}
		if (quote == '"' && *parser->at == '\\') {
			parser->at++;
			if (!parser_escape(parser, text, error))
				return NULL;
			continue;
		}
		g_string_append_c(text, *parser->at++);
	}
	parser->at++;
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static gboolean
is_whole_number(const char *text)
{
	const char *digits = *text == '-' || *text == '+' ? text + 1 : text;

	return *digits != '\0' && strlen(digits) <= 18 &&
	       strspn(digits, "0123456789") == strlen(digits);
}

/* (transfer full) */
static char *
parser_value(ConfigParser *parser, GError **error)
{
	static const char expected[] = "a quoted string, a whole number, true or false";
	const char *begin = parser->at;
	g_autofree char *word = NULL;

	if (*begin == '"' || *begin == '\'')
		return parser_quoted(parser, error);
	if (*begin == '[' || *begin == '{') {
		parser_fail(parser, "arrays and inline tables are not supported", expected, error);
		return NULL;
	}
	parser->at += strcspn(begin, " \t#;");
	word = g_strndup(begin, (gsize)(parser->at - begin));
	if (g_str_equal(word, "true") || g_str_equal(word, "false") || is_whole_number(word))
		return g_steal_pointer(&word);
	if (*word == '\0')
		parser_fail(parser, "the value is missing", expected, error);
	else
		parser_fail(parser, "the value is not quoted", expected, error);
	return NULL;
}

static gboolean
parser_key(ConfigParser *parser, GError **error)
{
	g_autofree char *name = parser_take_name(parser);
	g_autofree char *key = NULL;
	g_autofree char *text = NULL;
	ConfigValue *value = NULL;

	parser_skip_blanks(parser);
	if (name == NULL || *parser->at != '=')
		return parser_fail(parser, "this line is neither section, key nor comment",
				   "key = \"value\"", error);
	parser->at++;
	parser_skip_blanks(parser);
	text = parser_value(parser, error);
	if (text == NULL || !parser_expect_end(parser, error))
		return FALSE;
	key = g_strdup_printf("%s.%s", parser->section, name);
	value = g_hash_table_lookup(parser->values, key);
	if (value != NULL) {
		g_autofree char *problem =
			g_strdup_printf("%s stands twice, first in line %u", key, value->line);

		return parser_fail(parser, problem, "each key once in a file", error);
	}
	value = g_new0(ConfigValue, 1);
	value->text = g_steal_pointer(&text);
	value->file = g_strdup(parser->file);
	value->line = parser->line;
	g_hash_table_insert(parser->values, g_steal_pointer(&key), value);
	return TRUE;
}

static gboolean
parser_line(ConfigParser *parser, GError **error)
{
	parser_skip_blanks(parser);
	switch (*parser->at) {
	case '\0':
	case '#':
	case ';':
		return TRUE;
	case '[':
		return parser_section(parser, error);
	default:
		return parser_key(parser, error);
	}
}

/* The text as lines. NULL where it is no text at all. (transfer full) */
static GStrv
parser_split(const ConfigParser *parser, GBytes *text, GError **error)
{
	gsize n_bytes = 0;
	const char *data = g_bytes_get_data(text, &n_bytes);
	g_autofree char *copy = NULL;

	if (n_bytes > SATCHEL_LIMIT_CONFIG_BYTES) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE,
			    "%s: longer than %u bytes; expected a configuration file", parser->file,
			    SATCHEL_LIMIT_CONFIG_BYTES);
		return NULL;
	}
	if (n_bytes > 0 && !g_utf8_validate_len(data, n_bytes, NULL)) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE,
			    "%s: not a text file; expected UTF-8 without NUL bytes", parser->file);
		return NULL;
	}
	copy = g_strndup(n_bytes > 0 ? data : "", n_bytes);
	return g_strsplit(copy, "\n", -1);
}

SatchelConfig *
satchel_config_new(void)
{
	SatchelConfig *self = g_new0(SatchelConfig, 1);

	self->values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, config_value_free);
	return self;
}

gboolean
satchel_config_merge(SatchelConfig *self, const char *file, GBytes *text, GError **error)
{
	g_autofree char *quoted = satchel_path_quote(file);
	g_auto(ConfigParser) parser = {.file = quoted};
	g_auto(GStrv) lines = NULL;
	GHashTableIter iter;
	gpointer key = NULL;
	gpointer value = NULL;

	parser.section = g_strdup("");
	parser.sections = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	parser.values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, config_value_free);
	lines = parser_split(&parser, text, error);
	if (lines == NULL)
		return FALSE;
	for (guint i = 0; lines[i] != NULL; i++) {
		gsize length = strlen(lines[i]);

		if (length > 0 && lines[i][length - 1] == '\r')
			lines[i][length - 1] = '\0';
		parser.line = i + 1;
		parser.at = lines[i];
		if (!parser_line(&parser, error))
			return FALSE;
	}
	g_hash_table_iter_init(&iter, parser.values);
	while (g_hash_table_iter_next(&iter, &key, &value)) {
		g_hash_table_iter_steal(&iter);
		g_hash_table_replace(self->values, key, value);
	}
	return TRUE;
}

const char *
satchel_config_get_text(const SatchelConfig *self, const char *key, const char *fallback)
{
	const ConfigValue *value = g_hash_table_lookup(self->values, key);

	return value == NULL ? fallback : value->text;
}

gboolean
satchel_config_get_bool(const SatchelConfig *self, const char *key, gboolean fallback,
			gboolean *value, GError **error)
{
	const char *text = satchel_config_get_text(self, key, fallback ? "true" : "false");

	if (g_str_equal(text, "true") || g_str_equal(text, "1")) {
		*value = TRUE;
		return TRUE;
	}
	if (g_str_equal(text, "false") || g_str_equal(text, "0")) {
		*value = FALSE;
		return TRUE;
	}
	satchel_config_set_value_error(self, key, "true or false", error);
	return FALSE;
}

gboolean
satchel_config_get_number(const SatchelConfig *self, const char *key, guint64 min, guint64 max,
			  guint64 fallback, guint64 *value, GError **error)
{
	const char *text = satchel_config_get_text(self, key, NULL);
	g_autofree char *expected = NULL;

	*value = fallback;
	if (text == NULL || g_ascii_string_to_unsigned(text, 10, min, max, value, NULL))
		return TRUE;
	expected = g_strdup_printf(
		"a whole number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT, min, max);
	satchel_config_set_value_error(self, key, expected, error);
	return FALSE;
}

GStrv
satchel_config_get_list(const SatchelConfig *self, const char *key)
{
	const char *text = satchel_config_get_text(self, key, NULL);
	g_auto(GStrv) words = NULL;
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(g_free);

	if (text == NULL)
		return NULL;
	words = g_strsplit_set(text, ", ", -1);
	for (guint i = 0; words[i] != NULL; i++) {
		if (*words[i] != '\0')
			g_ptr_array_add(list, g_strdup(words[i]));
	}
	g_ptr_array_add(list, NULL);
	return (GStrv)g_ptr_array_free(g_steal_pointer(&list), FALSE);
}

void
satchel_config_set_value_error(const SatchelConfig *self, const char *key, const char *expected,
			       GError **error)
{
	const ConfigValue *value = g_hash_table_lookup(self->values, key);
	g_autofree char *quoted = NULL;

	if (value == NULL) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE,
			    "the configuration does not set %s; expected %s", key, expected);
		return;
	}
	quoted = satchel_path_quote(value->text);
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE, "%s:%u: %s is \"%s\"; expected %s",
		    value->file, value->line, key, quoted, expected);
}

void
satchel_config_free(SatchelConfig *self)
{
	g_hash_table_unref(self->values);
	g_free(self);
}
