#include "cli_progress.h"
#include "clock.h"
#include "commands.h"
#include "full_check.h"
#include "hex.h"
#include "oci_document.h"
#include "safe_read.h"
#include "utc_time.h"
#include "verdict_report.h"
#include <satchel/tuf_client.h>
#include <stdio.h>

typedef struct {
	char *root;
	char *store;
	char *hardware_id;
	char **secondary_hardware_ids;
	char **tags;
	char *type;
	char **commits;
	char **apps;
	gboolean no_apps;
	char *platform;
	char *at;
	gint64 lowest_version;
	gboolean full;
	gboolean json;
} VerifyOptions;

static void
options_clear(VerifyOptions *self)
{
	g_free(self->root);
	g_free(self->store);
	g_free(self->hardware_id);
	g_strfreev(self->secondary_hardware_ids);
	g_strfreev(self->tags);
	g_free(self->type);
	g_strfreev(self->commits);
	g_strfreev(self->apps);
	g_free(self->platform);
	g_free(self->at);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VerifyOptions, options_clear)

static const char *const no_apps[] = {NULL};

static gboolean
options_check_platform(const VerifyOptions *self, GError **error)
{
	g_autoptr(SatchelOciPlatform) platform = NULL;

	if (self->no_apps && self->apps != NULL)
		return satchel_cli_usage_error(error, "either --app or --no-apps, not both");
	if (self->platform == NULL)
		return TRUE;
	platform = satchel_oci_platform_parse(self->platform, error);
	return platform != NULL;
}

static gboolean
options_parse(VerifyOptions *self, int *argc, char ***argv, GError **error)
{
	const GOptionEntry entries[] = {
		{"root", 0, 0, G_OPTION_ARG_FILENAME, &self->root,
		 "The root role that the device trusts", "ROOT.json"},
		{"store", 0, 0, G_OPTION_ARG_FILENAME, &self->store,
		 "The trust store of a device, read only", "DIR"},
		{"hardware-id", 0, 0, G_OPTION_ARG_STRING, &self->hardware_id,
		 "The device's hardware id (any)", "ID"},
		{"secondary-hardware-id", 0, 0, G_OPTION_ARG_STRING_ARRAY,
		 &self->secondary_hardware_ids,
		 "A hardware id in the device that is not updated; may be repeated", "ID"},
		{"tag", 0, 0, G_OPTION_ARG_STRING_ARRAY, &self->tags,
		 "A tag of the device (any); may be repeated", "TAG"},
		{"type", 0, 0, G_OPTION_ARG_STRING, &self->type, "The device's type (not compared)",
		 "ci|prod"},
		{"lowest-version", 0, 0, G_OPTION_ARG_INT64, &self->lowest_version,
		 "The lowest version that the device takes (any)", "N"},
		{"from-commit", 0, 0, G_OPTION_ARG_STRING_ARRAY, &self->commits,
		 "A commit that the device has (unknown); may be repeated", "COMMIT"},
		{"app", 0, 0, G_OPTION_ARG_STRING_ARRAY, &self->apps,
		 "An app that the device runs (all of a target's); may be repeated", "NAME"},
		{"no-apps", 0, 0, G_OPTION_ARG_NONE, &self->no_apps, "The device runs no apps",
		 NULL},
		{"platform", 0, 0, G_OPTION_ARG_STRING, &self->platform,
		 "The device's platform, for its images (any)", "OS/ARCH"},
		{"at", 0, 0, G_OPTION_ARG_STRING, &self->at, "The device's clock (this machine's)",
		 "TIME"},
		{"full", 0, 0, G_OPTION_ARG_NONE, &self->full, "Read and hash all content", NULL},
		{"json", 0, 0, G_OPTION_ARG_NONE, &self->json, "Print the verdict as JSON", NULL},
		{NULL, 0, 0, 0, NULL, NULL, NULL},
	};

	if (!satchel_cli_parse(entries, argc, argv, error))
		return FALSE;
	if (*argc != 2)
		return satchel_cli_usage_error(error, *argc < 2 ? "no bundle given"
								: "more than one bundle given");
	if (self->root != NULL && self->store != NULL)
		return satchel_cli_usage_error(error, "either --root or --store, not both");
	if (self->type != NULL && g_strcmp0(self->type, "ci") != 0 &&
	    g_strcmp0(self->type, "prod") != 0)
		return satchel_cli_usage_error(error, "--type is neither ci nor prod");
	if (self->lowest_version < 0)
		return satchel_cli_usage_error(error, "--lowest-version is below 0");
	for (guint i = 0; self->commits != NULL && self->commits[i] != NULL; i++)
		if (!satchel_hex_is_sha256(self->commits[i]))
			return satchel_cli_usage_error(error, "--from-commit is no commit: 64 "
							      "lower-case hex digits");
	return options_check_platform(self, error);
}

static gboolean
options_to_profile(const VerifyOptions *self, SatchelDeviceProfile *profile, GError **error)
{
	profile->hardware_id = self->hardware_id;
	profile->secondary_hardware_ids = (const char *const *)self->secondary_hardware_ids;
	profile->tags = (const char *const *)self->tags;
	profile->type = self->type;
	profile->commits = (const char *const *)self->commits;
	profile->apps = self->no_apps ? no_apps : (const char *const *)self->apps;
	profile->platform = self->platform;
	profile->floor_s = satchel_clock_program_built_s();
	profile->clock_s = satchel_clock_now_s();
	if (self->at == NULL || satchel_utc_time_parse(self->at, &profile->clock_s, NULL))
		return TRUE;
	return satchel_cli_usage_error(error, "--at is not a time like 2026-01-31T12:00:00Z");
}

/* A store in memory that trusts the root in the file. */
static SatchelTrustStore *
verify_store_from_root(const char *path, GError **error)
{
	g_autoptr(GBytes) root = satchel_safe_read_named(path, SATCHEL_LIMIT_ROOT_BYTES, error);
	g_autoptr(SatchelTrustStore) store = NULL;

	if (root == NULL)
		return NULL;
	store = satchel_trust_store_open(NULL, SATCHEL_TRUST_STORE_READ_ONLY, error);
	if (store == NULL || !satchel_tuf_client_init(store, root, error))
		return NULL;
	return g_steal_pointer(&store);
}

static SatchelTrustStore *
verify_open_store(const VerifyOptions *options, SatchelDeviceProfile *profile, GError **error)
{
	g_autoptr(SatchelTrustStore) store = NULL;
	gint64 floor_s = 0;

	if (options->root != NULL)
		return verify_store_from_root(options->root, error);
	if (options->store == NULL) {
		g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND,
				    "no trusted root: give --root ROOT.json, or --store DIR of a "
				    "device");
		return NULL;
	}
	store = satchel_trust_store_open(options->store, SATCHEL_TRUST_STORE_READ_ONLY, error);
	if (store == NULL || !satchel_trust_store_load_floor(store, &floor_s, error))
		return NULL;
	profile->floor_s = MAX(profile->floor_s, floor_s);
	return g_steal_pointer(&store);
}

/* Nothing is downloaded here: an altered commit is content that the bundle lacks, and with --full
 * content that is wrong. */
static void
rename_altered(SatchelVerdict *verdict, gboolean full)
{
	for (guint i = 0; i < verdict->reasons->len; i++) {
		GError *reason = verdict->reasons->pdata[i];

		if (g_error_matches(reason, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED))
			reason->code = full ? SATCHEL_ERROR_CONTENT_INVALID
					    : SATCHEL_ERROR_NO_TARGET_CONTENT;
	}
}

/* Whether the device would refuse what the bundle has as too old. */
static void
verify_floor(SatchelVerdict *verdict, const SatchelDeviceProfile *profile, gint64 lowest_version)
{
	SatchelTargetFilter filter = satchel_device_profile_filter(profile);
	SatchelTargetQuestion question = {.candidates = verdict->targets};
	g_auto(SatchelTargetChoice) choice = {0};
	GError *reason = NULL;

	question.lowest_version =
		MAX(lowest_version, satchel_target_lowest_version(verdict->role, &filter));
	if (!satchel_target_choose(&question, &choice, &reason) ||
	    !satchel_target_choice_check(&choice, &reason))
		satchel_verdict_add_reason(verdict, profile, reason);
}

static SatchelVerdict *
verify_judge(const VerifyOptions *options, const char *path, SatchelDeviceProfile *profile,
	     GError **error)
{
	g_autoptr(SatchelBundleReader) bundle = NULL;
	g_autoptr(SatchelTrustStore) store = NULL;
	SatchelVerdict *verdict;

	store = verify_open_store(options, profile, error);
	if (store == NULL)
		return NULL;
	bundle = satchel_bundle_reader_open(path, error);
	if (bundle == NULL)
		return NULL;
	verdict = satchel_bundle_judge(bundle, store, profile, error);
	if (verdict != NULL && satchel_verdict_is_accepted(verdict))
		verify_floor(verdict, profile, options->lowest_version);
	if (verdict != NULL && options->full)
		satchel_full_check(bundle, verdict, profile, satchel_cli_progress());
	return verdict;
}

/* What kept a verdict from being found refuses the bundle too, so that --json tells of it. */
static SatchelVerdict *
verify_failed(const SatchelDeviceProfile *profile, GError *reason)
{
	SatchelVerdict *verdict = satchel_verdict_new();

	satchel_verdict_add_reason(verdict, profile, reason);
	return verdict;
}

gboolean
satchel_cmd_verify(int argc, char **argv, SatchelOutcome *outcome, GError **error)
{
	g_auto(VerifyOptions) options = {0};
	g_autoptr(SatchelVerdict) verdict = NULL;
	g_autofree char *report = NULL;
	SatchelDeviceProfile profile = {0};
	SatchelVerdictContext context;
	GError *reason = NULL;

	if (!options_parse(&options, &argc, &argv, error) ||
	    !options_to_profile(&options, &profile, error))
		return FALSE;
	verdict = verify_judge(&options, argv[1], &profile, &reason);
	if (verdict == NULL)
		verdict = verify_failed(&profile, reason);
	rename_altered(verdict, options.full);
	context = (SatchelVerdictContext){argv[1], &profile, options.full};
	report = options.json ? satchel_verdict_report_json(verdict, &context)
			      : satchel_verdict_report_text(verdict, &context);
	if (fputs(report, stdout) < 0 || fflush(stdout) != 0) {
		g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
				    "the verdict could not be written");
		return FALSE;
	}
	*outcome = SATCHEL_OUTCOME_DONE;
	if (satchel_verdict_is_accepted(verdict))
		return TRUE;
	g_propagate_error(error, g_error_copy(satchel_verdict_get_reason(verdict, 0)));
	return FALSE;
}
