#include "compose_pin.h"
#include "../verify/compose_file.h"
#include "../verify/digest.h"
#include "../verify/yaml_tree.h"
#include <satchel/limits.h>
#include <string.h>

#define LABEL "io.compose-spec.config-hash"

/* A place in the text, and what shall stand there instead. */
typedef struct {
	gsize start_bytes, end_bytes;
	char *text;
} Edit;

typedef struct {
	GBytes *text;
	SatchelYamlTree *tree;
	const SatchelYamlNode *services;
	GArray *edits; /* of Edit */
} Pin;

static void
edit_clear(gpointer data)
{
	g_free(((Edit *)data)->text);
}

static void
pin_clear(Pin *self)
{
	g_clear_pointer(&self->tree, satchel_yaml_tree_free);
	g_clear_pointer(&self->edits, g_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Pin, pin_clear)

static gboolean G_GNUC_PRINTF(2, 3) refuse(GError **error, const char *format, ...)
{
	g_autofree char *reason = NULL;
	va_list args;

	va_start(args, format);
	reason = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_CONTENT_INVALID, "the Compose file: %s",
		    reason);
	return FALSE;
}

static gboolean
pin_open(Pin *self, GBytes *text, GError **error)
{
	const SatchelYamlNode *root;

	self->text = text;
	self->edits = g_array_new(FALSE, FALSE, sizeof(Edit));
	g_array_set_clear_func(self->edits, edit_clear);
	self->tree = satchel_yaml_tree_parse(text, error);
	if (self->tree == NULL) {
		g_prefix_error(error, "the Compose file: ");
		return FALSE;
	}
	root = satchel_yaml_tree_get_root(self->tree);
	self->services = root != NULL ? satchel_yaml_node_lookup(root, "services") : NULL;
	if (self->services == NULL || self->services->kind != SATCHEL_YAML_MAPPING ||
	    self->services->children->len == 0)
		return refuse(error, "it has no services");
	if (satchel_yaml_node_lookup(root, "include") != NULL)
		return refuse(error, "it includes other files; write it as one: docker compose "
				     "config");
	return TRUE;
}

static const char *
service_name(const SatchelYamlNode *key)
{
	return key->text != NULL ? key->text : "?";
}

/* Its image node; NULL with an error. */
static const SatchelYamlNode *
service_image(const SatchelYamlNode *key, const SatchelYamlNode *service, GError **error)
{
	static const char *const foreign[] = {"build", "extends", NULL};
	const SatchelYamlNode *image = satchel_yaml_node_lookup(service, "image");

	if (key->text == NULL || !satchel_compose_service_name_is_safe(key->text)) {
		refuse(error, "a service has a name that is none");
		return NULL;
	}
	for (guint i = 0; foreign[i] != NULL; i++) {
		if (satchel_yaml_node_lookup(service, foreign[i]) != NULL) {
			refuse(error,
			       "service %s has '%s': images are collected, not made; take "
			       "it out",
			       key->text, foreign[i]);
			return NULL;
		}
	}
	if (image != NULL && image->text != NULL)
		return image;
	refuse(error, "service %s names no image", key->text);
	return NULL;
}

GStrv
satchel_compose_pin_list_images(GBytes *text, GError **error)
{
	g_auto(Pin) pin = {0};
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

	if (!pin_open(&pin, text, error))
		return NULL;
	for (guint i = 0; i + 1 < pin.services->children->len; i += 2) {
		const SatchelYamlNode *image =
			service_image(pin.services->children->pdata[i],
				      pin.services->children->pdata[i + 1], error);

		if (image == NULL)
			return NULL;
		if (g_hash_table_add(seen, (gpointer)(guintptr)image->text))
			g_strv_builder_add(builder, image->text);
	}
	return g_strv_builder_end(builder);
}

/* @text: (transfer full) */
static void
pin_edit(Pin *self, gsize start_bytes, gsize end_bytes, char *text)
{
	Edit edit = {start_bytes, end_bytes, text};

	/* Through an alias the same place is met again. */
	for (guint i = 0; i < self->edits->len; i++) {
		if (g_array_index(self->edits, Edit, i).start_bytes == start_bytes) {
			g_free(text);
			return;
		}
	}
	g_array_append_val(self->edits, edit);
}

static int
compare_edits(gconstpointer a, gconstpointer b)
{
	const Edit *one = a, *other = b;

	return one->start_bytes < other->start_bytes ? -1 : one->start_bytes > other->start_bytes;
}

/* (transfer full) */
static GBytes *
pin_apply(Pin *self)
{
	GString *result = g_string_new(NULL);
	gsize n_bytes = 0;
	const char *data = g_bytes_get_data(self->text, &n_bytes);
	gsize at_bytes = 0;

	g_array_sort(self->edits, compare_edits);
	for (guint i = 0; i < self->edits->len; i++) {
		const Edit *edit = &g_array_index(self->edits, Edit, i);

		g_string_append_len(result, data + at_bytes,
				    (gssize)(edit->start_bytes - at_bytes));
		g_string_append(result, edit->text);
		at_bytes = edit->end_bytes;
	}
	g_string_append_len(result, data + at_bytes, (gssize)(n_bytes - at_bytes));
	return g_string_free_to_bytes(result);
}

/* The whole of a scalar's place, its quotes included. */
static void
pin_replace(Pin *self, const SatchelYamlNode *node, const char *text)
{
	const char *data = g_bytes_get_data(self->text, NULL);
	gsize start_bytes = node->start_bytes;
	gsize end_bytes = node->end_bytes;

	if (start_bytes > 0 && (data[start_bytes - 1] == '"' || data[start_bytes - 1] == '\'') &&
	    end_bytes < g_bytes_get_size(self->text) && data[end_bytes] == data[start_bytes - 1]) {
		start_bytes--;
		end_bytes++;
	}
	pin_edit(self, start_bytes, end_bytes, g_strdup_printf("\"%s\"", text));
}

static GBytes *
pin_images(GBytes *text, const char *const *images, const char *const *pinned, GError **error)
{
	g_auto(Pin) pin = {0};

	if (!pin_open(&pin, text, error))
		return NULL;
	for (guint i = 0; i + 1 < pin.services->children->len; i += 2) {
		const SatchelYamlNode *key = pin.services->children->pdata[i];
		const SatchelYamlNode *image =
			service_image(key, pin.services->children->pdata[i + 1], error);
		guint j = 0;

		if (image == NULL)
			return NULL;
		while (images[j] != NULL && strcmp(images[j], image->text) != 0)
			j++;
		g_assert(images[j] != NULL);
		pin_replace(&pin, image, pinned[j]);
	}
	return pin_apply(&pin);
}

/* All that a service is made of, aliases followed; FALSE where that is too much. */
static gboolean
hash_node(SatchelDigest *digest, const SatchelYamlNode *node, guint *budget)
{
	const char *text = node->text != NULL ? node->text : "";
	char kind = (char)('0' + (int)node->kind * 2 + (node->text != NULL ? 1 : 0));

	if (*budget == 0)
		return FALSE;
	(*budget)--;
	satchel_digest_update(digest, &kind, 1);
	satchel_digest_update(digest, text, strlen(text) + 1);
	for (guint i = 0; node->children != NULL && i < node->children->len; i++) {
		if (!hash_node(digest, node->children->pdata[i], budget))
			return FALSE;
	}
	satchel_digest_update(digest, "", 1);
	return TRUE;
}

/* Where a key can be put before those that are there. */
static void
pin_insert(Pin *self, const SatchelYamlNode *mapping, const char *key_and_value)
{
	const char *data = g_bytes_get_data(self->text, NULL);
	const SatchelYamlNode *first = mapping->children->pdata[0];
	gsize at_bytes = first->start_bytes;
	gsize line_bytes = at_bytes;

	/* A quoted key begins at its quote. */
	if (at_bytes > 0 && (data[at_bytes - 1] == '"' || data[at_bytes - 1] == '\''))
		at_bytes--;
	if (mapping->is_flow) {
		pin_edit(self, at_bytes, at_bytes, g_strconcat(key_and_value, ", ", NULL));
		return;
	}
	line_bytes = at_bytes;
	while (line_bytes > 0 && data[line_bytes - 1] != '\n')
		line_bytes--;
	pin_edit(self, at_bytes, at_bytes,
		 g_strdup_printf("%s\n%*s", key_and_value, (int)(at_bytes - line_bytes), ""));
}

/* The label in a list, NAME=VALUE; NULL where it is not there. */
static const SatchelYamlNode *
find_in_list(const SatchelYamlNode *labels)
{
	for (guint i = 0; i < labels->children->len; i++) {
		const SatchelYamlNode *label = labels->children->pdata[i];

		if (label->text != NULL && g_str_has_prefix(label->text, LABEL "="))
			return label;
	}
	return NULL;
}

static const SatchelYamlNode *
own_labels(const SatchelYamlNode *service)
{
	for (guint i = 0; i + 1 < service->children->len; i += 2) {
		const SatchelYamlNode *key = service->children->pdata[i];

		if (key->text != NULL && strcmp(key->text, "labels") == 0)
			return service->children->pdata[i + 1];
	}
	return NULL;
}

static void
pin_label_list(Pin *self, const SatchelYamlNode *labels, const char *hash)
{
	const char *data = g_bytes_get_data(self->text, NULL);
	const SatchelYamlNode *present = find_in_list(labels);
	const SatchelYamlNode *first =
		labels->children->len > 0 ? labels->children->pdata[0] : NULL;
	g_autofree char *label = g_strconcat(LABEL "=", hash, NULL);
	gsize line_bytes;

	if (present != NULL) {
		pin_replace(self, present, label);
		return;
	}
	if (first == NULL || first->kind != SATCHEL_YAML_SCALAR)
		return;
	line_bytes = first->start_bytes;
	if (labels->is_flow) {
		line_bytes -= data[line_bytes - 1] == '"' || data[line_bytes - 1] == '\'' ? 1 : 0;
		pin_edit(self, line_bytes, line_bytes, g_strdup_printf("\"%s\", ", label));
		return;
	}
	/* Before the dash of the first item, at its column. */
	while (line_bytes > 0 && data[line_bytes - 1] != '\n')
		line_bytes--;
	pin_edit(self, line_bytes, line_bytes,
		 g_strdup_printf("%*s- \"%s\"\n", (int)strspn(data + line_bytes, " "), "", label));
}

/* Where labels come by a merge, a list of its own would hide them: such a service goes without. */
static void
pin_label(Pin *self, const SatchelYamlNode *service, const char *hash)
{
	const SatchelYamlNode *labels = own_labels(service);
	const SatchelYamlNode *present;
	g_autofree char *line = g_strdup_printf(LABEL ": \"%s\"", hash);
	g_autofree char *whole = g_strdup_printf("labels: {\"" LABEL "\": \"%s\"}", hash);

	if (labels == NULL) {
		if (satchel_yaml_node_lookup(service, "labels") == NULL)
			pin_insert(self, service, whole);
		return;
	}
	if (labels->kind == SATCHEL_YAML_SEQUENCE) {
		pin_label_list(self, labels, hash);
		return;
	}
	if (labels->kind != SATCHEL_YAML_MAPPING || labels->children->len == 0)
		return;
	present = satchel_yaml_node_lookup(labels, LABEL);
	if (present != NULL && present->text != NULL)
		pin_replace(self, present, hash);
	else
		pin_insert(self, labels, line);
}

static GBytes *
pin_labels(GBytes *text, GError **error)
{
	g_auto(Pin) pin = {0};
	guint budget = SATCHEL_LIMIT_YAML_NODES;

	if (!pin_open(&pin, text, error))
		return NULL;
	for (guint i = 0; i + 1 < pin.services->children->len; i += 2) {
		const SatchelYamlNode *key = pin.services->children->pdata[i];
		const SatchelYamlNode *service = pin.services->children->pdata[i + 1];
		g_autoptr(SatchelDigest) digest = satchel_digest_new(SATCHEL_DIGEST_SHA256);
		g_autofree char *hash = NULL;

		if (!hash_node(digest, service, &budget)) {
			refuse(error, "service %s unfolds to more than %u values",
			       service_name(key), SATCHEL_LIMIT_YAML_NODES);
			return NULL;
		}
		hash = satchel_digest_finish(digest);
		pin_label(&pin, service, hash);
	}
	return pin_apply(&pin);
}

/* What was edited means what was meant, and nothing else. */
static gboolean
check_result(GBytes *text, GBytes *result, const char *const *images, const char *const *pinned,
	     GError **error)
{
	g_auto(Pin) before = {0};
	g_autoptr(SatchelComposeFile) after = satchel_compose_file_parse(result, error);

	if (after == NULL || !pin_open(&before, text, error))
		return FALSE;
	if (after->services->len * 2 != before.services->children->len)
		return refuse(error, "it cannot be edited in this form");
	for (guint i = 0; i < after->services->len; i++) {
		const SatchelComposeService *service = after->services->pdata[i];
		const SatchelYamlNode *key = before.services->children->pdata[i * 2];
		const SatchelYamlNode *image = satchel_yaml_node_lookup(
			before.services->children->pdata[i * 2 + 1], "image");
		g_autofree char *found = satchel_image_reference_format(service->image);
		guint j = 0;

		while (images[j] != NULL && strcmp(images[j], image->text) != 0)
			j++;
		if (strcmp(service->name, key->text) != 0 || images[j] == NULL ||
		    strcmp(found, pinned[j]) != 0)
			return refuse(error,
				      "service %s cannot be edited in this form: write "
				      "image and labels as plain lines",
				      service_name(key));
	}
	return TRUE;
}

GBytes *
satchel_compose_pin(GBytes *text, const char *const *images, const char *const *pinned,
		    GError **error)
{
	g_autoptr(GBytes) with_images = pin_images(text, images, pinned, error);
	g_autoptr(GBytes) result = with_images != NULL ? pin_labels(with_images, error) : NULL;

	if (result == NULL || !check_result(text, result, images, pinned, error))
		return NULL;
	return g_steal_pointer(&result);
}
