#include "oci_document.h"
#include "path_safety.h"
#include <string.h>

SatchelOciPlatform *
satchel_oci_platform_parse(const char *text, GError **error)
{
	g_auto(GStrv) parts = g_strsplit(text, "/", -1);
	guint n_parts = g_strv_length(parts);
	SatchelOciPlatform *self;
	gboolean good = n_parts == 2 || n_parts == 3;

	for (guint i = 0; good && i < n_parts; i++)
		good = *parts[i] != '\0' &&
		       strspn(parts[i], "abcdefghijklmnopqrstuvwxyz0123456789_") ==
			       strlen(parts[i]);
	if (!good) {
		g_autofree char *quoted = satchel_path_quote(text);

		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE,
			    "platform '%s' is no OS/ARCHITECTURE[/VARIANT], as in linux/arm64",
			    quoted);
		return NULL;
	}
	self = g_new0(SatchelOciPlatform, 1);
	self->os = g_strdup(parts[0]);
	self->architecture = g_strdup(parts[1]);
	self->variant = g_strdup(n_parts == 3 ? parts[2] : "");
	return self;
}

SatchelOciPlatform *
satchel_oci_platform_of_machine(const char *machine)
{
	static const struct {
		const char *machine;
		const char *platform;
	} rows[] = {
		{"x86_64", "linux/amd64"},    {"aarch64", "linux/arm64"},
		{"armv7l", "linux/arm/v7"},   {"armv6l", "linux/arm/v6"},
		{"i686", "linux/386"},	      {"i586", "linux/386"},
		{"riscv64", "linux/riscv64"}, {"ppc64le", "linux/ppc64le"},
		{"s390x", "linux/s390x"},     {"loongarch64", "linux/loong64"},
	};

	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		if (strcmp(rows[i].machine, machine) == 0)
			return satchel_oci_platform_parse(rows[i].platform, NULL);
	}
	return NULL;
}

char *
satchel_oci_platform_format(const SatchelOciPlatform *self)
{
	return g_strconcat(self->os, "/", self->architecture, *self->variant != '\0' ? "/" : "",
			   self->variant, NULL);
}

/* What an architecture without a variant means. */
static const char *
own_variant(const SatchelOciPlatform *self)
{
	if (*self->variant != '\0')
		return self->variant;
	if (strcmp(self->architecture, "arm64") == 0)
		return "v8";
	if (strcmp(self->architecture, "arm") == 0)
		return "v7";
	return strcmp(self->architecture, "amd64") == 0 ? "v1" : "";
}

gboolean
satchel_oci_platform_equal(const SatchelOciPlatform *one, const SatchelOciPlatform *other)
{
	return strcmp(one->os, other->os) == 0 &&
	       strcmp(one->architecture, other->architecture) == 0 &&
	       strcmp(own_variant(one), own_variant(other)) == 0;
}

void
satchel_oci_platform_free(SatchelOciPlatform *self)
{
	g_free(self->os);
	g_free(self->architecture);
	g_free(self->variant);
	g_free(self);
}
