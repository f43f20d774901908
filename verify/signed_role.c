#include "signed_role.h"
#include "utc_time.h"

void
satchel_signed_role_prefix_error(GError **error, const char *label, gint64 version)
{
	g_prefix_error(error, "%s %" G_GINT64_FORMAT ": ", label, version);
}

SatchelSignedDocument *
satchel_signed_role_parse(GBytes *bytes, const char *type, const char *label, gsize max_bytes,
			  SatchelDialect dialect, GError **error)
{
	SatchelSignedDocument *document;

	if (g_bytes_get_size(bytes) > max_bytes) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
			    "%s: longer than %" G_GSIZE_FORMAT " bytes", label, max_bytes);
		return NULL;
	}
	document = satchel_signed_document_parse(bytes, type, dialect, error);
	if (document == NULL)
		g_prefix_error(error, "%s: ", label);
	return document;
}

gboolean
satchel_signed_role_verify(const SatchelSignedDocument *document, const char *label,
			   const SatchelRoleKeys *keys, const char *signers, GError **error)
{
	g_autoptr(GError) local_error = NULL;

	if (satchel_role_keys_verify(keys, document->signatures, document->message, &local_error))
		return TRUE;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
		    "%s %" G_GINT64_FORMAT ": %s (keys of %s)", label, document->version,
		    local_error->message, signers);
	return FALSE;
}

gboolean
satchel_signed_role_check_expiry(const char *label, gint64 version, gint64 expires_s, gint64 now_s,
				 GError **error)
{
	g_autofree char *expires = NULL;
	g_autofree char *now = NULL;

	if (expires_s > now_s)
		return TRUE;
	expires = satchel_utc_time_format(expires_s);
	now = satchel_utc_time_format(now_s);
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_EXPIRED,
		    "%s %" G_GINT64_FORMAT ": expired at %s, now is %s", label, version, expires,
		    now);
	return FALSE;
}
