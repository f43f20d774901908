#pragma once
#include <satchel/error.h>

/* Who we are to a registry, and how it wants to know. Pure. */

/* The answer to a request without the right credentials. */
typedef struct {
	gboolean is_bearer; /* ask @realm for a token; else Basic */
	char *realm;
	char *service; /* (nullable) */
	char *scope;   /* (nullable) */
} SatchelRegistryChallenge;

/* The value of WWW-Authenticate; FALSE where it is neither Bearer nor Basic. @challenge: zeroed,
 * cleared by the caller. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_registry_challenge_parse(const char *text, SatchelRegistryChallenge *challenge);

/* Where the token is to be had. (transfer full) */
char *satchel_registry_challenge_url(const SatchelRegistryChallenge *self, const char *scope);

void satchel_registry_challenge_clear(SatchelRegistryChallenge *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SatchelRegistryChallenge, satchel_registry_challenge_clear)

/**
 * satchel_registry_auth_find:
 * @config: Docker's config.json, borrowed
 * @host: the registry
 * @basic: (out) (transfer full): "Basic BASE64"; NULL where there is nothing for @host
 *
 * Programs that keep credentials (credsStore, credHelpers) are not run.
 *
 * Errors: SATCHEL_ERROR_USAGE where the file has another form.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_registry_auth_find(GBytes *config, const char *host, char **basic, GError **error);

/* The token of an answer, as "Bearer TOKEN"; NULL where it has none. (transfer full) */
char *satchel_registry_auth_parse_token(GBytes *answer);

/* Is that this machine, so that plain http shows nothing to anybody else? @host: a name or an
 * address, with or without a port. A name of the kind "127.example" is no address. */
gboolean satchel_registry_auth_is_loopback(const char *host);
