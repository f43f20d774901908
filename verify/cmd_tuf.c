#include "clock.h"
#include "commands.h"
#include "path_safety.h"
#include "safe_read.h"
#include "tuf_show.h"
#include "verdict.h"
#include <errno.h>
#include <fcntl.h>
#include <satchel/tuf_client.h>
#include <satchel/tuf_source_http.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* What the command line says. */
typedef struct {
	char *metadata_dir;
	char *metadata_url;
	char *metadata_source;
	char *target_dir;
	char *target_base_url;
	char *target_source;
	char **target_names;
	char *ca_file;
	char *certificate;
	char *key;
	char *proxy;
	int connect_timeout_s;
	int stall_timeout_s;
	int max_redirects;
	gboolean https_only;
	gboolean json;
} TufOptions;

static void
tuf_options_clear(TufOptions *self)
{
	g_free(self->metadata_dir);
	g_free(self->metadata_url);
	g_free(self->metadata_source);
	g_free(self->target_dir);
	g_free(self->target_base_url);
	g_free(self->target_source);
	g_strfreev(self->target_names);
	g_free(self->ca_file);
	g_free(self->certificate);
	g_free(self->key);
	g_free(self->proxy);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(TufOptions, tuf_options_clear)

typedef int FolderLock; /* a file descriptor, or -1 */

/* One run: the store, and the one value of "now". */
typedef struct {
	const TufOptions *options;
	SatchelTrustStore *store;
	gint64 clock_s;
	gint64 floor_s;
} TufRun;

static gint64
now_s(const TufRun *run)
{
	return MAX(run->clock_s, run->floor_s);
}

/* ---- init */

static gboolean
tuf_init(const TufRun *run, const char *file, GError **error)
{
	g_autoptr(GBytes) root = satchel_safe_read_named(file, SATCHEL_LIMIT_ROOT_BYTES, error);

	return root != NULL && satchel_tuf_client_init(run->store, root, error);
}

/* ---- refresh, download */

static SatchelTufSource *
open_source(const TufOptions *options, GError **error)
{
	SatchelTufSourceHttpOptions http = {
		.metadata_url = options->metadata_url,
		.artifact_url = options->target_base_url,
		.allow_plain_http = !options->https_only,
		.max_redirects = (guint)options->max_redirects,
		.ca_file = options->ca_file,
		.client_certificate = options->certificate,
		.client_key = options->key,
		.proxy = options->proxy,
		.proxy_from_environment = TRUE,
		.connect_timeout_s = (guint)options->connect_timeout_s,
		.stall_timeout_s = (guint)options->stall_timeout_s,
	};

	if (options->metadata_source != NULL)
		return satchel_tuf_source_directory_new(options->metadata_source,
							options->target_source, error);
	return satchel_tuf_source_http_new(&http, error);
}

static void
report_versions(const SatchelTufClient *client)
{
	satchel_cli_note("root %" G_GINT64_FORMAT ", timestamp %" G_GINT64_FORMAT
			 ", snapshot %" G_GINT64_FORMAT ", targets %" G_GINT64_FORMAT,
			 satchel_root_get_version(satchel_tuf_client_get_root(client)),
			 satchel_timestamp_get_version(satchel_tuf_client_get_timestamp(client)),
			 satchel_snapshot_get_version(satchel_tuf_client_get_snapshot(client)),
			 satchel_targets_get_version(satchel_tuf_client_get_targets(client)));
}

/* Where it was placed goes to stdout. */
static gboolean
download_one(SatchelTufClient *client, const char *name, const char *dir, GError **error)
{
	const SatchelTarget *target = satchel_tuf_client_find_target(client, name, error);
	g_autofree char *placed = NULL;

	if (target == NULL || !satchel_tuf_client_download(client, target, dir, &placed, error))
		return FALSE;
	printf("%s\n", placed);
	return TRUE;
}

/* @target_names: (nullable): what to download after the refresh, in this order. */
static gboolean
tuf_update(const TufRun *run, char **target_names, GError **error)
{
	g_autoptr(SatchelTufSource) source = open_source(run->options, error);
	g_autoptr(SatchelTufClient) client = NULL;

	if (source == NULL)
		return FALSE;
	client = satchel_tuf_client_new(run->store, source, now_s(run), error);
	if (client == NULL || !satchel_tuf_client_refresh(client, error))
		return FALSE;
	if (target_names == NULL)
		report_versions(client);
	for (char **name = target_names; name != NULL && *name != NULL; name++) {
		if (!download_one(client, *name, run->options->target_dir, error))
			return FALSE;
	}
	return TRUE;
}

/* ---- the verbs */

static gboolean
need(const char *verb, const char *option, gboolean given, GError **error)
{
	return given || satchel_cli_usage_error(error, "tuf %s needs %s", verb, option);
}

static gboolean
check_source(const TufOptions *options, const char *verb, GError **error)
{
	if (options->metadata_source != NULL && options->metadata_url != NULL)
		return satchel_cli_usage_error(
			error, "--metadata-url and --metadata-source exclude each other");
	return need(verb, "--metadata-url",
		    options->metadata_url != NULL || options->metadata_source != NULL, error);
}

/* Before anything is asked of the network. */
static gboolean
check_target_dir(const char *dir, GError **error)
{
	g_autofree char *quoted = satchel_path_quote(dir);

	return g_file_test(dir, G_FILE_TEST_IS_DIR) ||
	       satchel_cli_usage_error(error, "--target-dir %s: no such folder", quoted);
}

static gboolean
check_download(const TufOptions *options, GError **error)
{
	gboolean from_folder = options->metadata_source != NULL;

	return need("download", "--target-dir", options->target_dir != NULL, error) &&
	       need("download", "--target-name", options->target_names != NULL, error) &&
	       need("download", from_folder ? "--target-source" : "--target-base-url",
		    (from_folder ? options->target_source : options->target_base_url) != NULL,
		    error) &&
	       check_target_dir(options->target_dir, error);
}

static gboolean
check_numbers(const TufOptions *options, GError **error)
{
	if (options->connect_timeout_s >= 0 && options->stall_timeout_s >= 0 &&
	    options->max_redirects >= 0)
		return TRUE;
	return satchel_cli_usage_error(error, "a number of seconds or redirects is negative");
}

static gboolean
run_verb(const TufRun *run, int argc, char **argv, GError **error)
{
	const TufOptions *options = run->options;
	const char *verb = argv[1];
	gboolean is_init = strcmp(verb, "init") == 0;

	if (argc != (is_init ? 3 : 2))
		return satchel_cli_usage_error(
			error,
			is_init ? "tuf init needs one file, the root to trust"
				: "tuf %s takes no further words",
			verb);
	if (is_init)
		return tuf_init(run, argv[2], error);
	if (strcmp(verb, "show") == 0)
		return satchel_tuf_show(run->store, now_s(run), options->json, error);
	if (strcmp(verb, "refresh") == 0)
		return check_source(options, verb, error) && tuf_update(run, NULL, error);
	if (strcmp(verb, "download") == 0)
		return check_source(options, verb, error) && check_download(options, error) &&
		       tuf_update(run, options->target_names, error);
	return satchel_cli_usage_error(error, "tuf has no verb '%s'", verb);
}

/* Keeps two of us from writing one folder by turns, by which an older role could follow a newer
 * one. It is the folder itself that is locked: a file for it would be a stray one. Closing unlocks.
 * A folder that is not there yet has nothing to lose. */
static gboolean
lock_folder(const char *dir, FolderLock *fd, GError **error)
{
	g_autofree char *quoted = satchel_path_quote(dir);

	*fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*fd < 0 || flock(*fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
		return TRUE;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_BUSY,
		    "%s: another process is using this folder; try again when it is done", quoted);
	return FALSE;
}

static void
unlock_folder(FolderLock *fd)
{
	if (*fd >= 0)
		close(*fd);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FolderLock, unlock_folder)

static gboolean
run_with_store(const TufOptions *options, int argc, char **argv, GError **error)
{
	gboolean read_only = argc > 1 && strcmp(argv[1], "show") == 0;
	TufRun run = {.options = options, .clock_s = satchel_clock_now_s()};
	g_auto(FolderLock) lock = -1;
	g_autoptr(SatchelTrustStore) store = NULL;

	if (argc < 2)
		return satchel_cli_usage_error(error,
					       "tuf needs a verb: init, refresh, download, show");
	if (!need(argv[1], "--metadata-dir", options->metadata_dir != NULL, error) ||
	    !check_numbers(options, error) ||
	    (!read_only && !lock_folder(options->metadata_dir, &lock, error)))
		return FALSE;
	store = satchel_trust_store_open(
		options->metadata_dir,
		read_only ? SATCHEL_TRUST_STORE_READ_ONLY : SATCHEL_TRUST_STORE_DIRECT, error);
	if (store == NULL || !satchel_trust_store_load_floor(store, &run.floor_s, error))
		return FALSE;
	run.store = store;
	if (run_verb(&run, argc, argv, error))
		return TRUE;
	satchel_verdict_explain_expiry(error, run.clock_s, run.floor_s);
	return FALSE;
}

gboolean
satchel_cmd_tuf(int argc, char **argv, SatchelOutcome *outcome, GError **error)
{
	g_auto(TufOptions) o = {0};
	const GOptionEntry entries[] = {
		{"metadata-dir", 0, 0, G_OPTION_ARG_FILENAME, &o.metadata_dir,
		 "Folder of the trusted metadata", "DIR"},
		{"metadata-url", 0, 0, G_OPTION_ARG_STRING, &o.metadata_url,
		 "Where the repository's metadata is", "URL"},
		{"metadata-source", 0, 0, G_OPTION_ARG_FILENAME, &o.metadata_source,
		 "The same on a disk, in place of --metadata-url", "DIR"},
		{"target-name", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &o.target_names,
		 "Path of a target to download; may be repeated", "PATH"},
		{"target-dir", 0, 0, G_OPTION_ARG_FILENAME, &o.target_dir,
		 "Folder to place targets in", "DIR"},
		{"target-base-url", 0, 0, G_OPTION_ARG_STRING, &o.target_base_url,
		 "Where the repository's targets are", "URL"},
		{"target-source", 0, 0, G_OPTION_ARG_FILENAME, &o.target_source,
		 "The same on a disk, in place of --target-base-url", "DIR"},
		{"ca-file", 0, 0, G_OPTION_ARG_FILENAME, &o.ca_file,
		 "Trust these certificates (PEM) and not the system's", "FILE"},
		{"cert", 0, 0, G_OPTION_ARG_FILENAME, &o.certificate,
		 "Client certificate: PEM file or pkcs11: URI", "FILE"},
		{"key", 0, 0, G_OPTION_ARG_FILENAME, &o.key,
		 "Its private key: PEM file or pkcs11: URI", "FILE"},
		{"https-only", 0, 0, G_OPTION_ARG_NONE, &o.https_only, "Refuse plain http", NULL},
		{"max-redirects", 0, 0, G_OPTION_ARG_INT, &o.max_redirects,
		 "Follow so many redirects; 0, the default: none", "N"},
		{"proxy", 0, 0, G_OPTION_ARG_STRING, &o.proxy,
		 "Proxy in place of the environment's; empty: none", "URL"},
		{"connect-timeout", 0, 0, G_OPTION_ARG_INT, &o.connect_timeout_s,
		 "Longest wait for a connection (30)", "SECONDS"},
		{"stall-timeout", 0, 0, G_OPTION_ARG_INT, &o.stall_timeout_s,
		 "Longest time below 1000 bytes a second (30)", "SECONDS"},
		{"json", 0, 0, G_OPTION_ARG_NONE, &o.json, "show: JSON by tuf-show.schema.json",
		 NULL},
		{NULL, 0, 0, 0, NULL, NULL, NULL},
	};

	return satchel_cli_parse(entries, &argc, &argv, error) &&
	       run_with_store(&o, argc, argv, error);
}
