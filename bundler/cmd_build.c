#include "../verify/bundle_thin.h"
#include "../verify/cli_progress.h"
#include "../verify/clock.h"
#include "../verify/digest.h"
#include "../verify/path_safety.h"
#include "../verify/progress.h"
#include "bundle_bases.h"
#include "bundle_plan.h"
#include "collect_bundle_apps.h"
#include "collect_ostree.h"
#include "collect_tuf.h"
#include "commands.h"
#include "interrupt.h"
#include "options.h"
#include "pack_bundle.h"
#include "place.h"
#include "sign_bundle.h"
#include "work_folder.h"
#include "write_directory.h"
#include <satchel/bundle_layout.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PACKED_SUFFIX ".satchel"
#define MAX_DAYS 36525
#define DEFAULT_DAYS "30"
#define LAST_SECOND 253402300799 /* of the year 9999 */

/* The command line as it stands. */
typedef struct {
	char *tuf;
	char *ostree;
	char *apps;
	char **targets;
	char **from;
	gboolean delta;
	char *tag;
	char *type;
	char *days;
	char **keys;
	char *format;
	char *split;
	gboolean force;
} Arguments;

static void
arguments_clear(Arguments *arguments)
{
	g_free(arguments->tuf);
	g_free(arguments->ostree);
	g_free(arguments->apps);
	g_strfreev(arguments->targets);
	g_strfreev(arguments->from);
	g_free(arguments->tag);
	g_free(arguments->type);
	g_free(arguments->days);
	g_strfreev(arguments->keys);
	g_free(arguments->format);
	g_free(arguments->split);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Arguments, arguments_clear)

/* All that is decided before anything is written. */
typedef struct {
	SatchelBundleRequest request;
	SatchelTufCollection *tuf;
	SatchelBundlePlan *plan;
	GPtrArray *signers;
	SatchelBundleThin *thin;    /* NULL: all objects go in */
	SatchelCollectedApps *apps; /* NULL: none are carried */
} Build;

static void
build_clear(Build *build)
{
	g_clear_pointer(&build->plan, satchel_bundle_plan_free);
	g_clear_pointer(&build->thin, satchel_bundle_thin_free);
	g_clear_pointer(&build->apps, satchel_collected_apps_free);
	g_clear_pointer(&build->signers, g_ptr_array_unref);
	g_clear_pointer(&build->tuf, satchel_tuf_collection_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Build, build_clear)

static gboolean
check_arguments(const Arguments *arguments, GError **error)
{
	if (arguments->delta && arguments->from == NULL) {
		g_set_error_literal(
			error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE,
			"--delta needs --from: a delta leads from one commit to another");
		return FALSE;
	}
	return satchel_options_require("--tuf", arguments->tuf, error) &&
	       satchel_options_require("--ostree", arguments->ostree, error) &&
	       satchel_options_require("--target", arguments->targets, error) &&
	       satchel_options_require("--tag", arguments->tag, error) &&
	       satchel_options_require("--type", arguments->type, error);
}

/* A name that says what the file is needs no option beside it. */
static gboolean
choose_format(const Arguments *arguments, const char *output, gboolean *is_packed, GError **error)
{
	*is_packed = g_str_has_suffix(output, PACKED_SUFFIX);
	if (arguments->format != NULL)
		*is_packed = strcmp(arguments->format, "packed") == 0;
	if (arguments->format != NULL && !*is_packed && strcmp(arguments->format, "dir") != 0)
		return satchel_cli_usage_error(error, "--format is neither dir nor packed");
	if (arguments->split != NULL && !*is_packed)
		return satchel_cli_usage_error(error, "--split is for --format packed");
	return TRUE;
}

static gboolean
make_request(const Arguments *arguments, SatchelBundleRequest *request, GError **error)
{
	gint64 days = 0;

	if (!satchel_clock_build_now_s(&request->issued_s, error) ||
	    !satchel_options_parse_number("--expires-in-days",
					  arguments->days != NULL ? arguments->days : DEFAULT_DAYS,
					  1, MAX_DAYS, &days, error))
		return FALSE;
	request->targets = (const char *const *)arguments->targets;
	request->tag = arguments->tag;
	request->type = arguments->type;
	request->expires_s = MIN(request->issued_s + days * 86400, LAST_SECOND);
	return TRUE;
}

static gboolean
prepare(const Arguments *arguments, Build *build, GError **error)
{
	SatchelBundleRoles roles;

	if (!make_request(arguments, &build->request, error))
		return FALSE;
	build->tuf = satchel_collect_tuf_load(arguments->tuf, build->request.issued_s, error);
	if (build->tuf == NULL)
		return FALSE;
	roles = satchel_collect_tuf_get_roles(build->tuf);
	build->plan = satchel_bundle_plan_new(&build->request, &roles, error);
	if (build->plan == NULL)
		return FALSE;
	if (arguments->apps != NULL) {
		build->apps = satchel_collect_bundle_apps_plan(arguments->apps, build->plan, error);
		if (build->apps == NULL)
			return FALSE;
	}
	build->signers = satchel_sign_bundle_load_signers(roles.root, arguments->keys, error);
	if (build->signers == NULL || arguments->from == NULL)
		return build->signers != NULL;
	build->thin = satchel_bundle_bases_resolve((const char *const *)arguments->from,
						   arguments->ostree, roles.targets, error);
	return build->thin != NULL;
}

/* SOURCE_DATE_EPOCH is often the time of the source, and the commit was made after it. */
static gboolean
check_commit_times(const Build *build, SatchelOstreeCollection *ostree, GError **error)
{
	gint64 now_s = MAX(build->request.issued_s, satchel_clock_now_s());

	for (guint i = 0; i < satchel_bundle_plan_get_n_targets(build->plan); i++) {
		gint64 time_s = 0;

		if (!satchel_collect_ostree_get_commit_time(ostree, i, &time_s, error) ||
		    !satchel_bundle_plan_check_commit_time(build->plan, i, time_s, now_s, error))
			return FALSE;
	}
	return TRUE;
}

/* What a device would stumble over, though the bundle is in order. */
static void
warn(const Build *build)
{
	for (guint i = 0; i < satchel_bundle_plan_get_n_targets(build->plan); i++) {
		const SatchelOstreeTarget *target = satchel_bundle_plan_get_target(build->plan, i);
		const char *name = satchel_ostree_target_get_name(target);

		if (satchel_ostree_target_get_n_apps(target) > 0 && build->apps == NULL)
			satchel_cli_note("note: %s has apps; the bundle carries its system only",
					 name);
		if (!g_strv_contains(satchel_ostree_target_get_tags(target), build->request.tag))
			satchel_cli_note("note: %s does not have the tag %s of the bundle", name,
					 build->request.tag);
	}
}

/* bundle-targets.json, over the manifest's hash, comes last. */
static gboolean
write_head(const Build *build, int dir_fd, const SatchelManifest *manifest, guint *n_missing,
	   GError **error)
{
	SatchelBundleRoles roles = satchel_collect_tuf_get_roles(build->tuf);
	g_autoptr(GBytes) text = satchel_manifest_to_bytes(manifest);
	g_autofree char *sha256 = g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, text);
	json_t *meta =
		satchel_bundle_plan_to_meta(build->plan, satchel_targets_get_version(roles.targets),
					    sha256, g_bytes_get_size(text), build->thin);
	g_autoptr(GBytes) file = satchel_sign_bundle_seal(roles.root, meta, build->signers, error);

	json_decref(meta);
	return file != NULL &&
	       satchel_write_directory_put(dir_fd, SATCHEL_BUNDLE_MANIFEST, text, NULL, error) &&
	       satchel_write_directory_put(dir_fd, SATCHEL_BUNDLE_META, file, NULL, error) &&
	       satchel_sign_bundle_count_missing(roles.root, file, n_missing, error);
}

static gboolean
write_bundle(const Build *build, SatchelOstreeCollection *ostree, int dir_fd, guint *n_missing,
	     GError **error)
{
	g_autoptr(SatchelManifest) manifest = satchel_manifest_new();
	guint64 app_bytes =
		build->apps != NULL ? satchel_collect_bundle_apps_get_bytes(build->apps) : 0;
	g_autoptr(SatchelProgress) progress =
		satchel_progress_begin(satchel_cli_progress(), "building",
				       satchel_collect_ostree_get_source_bytes(ostree) + app_bytes);

	return satchel_collect_tuf_write(build->tuf, dir_fd, manifest, error) &&
	       satchel_collect_ostree_write(ostree, dir_fd,
					    satchel_bundle_plan_get_names(build->plan), manifest,
					    progress, error) &&
	       (build->apps == NULL || satchel_collect_bundle_apps_write(
					       build->apps, dir_fd, manifest, progress, error)) &&
	       write_head(build, dir_fd, manifest, n_missing, error);
}

static gboolean
build_folder(const Build *build, SatchelOstreeCollection *ostree, const Arguments *arguments,
	     const char *output, guint *n_missing, GError **error)
{
	g_autoptr(SatchelWorkFolder) folder = satchel_work_folder_begin(output, error);

	return folder != NULL &&
	       write_bundle(build, ostree, satchel_work_folder_get_fd(folder), n_missing, error) &&
	       satchel_interrupt_check(error) &&
	       satchel_work_folder_commit(folder, arguments->force, error);
}

/* The manifest stands before the objects that it lists, so these are made first, in a folder that
 * goes away. */
static gboolean
build_packed(const Build *build, SatchelOstreeCollection *ostree, const Arguments *arguments,
	     const char *output, guint *n_missing, GError **error)
{
	SatchelPackedOutputOptions options = {.replace = arguments->force};
	g_autoptr(SatchelPackedOutput) packed = NULL;
	int dir_fd;
	gboolean done;

	if (arguments->split != NULL &&
	    !satchel_options_parse_size("--split", arguments->split, &options.split_bytes, error))
		return FALSE;
	packed = satchel_packed_output_begin(output, &options, error);
	if (packed == NULL)
		return FALSE;
	dir_fd = satchel_packed_output_make_folder(packed, error);
	if (dir_fd < 0)
		return FALSE;
	done = write_bundle(build, ostree, dir_fd, n_missing, error);
	close(dir_fd);
	return done && satchel_pack_folder(packed, error);
}

static gboolean
run(const Arguments *arguments, const char *output, GError **error)
{
	g_auto(Build) build = {0};
	g_autoptr(SatchelOstreeCollection) ostree = NULL;
	gboolean is_packed = FALSE;
	guint n_missing = 0;

	if (!choose_format(arguments, output, &is_packed, error) ||
	    (!is_packed && !satchel_place_check(output, arguments->force, error)) ||
	    !prepare(arguments, &build, error))
		return FALSE;
	ostree = satchel_collect_ostree_plan(
		arguments->ostree, satchel_bundle_plan_get_commits(build.plan), build.thin, error);
	if (ostree == NULL || !check_commit_times(&build, ostree, error))
		return FALSE;
	if (arguments->delta)
		satchel_collect_ostree_want_deltas(ostree, build.request.issued_s);
	warn(&build);
	if (!(is_packed ? build_packed : build_folder)(&build, ostree, arguments, output,
						       &n_missing, error))
		return FALSE;
	satchel_cli_note("%s: built, %u objects", output,
			 satchel_collect_ostree_get_n_objects(ostree));
	if (build.apps != NULL)
		satchel_cli_note("%s: %u apps", output,
				 satchel_collect_bundle_apps_get_n_apps(build.apps));
	if (n_missing > 0)
		satchel_cli_note("%s: %u more of the targets keys must sign it: "
				 "`satchel-bundler sign`",
				 output, n_missing);
	return TRUE;
}

gboolean
satchel_cmd_build(int argc, char **argv, SatchelOutcome *outcome, GError **error)
{
	g_auto(Arguments) arguments = {0};
	const GOptionEntry entries[] = {
		{"tuf", 0, 0, G_OPTION_ARG_FILENAME, &arguments.tuf,
		 "Folder of TUF metadata, or the repository that `repo` made", "DIR"},
		{"ostree", 0, 0, G_OPTION_ARG_FILENAME, &arguments.ostree,
		 "OSTree repository with the targets' commits", "REPO"},
		{"apps", 0, 0, G_OPTION_ARG_FILENAME, &arguments.apps,
		 "App store with the targets' apps; without it no apps are carried", "STORE"},
		{"target", 0, 0, G_OPTION_ARG_STRING_ARRAY, &arguments.targets,
		 "A target to carry (repeatable)", "NAME-VERSION"},
		{"from", 0, 0, G_OPTION_ARG_STRING_ARRAY, &arguments.from,
		 "Leave out what devices on it have: commit, target, branch (repeatable)",
		 "COMMIT"},
		{"delta", 0, 0, G_OPTION_ARG_NONE, &arguments.delta,
		 "Binary deltas from each --from where they are smaller", NULL},
		{"tag", 0, 0, G_OPTION_ARG_STRING, &arguments.tag,
		 "Devices that follow this tag take the bundle", "TAG"},
		{"type", 0, 0, G_OPTION_ARG_STRING, &arguments.type,
		 "Devices of this type take the bundle", "ci|prod"},
		{"expires-in-days", 0, 0, G_OPTION_ARG_STRING, &arguments.days,
		 "How long devices take the bundle (" DEFAULT_DAYS ")", "DAYS"},
		{"key", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &arguments.keys,
		 "A targets key, PEM or fioctl key archive (repeatable)", "FILE"},
		{"format", 0, 0, G_OPTION_ARG_STRING, &arguments.format,
		 "A folder (the default), or one file (of a name.satchel)", "dir|packed"},
		{"split", 0, 0, G_OPTION_ARG_STRING, &arguments.split,
		 "Packed: files of at most SIZE, OUTPUT.000 and so on", "SIZE"},
		{"force", 0, 0, G_OPTION_ARG_NONE, &arguments.force, "Replace what is at OUTPUT",
		 NULL},
		G_OPTION_ENTRY_NULL,
	};
	const char *output = satchel_options_parse(entries, argc, argv, "OUTPUT", error);

	if (output == NULL || !check_arguments(&arguments, error))
		return FALSE;
	satchel_interrupt_watch();
	(void)umask(022); /* whoever builds it: everybody may read a bundle */
	return run(&arguments, output, error);
}
