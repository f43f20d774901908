#include "image_reference.h"
#include "hex.h"
#include "path_safety.h"
#include <satchel/limits.h>
#include <string.h>

#define DIGEST_MARK "@sha256:"

static gpointer
refuse(GError **error, const char *text, const char *reason)
{
	g_autofree char *quoted = satchel_path_quote(text);

	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_CONTENT_INVALID, "'%s' %s", quoted, reason);
	return NULL;
}

/* What registries allow: it begins and ends with a letter or a digit, so it is never `.` or `..`.
 */
static gboolean
component_is_safe(const char *component, gsize n_bytes, const char *inside)
{
	if (n_bytes == 0 || n_bytes > SATCHEL_LIMIT_NAME_BYTES || !g_ascii_isalnum(component[0]) ||
	    !g_ascii_isalnum(component[n_bytes - 1]))
		return FALSE;
	for (gsize i = 0; i < n_bytes; i++) {
		if (!g_ascii_isalnum(component[i]) && strchr(inside, component[i]) == NULL)
			return FALSE;
	}
	return TRUE;
}

static gboolean
path_is_safe(const char *path)
{
	for (const char *component = path;;) {
		gsize n_bytes = strcspn(component, "/");

		if (!component_is_safe(component, n_bytes, "._-"))
			return FALSE;
		if (component[n_bytes] == '\0')
			return TRUE;
		component += n_bytes + 1;
	}
}

gboolean
satchel_image_reference_is_name(const char *text)
{
	gsize host_bytes = strcspn(text, "/");

	return strlen(text) <= SATCHEL_LIMIT_PATH_BYTES && text[host_bytes] == '/' &&
	       component_is_safe(text, host_bytes, ".-:") && path_is_safe(text + host_bytes + 1);
}

SatchelImageReference *
satchel_image_reference_parse(const char *text, GError **error)
{
	const char *mark = strstr(text, DIGEST_MARK);
	g_autofree char *name = NULL;
	SatchelImageReference *self;
	char *slash;
	char *colon;

	if (mark == NULL || !satchel_hex_is_sha256(mark + strlen(DIGEST_MARK)))
		return refuse(error, text, "is not pinned: it does not end in @sha256:DIGEST");
	name = g_strndup(text, (gsize)(mark - text));
	slash = strrchr(name, '/');
	colon = slash != NULL ? strchr(slash, ':') : NULL;
	if (colon != NULL) {
		if (!component_is_safe(colon + 1, strlen(colon + 1), "._-"))
			return refuse(error, text, "has a tag that is none");
		*colon = '\0';
	}
	if (!satchel_image_reference_is_name(name))
		return refuse(error, text, "is no HOST/PATH@sha256:DIGEST");
	slash = strchr(name, '/');
	self = g_new0(SatchelImageReference, 1);
	self->host = g_strndup(name, (gsize)(slash - name));
	self->path = g_strdup(slash + 1);
	(void)g_strlcpy(self->sha256, mark + strlen(DIGEST_MARK), sizeof self->sha256);
	return self;
}

SatchelImageReference *
satchel_app_uri_parse(const char *text, GError **error)
{
	g_autoptr(SatchelImageReference) self = satchel_image_reference_parse(text, error);
	g_autofree char *plain = NULL;
	const char *slash;

	if (self == NULL)
		return NULL;
	plain = satchel_image_reference_format(self);
	slash = strchr(self->path, '/');
	/* aktualizr-lite compares URIs as text: one spelling only. */
	if (strcmp(plain, text) != 0 || slash == NULL || strchr(slash + 1, '/') != NULL)
		return refuse(error, text, "is no HOST/FACTORY/APP@sha256:DIGEST");
	return g_steal_pointer(&self);
}

const char *
satchel_app_uri_get_app(const SatchelImageReference *self)
{
	return strchr(self->path, '/') + 1;
}

char *
satchel_image_reference_format(const SatchelImageReference *self)
{
	return g_strconcat(self->host, "/", self->path, DIGEST_MARK, self->sha256, NULL);
}

void
satchel_image_reference_free(SatchelImageReference *self)
{
	g_free(self->host);
	g_free(self->path);
	g_free(self);
}
