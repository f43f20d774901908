#include "../verify/clock.h"
#include "../verify/hex.h"
#include "commands.h"
#include "options.h"
#include "repo_publish.h"
#include "work_folder.h"
#include <string.h>

#define MAX_DAYS 36525
#define MAX_KEYS 16

/* Root outlives the devices' first years, the others a year of not publishing: a bundle must expire
 * before every role that it carries. */
static const SatchelRepoSettings defaults = {
	.dialect = SATCHEL_DIALECT_UPTANE,
	.scheme = SATCHEL_SCHEME_ED25519,
	.expires_days =
		{
			[SATCHEL_ROLE_ROOT] = 3650,
			[SATCHEL_ROLE_TARGETS] = 365,
			[SATCHEL_ROLE_SNAPSHOT] = 365,
			[SATCHEL_ROLE_TIMESTAMP] = 365,
		},
};

static gboolean
parse_dialect(const char *text, SatchelDialect *dialect, GError **error)
{
	if (strcmp(text, "uptane") == 0)
		*dialect = SATCHEL_DIALECT_UPTANE;
	else if (strcmp(text, "tuf") == 0)
		*dialect = SATCHEL_DIALECT_TUF;
	else
		return satchel_cli_usage_error(error, "--dialect must be uptane or tuf");
	return TRUE;
}

static gboolean
parse_scheme(const char *text, SatchelScheme *scheme, GError **error)
{
	if (strcmp(text, "ed25519") == 0)
		*scheme = SATCHEL_SCHEME_ED25519;
	else if (strcmp(text, "rsa") == 0)
		*scheme = SATCHEL_SCHEME_RSASSA_PSS_SHA256;
	else if (strcmp(text, "ecdsa") == 0)
		*scheme = SATCHEL_SCHEME_ECDSA_SHA2_NISTP256;
	else
		return satchel_cli_usage_error(error, "--key-type must be ed25519, rsa or ecdsa");
	return TRUE;
}

static gboolean
check_settings(const SatchelRepoSettings *settings, GError **error)
{
	/* A key type that a device does not know makes it refuse the whole root. */
	if (settings->dialect == SATCHEL_DIALECT_UPTANE &&
	    settings->scheme == SATCHEL_SCHEME_ECDSA_SHA2_NISTP256)
		return satchel_cli_usage_error(
			error, "the uptane dialect has no ecdsa keys; use ed25519 or rsa");
	return TRUE;
}

static gboolean
create(const char *path, const SatchelRepoSettings *settings, const gint64 n_keys[SATCHEL_N_ROLES],
       GError **error)
{
	g_autoptr(SatchelWorkFolder) folder = NULL;
	g_autoptr(SatchelRepoStore) repo = NULL;
	gint64 now_s = 0;

	if (!satchel_clock_build_now_s(&now_s, error))
		return FALSE;
	if (!satchel_work_folder_is_free(path, error)) {
		if (error != NULL && *error == NULL)
			g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
				    "%s: not empty; a repository is never overwritten", path);
		return FALSE;
	}
	folder = satchel_work_folder_begin(path, error);
	if (folder == NULL)
		return FALSE;
	repo = satchel_repo_store_create(satchel_work_folder_get_fd(folder),
					 satchel_work_folder_get_path(folder), settings, error);
	return repo != NULL && satchel_repo_publish_create(repo, n_keys, now_s, error) &&
	       satchel_work_folder_commit(folder, FALSE, error);
}

gboolean
satchel_cmd_repo_init(int argc, char **argv, SatchelOutcome *outcome, GError **error)
{
	g_autofree char *dialect = NULL;
	g_autofree char *key_type = NULL;
	g_auto(GStrv) expires = NULL;
	g_auto(GStrv) thresholds = NULL;
	const GOptionEntry entries[] = {
		{"dialect", 0, 0, G_OPTION_ARG_STRING, &dialect,
		 "uptane (the default: what devices in the field speak) or tuf", "DIALECT"},
		{"key-type", 0, 0, G_OPTION_ARG_STRING, &key_type,
		 "ed25519 (the default), rsa, or ecdsa (tuf only)", "TYPE"},
		{"expires", 0, 0, G_OPTION_ARG_STRING_ARRAY, &expires,
		 "Days until a role expires (root 3650, others 365)", "ROLE=DAYS"},
		{"threshold", 0, 0, G_OPTION_ARG_STRING_ARRAY, &thresholds,
		 "Make N keys, all of which must sign (1)", "ROLE=N"},
		G_OPTION_ENTRY_NULL,
	};
	SatchelRepoSettings settings = defaults;
	gint64 n_keys[SATCHEL_N_ROLES] = {1, 1, 1, 1};
	const char *path = satchel_options_parse(entries, argc, argv, "REPO", error);

	if (path == NULL ||
	    (dialect != NULL && !parse_dialect(dialect, &settings.dialect, error)) ||
	    (key_type != NULL && !parse_scheme(key_type, &settings.scheme, error)) ||
	    !check_settings(&settings, error) ||
	    !satchel_options_parse_per_role("--expires", expires, 1, MAX_DAYS,
					    settings.expires_days, error) ||
	    !satchel_options_parse_per_role("--threshold", thresholds, 1, MAX_KEYS, n_keys, error))
		return FALSE;
	if (!create(path, &settings, n_keys, error))
		return FALSE;
	satchel_cli_note("%s: made, with its private keys in %s/keys: keep them safe", path, path);
	return TRUE;
}
