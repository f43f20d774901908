#include "../../verify/compose_file.h"
#include <stdint.h>
#include <string.h>

/* A Compose file gives services with pinned images of safe names, or an error, never both. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libfyaml 0.7 loses a page on many quoted words that no comma parts. */
const char *
__lsan_default_suppressions(void)
{
	return "leak:libfyaml.so";
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(GBytes) text = g_bytes_new(data, size);
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelComposeFile) file = satchel_compose_file_parse(text, &error);

	g_assert((file == NULL) == (error != NULL));
	for (guint i = 0; file != NULL && i < file->services->len; i++) {
		const SatchelComposeService *service = file->services->pdata[i];
		g_autofree char *name =
			g_strconcat(service->image->host, "/", service->image->path, NULL);

		g_assert(satchel_compose_service_name_is_safe(service->name));
		g_assert(satchel_image_reference_is_name(name));
		g_assert(strlen(service->image->sha256) == 64 && strstr(name, "..") != name);
	}
	return 0;
}
