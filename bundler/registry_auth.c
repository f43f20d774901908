#include "registry_auth.h"
#include "../verify/json.h"
#include <arpa/inet.h>
#include <string.h>

#define DOCKER_HUB "docker.io"
#define DOCKER_HUB_KEY "https://index.docker.io/v1/"

static gboolean
header_is_safe(const char *text)
{
	for (const char *c = text; *c != '\0'; c++) {
		if (g_ascii_iscntrl(*c))
			return FALSE;
	}
	return TRUE;
}

/* One NAME="VALUE" or NAME=VALUE; @text moves behind it. FALSE at the end. */
static gboolean
next_parameter(const char **text, char **name, char **value)
{
	const char *at = *text + strspn(*text, " ,\t");
	gsize name_bytes = strcspn(at, "=, \t");
	GString *found;

	if (name_bytes == 0 || at[name_bytes] != '=')
		return FALSE;
	*name = g_strndup(at, name_bytes);
	at += name_bytes + 1;
	found = g_string_new(NULL);
	if (*at == '"') {
		for (at++; *at != '\0' && *at != '"'; at++) {
			if (*at == '\\' && at[1] != '\0')
				at++;
			g_string_append_c(found, *at);
		}
		at += *at == '"' ? 1 : 0;
	} else {
		gsize n_bytes = strcspn(at, ", \t");

		g_string_append_len(found, at, (gssize)n_bytes);
		at += n_bytes;
	}
	*value = g_string_free(found, FALSE);
	*text = at;
	return TRUE;
}

gboolean
satchel_registry_challenge_parse(const char *text, SatchelRegistryChallenge *challenge)
{
	gsize scheme_bytes = strcspn(text, " ");
	const char *at = text + scheme_bytes;

	challenge->is_bearer = scheme_bytes == 6 && g_ascii_strncasecmp(text, "Bearer", 6) == 0;
	if (!challenge->is_bearer &&
	    !(scheme_bytes == 5 && g_ascii_strncasecmp(text, "Basic", 5) == 0))
		return FALSE;
	for (;;) {
		g_autofree char *name = NULL;
		g_autofree char *value = NULL;
		char **place = NULL;

		if (!next_parameter(&at, &name, &value))
			break;
		if (g_ascii_strcasecmp(name, "realm") == 0)
			place = &challenge->realm;
		else if (g_ascii_strcasecmp(name, "service") == 0)
			place = &challenge->service;
		else if (g_ascii_strcasecmp(name, "scope") == 0)
			place = &challenge->scope;
		if (place != NULL) {
			g_free(*place);
			*place = g_steal_pointer(&value);
		}
	}
	return !challenge->is_bearer || challenge->realm != NULL;
}

char *
satchel_registry_challenge_url(const SatchelRegistryChallenge *self, const char *scope)
{
	g_autoptr(GString) url = g_string_new(self->realm);
	char mark = strchr(self->realm, '?') != NULL ? '&' : '?';

	if (self->service != NULL) {
		g_autofree char *escaped = g_uri_escape_string(self->service, NULL, FALSE);

		g_string_append_printf(url, "%cservice=%s", mark, escaped);
		mark = '&';
	}
	if (self->scope != NULL || scope != NULL) {
		g_autofree char *escaped =
			g_uri_escape_string(self->scope != NULL ? self->scope : scope, NULL, FALSE);

		g_string_append_printf(url, "%cscope=%s", mark, escaped);
	}
	return g_string_free(g_steal_pointer(&url), FALSE);
}

void
satchel_registry_challenge_clear(SatchelRegistryChallenge *self)
{
	g_clear_pointer(&self->realm, g_free);
	g_clear_pointer(&self->service, g_free);
	g_clear_pointer(&self->scope, g_free);
}

/* The entry for the host, by any of the ways in which it is written. */
static const json_t *
find_entry(const json_t *auths, const char *host)
{
	g_autofree char *with_scheme = g_strconcat("https://", host, NULL);
	g_autofree char *with_path = g_strconcat("https://", host, "/v1/", NULL);
	g_autofree char *with_new_path = g_strconcat("https://", host, "/v2/", NULL);
	const char *const keys[] = {host, with_scheme, with_path, with_new_path, NULL};
	const json_t *found = NULL;

	if (strcmp(host, DOCKER_HUB) == 0)
		found = json_object_get(auths, DOCKER_HUB_KEY);
	for (guint i = 0; found == NULL && keys[i] != NULL; i++)
		found = json_object_get(auths, keys[i]);
	return found;
}

static char *
basic_of(const json_t *entry)
{
	const char *auth = json_string_value(json_object_get(entry, "auth"));
	const char *user = json_string_value(json_object_get(entry, "username"));
	const char *password = json_string_value(json_object_get(entry, "password"));
	g_autofree char *pair = NULL;
	g_autofree char *encoded = NULL;

	if (auth != NULL && *auth != '\0' && header_is_safe(auth))
		return g_strconcat("Basic ", auth, NULL);
	if (user == NULL || password == NULL)
		return NULL;
	pair = g_strconcat(user, ":", password, NULL);
	encoded = g_base64_encode((const guchar *)pair, strlen(pair));
	return g_strconcat("Basic ", encoded, NULL);
}

gboolean
satchel_registry_auth_find(GBytes *config, const char *host, char **basic, GError **error)
{
	g_autoptr(GError) local_error = NULL;
	g_autoptr(SatchelJson) object = satchel_json_parse(config, &local_error);
	const json_t *entry;

	*basic = NULL;
	if (object == NULL) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE,
			    "the file of credentials: %s", local_error->message);
		return FALSE;
	}
	entry = find_entry(json_object_get(object, "auths"), host);
	*basic = entry != NULL ? basic_of(entry) : NULL;
	return TRUE;
}

char *
satchel_registry_auth_parse_token(GBytes *answer)
{
	g_autoptr(SatchelJson) object = satchel_json_parse(answer, NULL);
	const char *token = json_string_value(json_object_get(object, "token"));

	if (token == NULL)
		token = json_string_value(json_object_get(object, "access_token"));
	if (token == NULL || *token == '\0' || !header_is_safe(token))
		return NULL;
	return g_strconcat("Bearer ", token, NULL);
}

/* ---- which servers are this machine */

/* Without its port and the brackets of an IPv6 address. (transfer full) */
static char *
strip_port(const char *host)
{
	const char *end = *host == '[' ? strchr(host, ']') : NULL;

	if (end != NULL)
		return g_strndup(host + 1, (gsize)(end - host - 1));
	/* More than one colon without brackets is an address of its own. */
	end = strchr(host, ':');
	return end == NULL || strchr(end + 1, ':') != NULL ? g_strdup(host)
							   : g_strndup(host, (gsize)(end - host));
}

gboolean
satchel_registry_auth_is_loopback(const char *host)
{
	g_autofree char *name = strip_port(host);
	struct in_addr v4;
	struct in6_addr v6;

	if (g_ascii_strcasecmp(name, "localhost") == 0)
		return TRUE;
	if (inet_pton(AF_INET, name, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == IN_LOOPBACKNET;
	return inet_pton(AF_INET6, name, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}
