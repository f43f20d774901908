/*
 * Any document as any role in both dialects, and what stands in its `signed` as the keys of a role
 * that has to sign it.
 */
#include "../../verify/hex.h"
#include "../../verify/signed_document.h"

int LLVMFuzzerTestOneInput(const guint8 *data, size_t n_bytes);

static void
count_signatures(const SatchelSignedDocument *document, SatchelDialect dialect)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelRoleKeys) keys =
		satchel_role_keys_new(json_object_get(document->signed_, "keys"),
				      json_object_get(document->signed_, "role"), dialect, &error);
	g_auto(GStrv) good = NULL;
	gboolean enough;

	g_assert((keys == NULL) == (error != NULL));
	if (keys == NULL)
		return;
	good = satchel_role_keys_good_keyids(keys, document->signatures, document->message);
	enough = satchel_role_keys_verify(keys, document->signatures, document->message, NULL);
	g_assert(!enough || g_strv_length(good) >= satchel_role_keys_get_threshold(keys));
	g_assert(satchel_role_keys_equal(keys, keys));
}

static void
try_role(GBytes *bytes, const char *role, SatchelDialect dialect)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelSignedDocument) document =
		satchel_signed_document_parse(bytes, role, dialect, &error);
	g_autofree char *hash = NULL;
	guint64 length_bytes = 0;

	g_assert((document == NULL) == (error != NULL));
	if (document == NULL) {
		g_assert(strchr(error->message, '\n') == NULL);
		return;
	}
	g_assert(document->version >= 1 && document->expires_s >= 0);
	hash = satchel_signed_document_hash(document, dialect, "sha256", &length_bytes, NULL);
	g_assert(satchel_hex_is_sha256(hash));
	g_assert(length_bytes > 0);
	count_signatures(document, dialect);
}

int
LLVMFuzzerTestOneInput(const guint8 *data, size_t n_bytes)
{
	static const char *const roles[] = {"root", "timestamp", "snapshot", "targets"};
	g_autoptr(GBytes) bytes = g_bytes_new(data, n_bytes);

	for (gsize i = 0; i < G_N_ELEMENTS(roles); i++) {
		try_role(bytes, roles[i], SATCHEL_DIALECT_TUF);
		try_role(bytes, roles[i], SATCHEL_DIALECT_UPTANE);
	}
	return 0;
}
