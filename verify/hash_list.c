#include "hash_list.h"
#include "path_safety.h"

struct SatchelHashList {
	GHashTable *digests; /* algorithm → lower-case hex */
};

static const struct {
	const char *name;
	gsize n_digits;
} KNOWN_ALGORITHMS[] = {{"sha256", 64}, {"sha512", 128}};

static gboolean
digest_is_wellformed(const char *algorithm, const char *digest)
{
	gsize n_digits = strlen(digest);

	if (n_digits == 0 || strspn(digest, "0123456789abcdefABCDEF") != n_digits)
		return FALSE;
	for (guint i = 0; i < G_N_ELEMENTS(KNOWN_ALGORITHMS); i++)
		if (strcmp(algorithm, KNOWN_ALGORITHMS[i].name) == 0)
			return n_digits == KNOWN_ALGORITHMS[i].n_digits;
	return TRUE;
}

SatchelHashList *
satchel_hash_list_parse(json_t *hashes, GError **error)
{
	g_autoptr(SatchelHashList) self = g_new0(SatchelHashList, 1);
	const char *algorithm;
	json_t *value;

	self->digests = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	if (json_object_size(hashes) == 0) {
		g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
				    "'hashes' has no digest");
		return NULL;
	}
	json_object_foreach(hashes, algorithm, value)
	{
		const char *digest = json_string_value(value);

		if (digest == NULL || !digest_is_wellformed(algorithm, digest)) {
			g_autofree char *quoted = satchel_path_quote(algorithm);

			g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
				    "'hashes': %s is no hex digest", quoted);
			return NULL;
		}
		g_hash_table_insert(self->digests, g_strdup(algorithm),
				    g_ascii_strdown(digest, -1));
	}
	return g_steal_pointer(&self);
}

const char *
satchel_hash_list_get(const SatchelHashList *self, const char *algorithm)
{
	return g_hash_table_lookup(self->digests, algorithm);
}

gboolean
satchel_hash_list_check(const SatchelHashList *self, const SatchelSignedDocument *document,
			SatchelDialect dialect, guint64 *length_bytes, GError **error)
{
	guint n_checked = 0;

	for (guint i = 0; i < G_N_ELEMENTS(KNOWN_ALGORITHMS); i++) {
		const char *name = KNOWN_ALGORITHMS[i].name;
		const char *expected = satchel_hash_list_get(self, name);
		g_autofree char *actual = NULL;

		if (expected == NULL)
			continue;
		actual = satchel_signed_document_hash(document, dialect, name, length_bytes, error);
		if (actual == NULL)
			return FALSE;
		if (strcmp(actual, expected) != 0) {
			g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
				    "%s is %s, %s is listed", name, actual, expected);
			return FALSE;
		}
		n_checked++;
	}
	if (n_checked > 0)
		return TRUE;
	g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
			    "no hash of a known algorithm is listed");
	return FALSE;
}

void
satchel_hash_list_free(SatchelHashList *self)
{
	g_hash_table_unref(self->digests);
	g_free(self);
}
