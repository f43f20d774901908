#include "yaml_tree.h"
#include "path_safety.h"
#include <libfyaml.h>
#include <satchel/limits.h>
#include <string.h>

/* Mappings that one look-up may go through: merges can be nested. */
#define MAX_MERGES 1000u

struct SatchelYamlTree {
	GPtrArray *nodes; /* of SatchelYamlNode */
	GStringChunk *texts;
	const SatchelYamlNode *root;
};

typedef struct {
	SatchelYamlNode *node;
	char *anchor; /* (nullable) */
} Open;

typedef struct {
	SatchelYamlTree *tree;
	struct fy_diag *diag;
	struct fy_parser *parser;
	GHashTable *anchors; /* name to node */
	GArray *stack;	     /* of Open */
	guint n_documents;
	guint n_children; /* aliases too */
} Builder;

static void
node_free(gpointer data)
{
	SatchelYamlNode *node = data;

	g_clear_pointer(&node->children, g_ptr_array_unref);
	g_free(node);
}

static void
open_clear(gpointer data)
{
	g_free(((Open *)data)->anchor);
}

static void
builder_clear(Builder *self)
{
	g_clear_pointer(&self->parser, fy_parser_destroy);
	/* Its unref leaves the errors that it collected. */
	g_clear_pointer(&self->diag, fy_diag_destroy);
	g_clear_pointer(&self->anchors, g_hash_table_unref);
	g_clear_pointer(&self->stack, g_array_unref);
	g_clear_pointer(&self->tree, satchel_yaml_tree_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Builder, builder_clear)

static gboolean
refuse(GError **error, struct fy_event *event, const char *reason)
{
	const struct fy_mark *mark = event != NULL ? fy_event_start_mark(event) : NULL;

	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_CONTENT_INVALID, "line %d: %s",
		    mark != NULL ? mark->line + 1 : 1, reason);
	return FALSE;
}

/* (transfer full) (nullable) */
static char *
dup_token(struct fy_token *token)
{
	gsize n_bytes = 0;
	const char *text = token != NULL ? fy_token_get_text(token, &n_bytes) : NULL;

	return text != NULL ? g_strndup(text, n_bytes) : NULL;
}

static SatchelYamlNode *
builder_new_node(Builder *self, SatchelYamlKind kind, struct fy_event *event)
{
	SatchelYamlNode *node = g_new0(SatchelYamlNode, 1);
	const struct fy_mark *start = fy_event_start_mark(event);
	const struct fy_mark *end = fy_event_end_mark(event);

	node->kind = kind;
	node->start_bytes = start != NULL ? start->input_pos : 0;
	node->end_bytes = end != NULL ? end->input_pos : node->start_bytes;
	if (kind != SATCHEL_YAML_SCALAR)
		node->children = g_ptr_array_new();
	g_ptr_array_add(self->tree->nodes, node);
	return node;
}

/* What plain scalars mean null in YAML's core schema. */
static gboolean
is_null(struct fy_token *token, const char *text, gsize n_bytes)
{
	static const char *const words[] = {"", "~", "null", "Null", "NULL", NULL};
	g_autofree char *copy = g_strndup(text, n_bytes);

	return fy_token_scalar_style(token) == FYSS_PLAIN && g_strv_contains(words, copy);
}

static gboolean
builder_set_text(Builder *self, SatchelYamlNode *node, struct fy_event *event, GError **error)
{
	gsize n_bytes = 0;
	struct fy_token *token = event->scalar.value;
	const char *text = token != NULL ? fy_token_get_text(token, &n_bytes) : NULL;

	if (text == NULL || is_null(token, text, n_bytes))
		return TRUE;
	if (memchr(text, '\0', n_bytes) != NULL)
		return refuse(error, event, "a text has a NUL in it");
	node->text = g_string_chunk_insert_len(self->tree->texts, text, (gssize)n_bytes);
	return TRUE;
}

/* A key twice: which of the two a reader takes is its own affair. */
static gboolean
check_keys(const SatchelYamlNode *node, struct fy_event *event, GError **error)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; i + 1 < node->children->len; i += 2) {
		const SatchelYamlNode *key = node->children->pdata[i];
		const char *text = key->text != NULL ? key->text : "";

		if (key->kind != SATCHEL_YAML_SCALAR)
			return refuse(error, event, "a key is no text");
		/* `<<` may stand there more than once in the wild; each is merged. */
		if (!g_hash_table_add(seen, (gpointer)(guintptr)text) && strcmp(text, "<<") != 0) {
			g_autofree char *quoted = satchel_path_quote(text);
			g_autofree char *reason =
				g_strdup_printf("'%s' stands there twice", quoted);

			return refuse(error, event, reason);
		}
	}
	return TRUE;
}

/* Into the collection that is open, or as the root. */
static gboolean
builder_place(Builder *self, SatchelYamlNode *node, struct fy_event *event, GError **error)
{
	Open *open = self->stack->len > 0 ? &g_array_index(self->stack, Open, self->stack->len - 1)
					  : NULL;

	if (++self->n_children > SATCHEL_LIMIT_YAML_NODES)
		return refuse(error, event, "the document has too many values");
	if (open != NULL)
		g_ptr_array_add(open->node->children, node);
	else
		self->tree->root = node;
	return TRUE;
}

static void
builder_define(Builder *self, char *anchor, SatchelYamlNode *node)
{
	if (anchor != NULL)
		g_hash_table_replace(self->anchors, anchor, node);
}

static gboolean
builder_begin(Builder *self, struct fy_event *event, GError **error)
{
	gboolean is_mapping = event->type == FYET_MAPPING_START;
	Open open = {0};
	struct fy_token *anchor =
		is_mapping ? event->mapping_start.anchor : event->sequence_start.anchor;

	if (self->stack->len >= SATCHEL_LIMIT_YAML_DEPTH)
		return refuse(error, event, "the document is nested too deep");
	open.node = builder_new_node(
		self, is_mapping ? SATCHEL_YAML_MAPPING : SATCHEL_YAML_SEQUENCE, event);
	open.node->is_flow = fy_event_get_node_style(event) == FYNS_FLOW;
	if (!builder_place(self, open.node, event, error))
		return FALSE;
	open.anchor = dup_token(anchor);
	g_array_append_val(self->stack, open);
	return TRUE;
}

static gboolean
builder_end(Builder *self, struct fy_event *event, GError **error)
{
	Open *open = &g_array_index(self->stack, Open, self->stack->len - 1);
	const struct fy_mark *end = fy_event_end_mark(event);

	if (open->node->kind == SATCHEL_YAML_MAPPING && !check_keys(open->node, event, error))
		return FALSE;
	if (end != NULL && end->input_pos > open->node->end_bytes)
		open->node->end_bytes = end->input_pos;
	/* Only now: inside itself it has no name. */
	builder_define(self, g_steal_pointer(&open->anchor), open->node);
	g_array_set_size(self->stack, self->stack->len - 1);
	return TRUE;
}

static gboolean
builder_alias(Builder *self, struct fy_event *event, GError **error)
{
	g_autofree char *name = dup_token(event->alias.anchor);
	SatchelYamlNode *node = name != NULL ? g_hash_table_lookup(self->anchors, name) : NULL;

	if (node == NULL)
		return refuse(error, event, "an alias names no anchor before it");
	return builder_place(self, node, event, error);
}

static gboolean
builder_scalar(Builder *self, struct fy_event *event, GError **error)
{
	SatchelYamlNode *node = builder_new_node(self, SATCHEL_YAML_SCALAR, event);

	if (!builder_set_text(self, node, event, error))
		return FALSE;
	builder_define(self, dup_token(event->scalar.anchor), node);
	return builder_place(self, node, event, error);
}

static gboolean
builder_take(Builder *self, struct fy_event *event, GError **error)
{
	switch (event->type) {
	case FYET_DOCUMENT_START:
		return ++self->n_documents == 1 ||
		       refuse(error, event, "there is more than one document");
	case FYET_MAPPING_START:
	case FYET_SEQUENCE_START:
		return builder_begin(self, event, error);
	case FYET_MAPPING_END:
	case FYET_SEQUENCE_END:
		return builder_end(self, event, error);
	case FYET_SCALAR:
		return builder_scalar(self, event, error);
	case FYET_ALIAS:
		return builder_alias(self, event, error);
	default:
		return TRUE;
	}
}

/* What libfyaml found wrong, the first of it. */
static gboolean
builder_fail(const Builder *self, GError **error)
{
	void *iterator = NULL;
	const struct fy_diag_error *found = fy_diag_errors_iterate(self->diag, &iterator);
	g_autofree char *quoted =
		satchel_path_quote(found != NULL && found->msg != NULL ? found->msg : "no YAML");

	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_CONTENT_INVALID, "line %d: %s",
		    found != NULL ? found->line : 1, quoted);
	return FALSE;
}

static gboolean
builder_run(Builder *self, GError **error)
{
	for (;;) {
		struct fy_event *event = fy_parser_parse(self->parser);
		gboolean good;

		if (event == NULL)
			return fy_parser_get_stream_error(self->parser) ? builder_fail(self, error)
									: TRUE;
		good = builder_take(self, event, error);
		fy_parser_event_free(self->parser, event);
		if (!good)
			return FALSE;
	}
}

static void
builder_init(Builder *self, GBytes *text)
{
	struct fy_diag_cfg diag_settings;
	struct fy_parse_cfg settings = {.flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG};
	gsize n_bytes = 0;
	const char *data = g_bytes_get_data(text, &n_bytes);

	fy_diag_cfg_default(&diag_settings);
	diag_settings.fp = NULL;
	self->diag = fy_diag_create(&diag_settings);
	fy_diag_set_collect_errors(self->diag, true);
	settings.diag = self->diag;
	self->parser = fy_parser_create(&settings);
	/* Running out of memory aborts, as it does in GLib. */
	if (self->parser == NULL ||
	    fy_parser_set_string(self->parser, n_bytes > 0 ? data : "", n_bytes) != 0)
		g_error("no memory for a YAML parser");
	self->anchors = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	self->stack = g_array_new(FALSE, FALSE, sizeof(Open));
	g_array_set_clear_func(self->stack, open_clear);
	self->tree = g_new0(SatchelYamlTree, 1);
	self->tree->nodes = g_ptr_array_new_with_free_func(node_free);
	self->tree->texts = g_string_chunk_new(1024);
}

SatchelYamlTree *
satchel_yaml_tree_parse(GBytes *text, GError **error)
{
	g_auto(Builder) builder = {0};
	gsize n_bytes = 0;
	const char *data = g_bytes_get_data(text, &n_bytes);

	if (n_bytes > SATCHEL_LIMIT_YAML_BYTES) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_CONTENT_INVALID,
			    "it is longer than %u bytes", SATCHEL_LIMIT_YAML_BYTES);
		return NULL;
	}
	/* libfyaml takes a NUL for the end, and others may not. */
	if (n_bytes > 0 && !g_utf8_validate(data, (gssize)n_bytes, NULL)) {
		g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_CONTENT_INVALID,
				    "it is not UTF-8");
		return NULL;
	}
	builder_init(&builder, text);
	return builder_run(&builder, error) ? g_steal_pointer(&builder.tree) : NULL;
}

const SatchelYamlNode *
satchel_yaml_tree_get_root(const SatchelYamlTree *self)
{
	return self->root;
}

static const SatchelYamlNode *lookup(const SatchelYamlNode *node, const char *key, guint *budget);

static const SatchelYamlNode *
lookup_merged(const SatchelYamlNode *merged, const char *key, guint *budget)
{
	const SatchelYamlNode *found = NULL;

	if (merged->kind != SATCHEL_YAML_SEQUENCE)
		return lookup(merged, key, budget);
	for (guint i = 0; found == NULL && i < merged->children->len; i++) {
		const SatchelYamlNode *child = merged->children->pdata[i];

		/* A list in a list is no merge: recursion goes by mappings alone. */
		if (child->kind == SATCHEL_YAML_MAPPING)
			found = lookup(child, key, budget);
	}
	return found;
}

static const SatchelYamlNode *
lookup(const SatchelYamlNode *node, const char *key, guint *budget)
{
	const SatchelYamlNode *found = NULL;

	if (node->kind != SATCHEL_YAML_MAPPING || *budget == 0)
		return NULL;
	(*budget)--;
	for (guint i = 0; i + 1 < node->children->len; i += 2) {
		const SatchelYamlNode *name = node->children->pdata[i];

		if (name->text != NULL && strcmp(name->text, key) == 0)
			return node->children->pdata[i + 1];
	}
	for (guint i = 0; found == NULL && i + 1 < node->children->len; i += 2) {
		const SatchelYamlNode *name = node->children->pdata[i];

		if (name->text != NULL && strcmp(name->text, "<<") == 0)
			found = lookup_merged(node->children->pdata[i + 1], key, budget);
	}
	return found;
}

const SatchelYamlNode *
satchel_yaml_node_lookup(const SatchelYamlNode *node, const char *key)
{
	guint budget = MAX_MERGES;

	return lookup(node, key, &budget);
}

void
satchel_yaml_tree_free(SatchelYamlTree *self)
{
	g_ptr_array_unref(self->nodes);
	g_string_chunk_free(self->texts);
	g_free(self);
}
