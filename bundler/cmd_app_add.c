#include "../verify/cli.h"
#include "app_author.h"
#include "commands.h"
#include "interrupt.h"
#include "options.h"
#include <stdio.h>
#include <sys/stat.h>

/* The command line as it stands. */
typedef struct {
	char *name;
	char *compose;
	char **files;
	char **sources;
	char **platforms;
	char *publish_as;
	char *auth_file;
	char *ca_file;
	gboolean allow_http;
} Arguments;

static void
arguments_clear(Arguments *arguments)
{
	g_free(arguments->name);
	g_free(arguments->compose);
	g_strfreev(arguments->files);
	g_strfreev(arguments->sources);
	g_strfreev(arguments->platforms);
	g_free(arguments->publish_as);
	g_free(arguments->auth_file);
	g_free(arguments->ca_file);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Arguments, arguments_clear)

static GPtrArray *
parse_platforms(char **texts, GError **error)
{
	g_autoptr(GPtrArray) platforms =
		g_ptr_array_new_with_free_func((GDestroyNotify)satchel_oci_platform_free);

	for (; texts != NULL && *texts != NULL; texts++) {
		SatchelOciPlatform *platform = satchel_oci_platform_parse(*texts, error);

		if (platform == NULL)
			return NULL;
		g_ptr_array_add(platforms, platform);
	}
	return g_steal_pointer(&platforms);
}

static GPtrArray *
open_sources(char **texts, const SatchelRegistryOptions *options, GError **error)
{
	g_autoptr(GPtrArray) sources =
		g_ptr_array_new_with_free_func((GDestroyNotify)satchel_image_source_free);
	char *from_registry[] = {(char *)(guintptr) "registry", NULL};

	for (texts = texts != NULL ? texts : from_registry; *texts != NULL; texts++) {
		SatchelImageSource *source = satchel_image_source_open(*texts, options, error);

		if (source == NULL)
			return NULL;
		g_ptr_array_add(sources, source);
	}
	return g_steal_pointer(&sources);
}

static gboolean
run(const char *path, const Arguments *arguments, GError **error)
{
	const SatchelRegistryOptions options = {
		.auth_file = arguments->auth_file,
		.ca_file = arguments->ca_file,
		.allow_http = arguments->allow_http,
	};
	SatchelAppWish wish = {
		.name = arguments->name,
		.publish_as = arguments->publish_as,
		.compose_path = arguments->compose,
		.paths = (const char *const *)arguments->files,
	};
	g_autoptr(GPtrArray) sources = NULL;
	g_autoptr(GPtrArray) platforms = parse_platforms(arguments->platforms, error);
	g_autoptr(SatchelAppStore) store = NULL;
	g_autoptr(SatchelAppClosure) app = NULL;

	if (platforms == NULL || !satchel_app_author_check(&wish, error))
		return FALSE;
	sources = open_sources(arguments->sources, &options, error);
	if (sources == NULL)
		return FALSE;
	wish.images = (SatchelImageWish){sources, platforms};
	store = satchel_app_store_open(path, TRUE, error);
	if (store == NULL)
		return FALSE;
	app = satchel_app_author_add(store, &wish, error);
	if (app == NULL)
		return FALSE;
	satchel_cli_note(
		"%s: app %s added, %u blobs; `repo add --app %s=URI` puts it into a target", path,
		app->name, app->blobs->len, app->name);
	if (printf("%s\n", app->uri) < 0 || fflush(stdout) != 0) {
		g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
				    "the app's URI could not be written");
		return FALSE;
	}
	return TRUE;
}

gboolean
satchel_cmd_app_add(int argc, char **argv, SatchelOutcome *outcome, GError **error)
{
	g_auto(Arguments) arguments = {0};
	const GOptionEntry entries[] = {
		{"name", 0, 0, G_OPTION_ARG_STRING, &arguments.name, "The app's name", "APP"},
		{"compose", 0, 0, G_OPTION_ARG_FILENAME, &arguments.compose,
		 "Its Compose file; becomes docker-compose.yml", "FILE"},
		{"file", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &arguments.files,
		 "A file or folder beside it that goes along (repeatable)", "PATH"},
		{"source", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &arguments.sources,
		 "oci:DIR, docker-archive:FILE, registry (repeatable)", "SOURCE"},
		{"platform", 0, 0, G_OPTION_ARG_STRING_ARRAY, &arguments.platforms,
		 "Of images for several: linux/arm64 (repeatable)", "OS/ARCH"},
		{"publish-as", 0, 0, G_OPTION_ARG_STRING, &arguments.publish_as,
		 "Where devices know the app from", "HOST/FACTORY/APP"},
		{"registry-auth", 0, 0, G_OPTION_ARG_FILENAME, &arguments.auth_file,
		 "Credentials, instead of ~/.docker/config.json", "FILE"},
		{"registry-ca", 0, 0, G_OPTION_ARG_FILENAME, &arguments.ca_file,
		 "PEM: trust these authorities alone", "FILE"},
		{"allow-http", 0, 0, G_OPTION_ARG_NONE, &arguments.allow_http,
		 "Plain http, also to registries on other machines", NULL},
		G_OPTION_ENTRY_NULL,
	};
	const char *path = satchel_options_parse(entries, argc, argv, "STORE", error);

	if (path == NULL || !satchel_options_require("--name", arguments.name, error) ||
	    !satchel_options_require("--compose", arguments.compose, error) ||
	    !satchel_options_require("--publish-as", arguments.publish_as, error))
		return FALSE;
	satchel_interrupt_watch();
	(void)umask(022); /* whoever adds it: everybody may read an app */
	return run(path, &arguments, error);
}
