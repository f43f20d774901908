#pragma once
#include <satchel/error.h>

/*
 * One YAML document as a tree, bounded: SATCHEL_LIMIT_YAML_* of bytes, nodes and depth. An alias is
 * the very node that its anchor names, so nothing is multiplied; a node inside itself and a mapping
 * with a key twice are refused. Pure.
 */
typedef enum {
	SATCHEL_YAML_SCALAR,
	SATCHEL_YAML_SEQUENCE,
	SATCHEL_YAML_MAPPING,
} SatchelYamlKind;

typedef struct SatchelYamlNode SatchelYamlNode;
struct SatchelYamlNode {
	SatchelYamlKind kind;
	const char *text;  /* of a scalar; NULL: null */
	gboolean is_flow;  /* of a collection: [..] or {..} */
	gsize start_bytes; /* where its first token begins in the document, and ends */
	gsize end_bytes;
	GPtrArray *children; /* of a collection, borrowed: a mapping's keys and values by turns */
};

typedef struct SatchelYamlTree SatchelYamlTree;

/**
 * satchel_yaml_tree_parse:
 * @text: borrowed
 *
 * Errors: SATCHEL_ERROR_CONTENT_INVALID, with the line.
 *
 * Returns: (transfer full): the tree, or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelYamlTree *satchel_yaml_tree_parse(GBytes *text, GError **error);

/* NULL where the document is empty. Borrowed. */
const SatchelYamlNode *satchel_yaml_tree_get_root(const SatchelYamlTree *self);

/* The value of @key in a mapping, or in those that it merges (`<<`); NULL where @node is no mapping
 * or has none. Borrowed. */
const SatchelYamlNode *satchel_yaml_node_lookup(const SatchelYamlNode *node, const char *key);

void satchel_yaml_tree_free(SatchelYamlTree *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelYamlTree, satchel_yaml_tree_free)
