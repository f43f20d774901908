#include "image_name.h"
#include "../verify/hex.h"
#include "../verify/image_reference.h"
#include "../verify/path_safety.h"
#include <string.h>

#define DIGEST_MARK "@sha256:"
#define DEFAULT_HOST "docker.io"

/* Whether the part before the first `/` is a host and not the first folder: Docker's rule. */
static gboolean
begins_with_host(const char *name)
{
	gsize n_bytes = strcspn(name, "/");
	g_autofree char *first = g_strndup(name, n_bytes);

	return name[n_bytes] == '/' &&
	       (strpbrk(first, ".:") != NULL || strcmp(first, "localhost") == 0);
}

static gboolean
split_digest(SatchelImageName *self, char *text)
{
	char *mark = strchr(text, '@');

	if (mark == NULL)
		return TRUE;
	if (!g_str_has_prefix(mark, DIGEST_MARK) ||
	    !satchel_hex_is_sha256(mark + strlen(DIGEST_MARK)))
		return FALSE;
	(void)g_strlcpy(self->sha256, mark + strlen(DIGEST_MARK), sizeof self->sha256);
	*mark = '\0';
	return TRUE;
}

static gboolean
split_tag(SatchelImageName *self, char *text)
{
	char *slash = strrchr(text, '/');
	char *colon = strchr(slash != NULL ? slash : text, ':');

	if (colon != NULL) {
		self->tag = g_strdup(colon + 1);
		*colon = '\0';
	} else if (*self->sha256 == '\0') {
		self->tag = g_strdup("latest");
	}
	return self->tag == NULL ||
	       (*self->tag != '\0' && g_ascii_isalnum(*self->tag) && strlen(self->tag) <= 128 &&
		strspn(self->tag, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "0123456789._-") == strlen(self->tag));
}

static gboolean
split_host(SatchelImageName *self, const char *text)
{
	const char *slash = strchr(text, '/');
	g_autofree char *whole = NULL;

	if (begins_with_host(text)) {
		self->host = g_strndup(text, (gsize)(slash - text));
		self->path = g_strdup(slash + 1);
	} else {
		self->host = g_strdup(DEFAULT_HOST);
		self->path = g_strdup(text);
	}
	if (strcmp(self->host, "index.docker.io") == 0) {
		g_free(self->host);
		self->host = g_strdup(DEFAULT_HOST);
	}
	if (strcmp(self->host, DEFAULT_HOST) == 0 && strchr(self->path, '/') == NULL) {
		char *path = g_strconcat("library/", self->path, NULL);

		g_free(self->path);
		self->path = path;
	}
	whole = satchel_image_name_format(self);
	return satchel_image_reference_is_name(whole);
}

SatchelImageName *
satchel_image_name_parse(const char *text, GError **error)
{
	g_autoptr(SatchelImageName) self = g_new0(SatchelImageName, 1);
	g_autofree char *rest = g_strdup(text);
	g_autofree char *quoted = NULL;

	if (split_digest(self, rest) && split_tag(self, rest) && split_host(self, rest))
		return g_steal_pointer(&self);
	quoted = satchel_path_quote(text);
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_CONTENT_INVALID,
		    "'%s' is no image, as in HOST/PATH:TAG; variables cannot be used here", quoted);
	return NULL;
}

char *
satchel_image_name_format(const SatchelImageName *self)
{
	return g_strconcat(self->host, "/", self->path, NULL);
}

char *
satchel_image_name_format_tagged(const SatchelImageName *self)
{
	if (self->tag == NULL)
		return NULL;
	return g_strconcat(self->host, "/", self->path, ":", self->tag, NULL);
}

void
satchel_image_name_free(SatchelImageName *self)
{
	g_free(self->host);
	g_free(self->path);
	g_free(self->tag);
	g_free(self);
}
