#include "device_identity.h"
#include "../verify/path_safety.h"
#include "../verify/safe_read.h"
#include <openssl/pem.h>
#include <openssl/x509.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BIO, BIO_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(X509, X509_free)

/* The first entry of that kind in the subject. (transfer full) */
static char *
get_subject_text(X509 *certificate, int nid)
{
	const X509_NAME *subject = X509_get_subject_name(certificate);
	int index = X509_NAME_get_index_by_NID(subject, nid, -1);
	unsigned char *utf8 = NULL;
	g_autofree char *text = NULL;
	int n = 0;

	if (index < 0)
		return NULL;
	n = ASN1_STRING_to_UTF8(&utf8,
				X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index)));
	if (n < 0)
		return NULL;
	text = g_utf8_make_valid((const char *)utf8, n);
	OPENSSL_free(utf8);
	return g_steal_pointer(&text);
}

gboolean
satchel_device_identity_read(const char *path, SatchelDeviceIdentity *identity, GError **error)
{
	g_autoptr(GError) local_error = NULL;
	g_autoptr(GBytes) pem =
		satchel_safe_read_named(path, SATCHEL_LIMIT_CONFIG_BYTES, &local_error);
	g_autoptr(BIO) bio = NULL;
	g_autoptr(X509) certificate = NULL;
	g_autofree char *category = NULL;

	if (g_error_matches(local_error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND))
		return TRUE;
	if (pem != NULL) {
		bio = BIO_new_mem_buf(g_bytes_get_data(pem, NULL), (int)g_bytes_get_size(pem));
		certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	}
	if (certificate == NULL) {
		g_autofree char *quoted = satchel_path_quote(path);

		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED, "client certificate %s: %s",
			    quoted,
			    pem == NULL ? local_error->message : "not a certificate in PEM form");
		return FALSE;
	}
	identity->uuid = get_subject_text(certificate, NID_commonName);
	category = get_subject_text(certificate, NID_businessCategory);
	identity->type = g_strdup(g_strcmp0(category, "production") == 0 ? "prod" : "ci");
	return TRUE;
}

void
satchel_device_identity_clear(SatchelDeviceIdentity *self)
{
	g_clear_pointer(&self->uuid, g_free);
	g_clear_pointer(&self->type, g_free);
}
