#include "signed_document.h"
#include "digest.h"
#include "path_safety.h"

/* What `_type` says for one role in one dialect. */
static const char *
type_name(const char *role, SatchelDialect dialect)
{
	static const struct {
		const char *role;
		const char *uptane;
	} names[] = {
		{"root", "Root"},
		{"timestamp", "Timestamp"},
		{"snapshot", "Snapshot"},
		{"targets", "Targets"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		if (g_str_equal(role, names[i].role))
			return dialect == SATCHEL_DIALECT_TUF ? names[i].role : names[i].uptane;
	}
	g_return_val_if_reached("");
}

static gboolean
check_type(const json_t *signed_, const char *role, SatchelDialect dialect, GError **error)
{
	const char *type = satchel_json_get_string(signed_, "_type", error);
	g_autofree char *quoted = NULL;

	if (type == NULL)
		return FALSE;
	if (g_str_equal(type, type_name(role, dialect)))
		return TRUE;
	quoted = satchel_path_quote(type);
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
		    "'_type' is '%s', not '%s'", quoted, type_name(role, dialect));
	return FALSE;
}

/* 1.N or 1.N.N, with nothing but digits in each part. */
static gboolean
is_version_1(const char *version)
{
	g_auto(GStrv) parts = g_strsplit(version, ".", 4);
	guint n_parts = g_strv_length(parts);

	if ((n_parts != 2 && n_parts != 3) || !g_str_equal(parts[0], "1"))
		return FALSE;
	for (guint i = 1; i < n_parts; i++) {
		if (*parts[i] == '\0' || strspn(parts[i], "0123456789") != strlen(parts[i]))
			return FALSE;
	}
	return TRUE;
}

/* TUF 1.0.34, 4.3: another major version may mean something else. uptane files carry none. */
static gboolean
check_spec_version(const json_t *signed_, SatchelDialect dialect, GError **error)
{
	const char *version;
	g_autofree char *quoted = NULL;

	if (dialect != SATCHEL_DIALECT_TUF)
		return TRUE;
	version = satchel_json_get_string(signed_, "spec_version", error);
	if (version == NULL)
		return FALSE;
	if (is_version_1(version))
		return TRUE;
	quoted = satchel_path_quote(version);
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
		    "'spec_version' is '%s', not 1.x", quoted);
	return FALSE;
}

static gboolean
read_document(SatchelSignedDocument *self, const char *role, SatchelDialect dialect, GError **error)
{
	self->tree = satchel_json_parse(self->bytes, error);
	if (self->tree == NULL)
		return FALSE;
	self->signatures = satchel_json_get_array(self->tree, "signatures", error);
	if (self->signatures == NULL)
		return FALSE;
	self->signed_ = satchel_json_get_object(self->tree, "signed", error);
	if (self->signed_ == NULL)
		return FALSE;
	if (!check_type(self->signed_, role, dialect, error) ||
	    !check_spec_version(self->signed_, dialect, error))
		return FALSE;
	if (!satchel_json_get_int(self->signed_, "version", 1, G_MAXINT64, &self->version, error) ||
	    !satchel_json_get_time(self->signed_, "expires", &self->expires_s, error))
		return FALSE;
	self->message = satchel_json_canonicalize(self->signed_, dialect, error);
	return self->message != NULL;
}

SatchelSignedDocument *
satchel_signed_document_parse(GBytes *bytes, const char *role, SatchelDialect dialect,
			      GError **error)
{
	g_autoptr(SatchelSignedDocument) self = g_new0(SatchelSignedDocument, 1);

	self->bytes = g_bytes_ref(bytes);
	if (!read_document(self, role, dialect, error))
		return NULL;
	return g_steal_pointer(&self);
}

char *
satchel_signed_document_hash(const SatchelSignedDocument *self, SatchelDialect dialect,
			     const char *algorithm, guint64 *length_bytes, GError **error)
{
	g_autoptr(GBytes) hashed = NULL;
	g_autoptr(SatchelDigest) digest = NULL;
	gsize n_bytes = 0;
	const void *data;

	if (!g_str_equal(algorithm, "sha256") && !g_str_equal(algorithm, "sha512")) {
		g_autofree char *quoted = satchel_path_quote(algorithm);

		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
			    "hash algorithm '%s' is not known", quoted);
		return NULL;
	}
	if (dialect == SATCHEL_DIALECT_TUF)
		hashed = g_bytes_ref(self->bytes);
	else
		hashed = satchel_json_canonicalize(self->tree, dialect, error);
	if (hashed == NULL)
		return NULL;
	data = g_bytes_get_data(hashed, &n_bytes);
	digest = satchel_digest_new(g_str_equal(algorithm, "sha512") ? SATCHEL_DIGEST_SHA512
								     : SATCHEL_DIGEST_SHA256);
	satchel_digest_update(digest, data, n_bytes);
	*length_bytes = n_bytes;
	return satchel_digest_finish(digest);
}

void
satchel_signed_document_free(SatchelSignedDocument *self)
{
	g_bytes_unref(self->bytes);
	json_decref(self->tree);
	g_clear_pointer(&self->message, g_bytes_unref);
	g_free(self);
}
