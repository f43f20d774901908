#include "bundle_thin.h"
#include "hex.h"
#include "path_safety.h"
#include <satchel/bundle_layout.h>
#include <satchel/limits.h>
#include <string.h>

/* A message names no more bases than these. */
#define MAX_DESCRIBED 4u
/* Enough of a commit to find it. */
#define SHORT_COMMIT_LENGTH 12

static gboolean
thin_fail(GError **error, const char *reason)
{
	g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID, reason);
	return FALSE;
}

/* ---- from JSON */

static gboolean
thin_parse_commit(const json_t *object, const char *member, char commit[65], GError **error)
{
	const char *text = satchel_json_get_string(object, member, error);

	if (text == NULL)
		return FALSE;
	if (!satchel_hex_is_sha256(text)) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
			    "'%s' is no lower-case SHA-256", member);
		return FALSE;
	}
	memcpy(commit, text, 65);
	return TRUE;
}

static gboolean
thin_parse_number(const json_t *object, const char *member, gint64 max, guint64 *value,
		  GError **error)
{
	gint64 number = 0;

	if (!satchel_json_get_int(object, member, 0, max, &number, error))
		return FALSE;
	*value = (guint64)number;
	return TRUE;
}

static gboolean
thin_parse_weight(const json_t *object, const char *member, SatchelBundleWeight *weight,
		  GError **error)
{
	const json_t *value = satchel_json_get_object(object, member, error);

	return value != NULL &&
	       thin_parse_number(value, "objects", SATCHEL_LIMIT_OSTREE_OBJECTS, &weight->n_objects,
				 error) &&
	       thin_parse_number(value, "bytes", G_MAXINT64, &weight->size_bytes, error);
}

static gboolean
thin_parse_base(SatchelBundleThin *self, const json_t *object, GError **error)
{
	SatchelBundleBase *base = &self->bases[self->n_bases];

	if (!thin_parse_commit(object, "commit", base->commit, error))
		return FALSE;
	for (guint i = 0; i < self->n_bases; i++)
		if (strcmp(self->bases[i].commit, base->commit) == 0)
			return thin_fail(error, "'from' has a commit twice");
	base->names = satchel_json_get_strv(object, "targets", error);
	if (base->names == NULL)
		return FALSE;
	self->n_bases++;
	return thin_parse_weight(object, "lacks", &base->lacks, error);
}

static gboolean
thin_has_base(const SatchelBundleThin *self, const char *commit)
{
	for (guint i = 0; i < self->n_bases; i++)
		if (strcmp(self->bases[i].commit, commit) == 0)
			return TRUE;
	return FALSE;
}

static gboolean
thin_parse_delta(SatchelBundleThin *self, const json_t *object, GError **error)
{
	SatchelBundleDelta *delta = &self->deltas[self->n_deltas];

	if (!thin_parse_commit(object, "from", delta->from, error) ||
	    !thin_parse_commit(object, "to", delta->to, error) ||
	    !thin_parse_number(object, "bytes", G_MAXINT64, &delta->size_bytes, error) ||
	    !thin_parse_weight(object, "unpacked", &delta->unpacked, error))
		return FALSE;
	if (!thin_has_base(self, delta->from))
		return thin_fail(error, "a delta is from a commit that 'from' does not have");
	for (guint i = 0; i < self->n_deltas; i++)
		if (strcmp(self->deltas[i].from, delta->from) == 0 &&
		    strcmp(self->deltas[i].to, delta->to) == 0)
			return thin_fail(error, "'deltas' has a delta twice");
	self->n_deltas++;
	return TRUE;
}

/* The array @member; its elements are objects, and not too many. */
static json_t *
thin_get_objects(const json_t *addition, const char *member, GError **error)
{
	json_t *array = satchel_json_get_array(addition, member, error);
	gboolean good = array != NULL;
	json_t *element;
	size_t i;

	if (good && json_array_size(array) > SATCHEL_LIMIT_BUNDLE_BASES) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
			    "'%s' has more than %u elements", member, SATCHEL_LIMIT_BUNDLE_BASES);
		return NULL;
	}
	json_array_foreach(array, i, element)
	{
		good = good && json_is_object(element);
	}
	if (array != NULL && !good)
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
			    "'%s' has an element that is no object", member);
	return good ? array : NULL;
}

static gboolean
thin_parse_bases(SatchelBundleThin *self, const json_t *addition, GError **error)
{
	const json_t *array = thin_get_objects(addition, "from", error);
	json_t *element;
	size_t i;

	if (array == NULL)
		return FALSE;
	if (json_array_size(array) == 0)
		return thin_fail(error, "'from' is empty");
	self->bases = g_new0(SatchelBundleBase, json_array_size(array));
	json_array_foreach(array, i, element)
	{
		if (!thin_parse_base(self, element, error))
			return FALSE;
	}
	return thin_parse_weight(addition, "full", &self->full, error);
}

static gboolean
thin_parse_deltas(SatchelBundleThin *self, const json_t *addition, GError **error)
{
	const json_t *array;
	json_t *element;
	size_t i;

	if (json_object_get(addition, "deltas") == NULL)
		return TRUE;
	array = thin_get_objects(addition, "deltas", error);
	if (array == NULL)
		return FALSE;
	self->deltas = g_new0(SatchelBundleDelta, json_array_size(array));
	json_array_foreach(array, i, element)
	{
		if (!thin_parse_delta(self, element, error))
			return FALSE;
	}
	return TRUE;
}

gboolean
satchel_bundle_thin_parse(const json_t *addition, SatchelBundleThin **thin, GError **error)
{
	g_autoptr(SatchelBundleThin) self = NULL;

	*thin = NULL;
	if (json_object_get(addition, "from") == NULL) {
		if (json_object_get(addition, "deltas") == NULL)
			return TRUE;
		return thin_fail(error, "'deltas' without 'from'");
	}
	self = g_new0(SatchelBundleThin, 1);
	if (!thin_parse_bases(self, addition, error) || !thin_parse_deltas(self, addition, error))
		return FALSE;
	*thin = g_steal_pointer(&self);
	return TRUE;
}

/* ---- to JSON */

static json_t *
thin_weight_to_json(const SatchelBundleWeight *weight)
{
	return json_pack("{s:I, s:I}", "objects", (json_int_t)weight->n_objects, "bytes",
			 (json_int_t)weight->size_bytes);
}

static json_t *
thin_base_to_json(const SatchelBundleBase *base)
{
	json_t *names = json_array();

	for (guint i = 0; base->names[i] != NULL; i++)
		json_array_append_new(names, json_string(base->names[i]));
	return json_pack("{s:s, s:o, s:o}", "commit", base->commit, "targets", names, "lacks",
			 thin_weight_to_json(&base->lacks));
}

static json_t *
thin_delta_to_json(const SatchelBundleDelta *delta)
{
	return json_pack("{s:s, s:s, s:I, s:o}", "from", delta->from, "to", delta->to, "bytes",
			 (json_int_t)delta->size_bytes, "unpacked",
			 thin_weight_to_json(&delta->unpacked));
}

void
satchel_bundle_thin_to_json(const SatchelBundleThin *self, json_t *addition)
{
	json_t *bases = json_array();
	json_t *deltas = json_array();

	for (guint i = 0; i < self->n_bases; i++)
		json_array_append_new(bases, thin_base_to_json(&self->bases[i]));
	for (guint i = 0; i < self->n_deltas; i++)
		json_array_append_new(deltas, thin_delta_to_json(&self->deltas[i]));
	json_object_set_new(addition, "from", bases);
	json_object_set_new(addition, "full", thin_weight_to_json(&self->full));
	if (self->n_deltas > 0)
		json_object_set_new(addition, "deltas", deltas);
	else
		json_decref(deltas);
}

/* ---- what it says */

gboolean
satchel_bundle_thin_serves(const SatchelBundleThin *self, const char *const *commits,
			   const char *target_commit)
{
	for (; *commits != NULL; commits++)
		if (strcmp(*commits, target_commit) == 0 || thin_has_base(self, *commits))
			return TRUE;
	return FALSE;
}

const SatchelBundleDelta *
satchel_bundle_thin_find_delta(const SatchelBundleThin *self, const char *const *commits,
			       const char *to)
{
	for (guint i = 0; i < self->n_deltas; i++)
		if (strcmp(self->deltas[i].to, to) == 0 &&
		    g_strv_contains(commits, self->deltas[i].from))
			return &self->deltas[i];
	return NULL;
}

static void
thin_describe_base(const SatchelBundleBase *base, GString *text)
{
	g_autofree char *joined = g_strjoinv(" = ", base->names);
	g_autofree char *quoted = satchel_path_quote(joined);

	if (*joined == '\0')
		g_string_append_printf(text, "commit %.*s", SHORT_COMMIT_LENGTH, base->commit);
	else
		g_string_append_printf(text, "%s (commit %.*s)", quoted, SHORT_COMMIT_LENGTH,
				       base->commit);
}

char *
satchel_bundle_thin_describe_bases(const SatchelBundleThin *self)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < MIN(self->n_bases, MAX_DESCRIBED); i++) {
		g_string_append(text, i > 0 ? ", " : "");
		thin_describe_base(&self->bases[i], text);
	}
	if (self->n_bases > MAX_DESCRIBED)
		g_string_append_printf(text, " and %u more", self->n_bases - MAX_DESCRIBED);
	return g_string_free(text, FALSE);
}

/* As libostree writes a checksum in the names of deltas: base64 without padding, `_` for `/`. */
static char *
thin_base64(const char *commit)
{
	guint8 digest[32] = {0};
	char *text;

	(void)!satchel_hex_to_sha256(commit, digest); /* it was one when it was read */
	text = g_base64_encode(digest, sizeof digest);
	text[strcspn(text, "=")] = '\0';
	return g_strdelimit(text, "/", '_');
}

char *
satchel_bundle_delta_member(const SatchelBundleDelta *delta)
{
	g_autofree char *from = thin_base64(delta->from);
	g_autofree char *to = thin_base64(delta->to);

	return g_strdup_printf(SATCHEL_BUNDLE_OSTREE_DELTAS "/%.2s/%s-%s/superblock", from,
			       from + 2, to);
}

void
satchel_bundle_thin_free(SatchelBundleThin *self)
{
	if (self == NULL)
		return;
	for (guint i = 0; i < self->n_bases; i++)
		g_strfreev(self->bases[i].names);
	g_free(self->bases);
	g_free(self->deltas);
	g_free(self);
}
