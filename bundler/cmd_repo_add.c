#include "../verify/clock.h"
#include "../verify/json.h"
#include "../verify/safe_read.h"
#include "commands.h"
#include "options.h"
#include "repo_publish.h"
#include "target_author.h"

#define CUSTOM_MAX_BYTES (1024u * 1024u)

/* The command line as it stands. */
typedef struct {
	char *name;
	char *version;
	char *hardware_id;
	char **tags;
	char *commit;
	char *lowest_version;
	char **apps;
	char *custom;
} Arguments;

static void
arguments_clear(Arguments *arguments)
{
	g_free(arguments->name);
	g_free(arguments->version);
	g_free(arguments->hardware_id);
	g_strfreev(arguments->tags);
	g_free(arguments->commit);
	g_free(arguments->lowest_version);
	g_strfreev(arguments->apps);
	g_free(arguments->custom);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Arguments, arguments_clear)

static gboolean
require_all(const Arguments *arguments, GError **error)
{
	return satchel_options_require("--name", arguments->name, error) &&
	       satchel_options_require("--version", arguments->version, error) &&
	       satchel_options_require("--hardware-id", arguments->hardware_id, error) &&
	       satchel_options_require("--tag", arguments->tags, error) &&
	       satchel_options_require("--commit", arguments->commit, error);
}

static GPtrArray *
parse_apps(char **texts, GError **error)
{
	g_autoptr(GPtrArray) apps =
		g_ptr_array_new_with_free_func((GDestroyNotify)satchel_target_author_free_app);

	for (; texts != NULL && *texts != NULL; texts++) {
		SatchelAppDraft *app = satchel_target_author_parse_app(*texts, error);

		if (app == NULL)
			return NULL;
		g_ptr_array_add(apps, app);
	}
	return g_steal_pointer(&apps);
}

static json_t *
load_custom(const char *path, GError **error)
{
	g_autoptr(GBytes) file = satchel_safe_read_named(path, CUSTOM_MAX_BYTES, error);
	g_autoptr(GError) local_error = NULL;
	json_t *custom;

	if (file == NULL)
		return NULL;
	custom = satchel_json_parse(file, &local_error);
	/* No role that anybody trusts is wrong, only what the user gave. */
	if (custom == NULL)
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE, "--custom: %s: %s", path,
			    local_error->message);
	return custom;
}

static gboolean
add_target(const char *path, const SatchelTargetDraft *draft, GError **error)
{
	g_autoptr(SatchelRepoStore) repo = satchel_repo_store_open(path, error);
	g_autoptr(SatchelJson) targets = NULL;
	g_autofree char *name = NULL;
	gboolean valid = FALSE;

	if (repo == NULL)
		return FALSE;
	targets = satchel_repo_store_load_role(repo, SATCHEL_ROLE_TARGETS, &valid, error);
	if (targets == NULL)
		return FALSE;
	name = satchel_target_author_add(json_object_get(targets, "signed"), draft, error);
	if (name == NULL || !satchel_repo_publish_targets(repo, targets, draft->now_s, error))
		return FALSE;
	satchel_cli_note("%s: target %s added; `repo publish` makes it known", path, name);
	return TRUE;
}

static gboolean
run(const char *path, const Arguments *arguments, GError **error)
{
	g_autoptr(GPtrArray) apps = NULL;
	g_autoptr(SatchelJson) custom = NULL;
	SatchelTargetDraft draft = {
		.name = arguments->name,
		.hardware_id = arguments->hardware_id,
		.tags = (const char *const *)arguments->tags,
		.commit = arguments->commit,
	};

	if (!satchel_options_parse_number("--version", arguments->version, 1, G_MAXINT32,
					  &draft.version, error) ||
	    (arguments->lowest_version != NULL &&
	     !satchel_options_parse_number("--lowest-version", arguments->lowest_version, 1,
					   G_MAXINT32, &draft.lowest_version, error)) ||
	    !satchel_clock_build_now_s(&draft.now_s, error))
		return FALSE;
	apps = parse_apps(arguments->apps, error);
	if (apps == NULL)
		return FALSE;
	if (arguments->custom != NULL) {
		custom = load_custom(arguments->custom, error);
		if (custom == NULL)
			return FALSE;
	}
	draft.apps = apps;
	draft.custom = custom;
	return add_target(path, &draft, error);
}

gboolean
satchel_cmd_repo_add(int argc, char **argv, SatchelOutcome *outcome, GError **error)
{
	g_auto(Arguments) arguments = {0};
	const GOptionEntry entries[] = {
		{"name", 0, 0, G_OPTION_ARG_STRING, &arguments.name,
		 "The target is called NAME-VERSION", "NAME"},
		{"version", 0, 0, G_OPTION_ARG_STRING, &arguments.version,
		 "Number of the release; a higher one is newer", "N"},
		{"hardware-id", 0, 0, G_OPTION_ARG_STRING, &arguments.hardware_id,
		 "Devices with this id can take it", "ID"},
		{"tag", 0, 0, G_OPTION_ARG_STRING_ARRAY, &arguments.tags,
		 "Devices that follow this tag take it (repeatable)", "TAG"},
		{"commit", 0, 0, G_OPTION_ARG_STRING, &arguments.commit,
		 "The OSTree commit of the system", "SHA256"},
		{"lowest-version", 0, 0, G_OPTION_ARG_STRING, &arguments.lowest_version,
		 "Devices that know this target take nothing below it", "N"},
		{"app", 0, 0, G_OPTION_ARG_STRING_ARRAY, &arguments.apps,
		 "A Compose app, HOST/FACTORY/APP@sha256:HEX (repeatable)", "NAME=URI"},
		{"custom", 0, 0, G_OPTION_ARG_FILENAME, &arguments.custom,
		 "Further members of the target's custom object", "FILE.json"},
		G_OPTION_ENTRY_NULL,
	};
	const char *path = satchel_options_parse(entries, argc, argv, "REPO", error);

	return path != NULL && require_all(&arguments, error) && run(path, &arguments, error);
}
