#include "../../verify/app_manifest.h"
#include <stdint.h>
#include <string.h>

/* One text as an image document and as an app's manifest: a value or an error, never both, and
 * every digest in a value is one. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_descriptor(const SatchelOciDescriptor *descriptor)
{
	g_assert(strlen(descriptor->sha256) == 64 && descriptor->media_type != NULL);
	g_assert(descriptor->size_bytes <= G_MAXINT64);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(GBytes) text = g_bytes_new(data, size);
	g_autoptr(GError) error = NULL;
	g_autoptr(GError) app_error = NULL;
	g_autoptr(SatchelOciDocument) document = satchel_oci_document_parse(text, &error);
	g_autoptr(SatchelAppManifest) app = satchel_app_manifest_parse(text, &app_error);

	g_assert((document == NULL) == (error != NULL));
	g_assert((app == NULL) == (app_error != NULL));
	for (guint i = 0; document != NULL && i < document->parts->len; i++)
		check_descriptor(document->parts->pdata[i]);
	if (document != NULL && document->kind == SATCHEL_OCI_MANIFEST)
		check_descriptor(document->config);
	if (app != NULL)
		check_descriptor(app->archive);
	return 0;
}
