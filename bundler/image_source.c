#include "image_source.h"
#include <string.h>

static const char *
after(const char *text, const char *prefix)
{
	return g_str_has_prefix(text, prefix) ? text + strlen(prefix) : NULL;
}

SatchelImageSource *
satchel_image_source_open(const char *text, const SatchelRegistryOptions *options, GError **error)
{
	const char *oci = after(text, "oci:");
	const char *docker = after(text, "docker-archive:");
	SatchelImageSource *self = NULL;

	if (oci != NULL && *oci != '\0') {
		self = satchel_image_source_oci_new(oci, error);
	} else if (docker != NULL && *docker != '\0') {
		self = satchel_image_source_docker_new(docker, error);
	} else if (strcmp(text, "registry") == 0) {
		self = satchel_image_source_registry_new(options, error);
	} else {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE,
			    "--source is not oci:DIR, docker-archive:FILE or registry");
	}
	if (self != NULL)
		self->name = g_strdup(text);
	return self;
}

void
satchel_image_source_free(SatchelImageSource *self)
{
	g_free(self->name);
	self->klass->free(self);
}
