#include "bundle_apps.h"
#include "bundle_form.h"
#include "digest.h"
#include "earliest_expiry.h"
#include "ostree_closure.h"
#include "path_safety.h"
#include "target_match.h"
#include "trusted_set.h"
#include "verdict.h"
#include <satchel/bundle_layout.h>
#include <satchel/tuf_client.h>
#include <satchel/tuf_source_bundle.h>
#include <sys/stat.h>

/* One judgement. Every step adds its reasons and lets the next one look for more. */
typedef struct {
	SatchelBundleReader *bundle;
	SatchelTrustStore *store;
	const SatchelDeviceProfile *profile;
	SatchelVerdict *verdict;
	gint64 now_s;
} Judgement;

static void
judge_refuse(const Judgement *self, GError *reason)
{
	/* Nothing is downloaded here: it is the medium that could not be read. */
	if (g_error_matches(reason, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_DOWNLOAD))
		reason->code = SATCHEL_ERROR_METADATA_FAILURE;
	satchel_verdict_add_reason(self->verdict, self->profile, reason);
}

/* What is wrong with a file that makes the bundle one is the bundle's fault, whatever it is. */
static void
judge_refuse_bundle(const Judgement *self, const char *advice, const char *message)
{
	judge_refuse(self, g_error_new(SATCHEL_ERROR, SATCHEL_ERROR_BUNDLE_INVALID, "%s%s", message,
				       advice));
}

static void
judge_meta_claims(const Judgement *self, const SatchelBundleMeta *meta)
{
	GError *error = NULL;

	if (!satchel_bundle_meta_check_expiry(meta, self->now_s, &error))
		judge_refuse(self, g_steal_pointer(&error));
	if (!satchel_bundle_meta_check_type(meta, self->profile->type, &error))
		judge_refuse(self, g_steal_pointer(&error));
	if (!satchel_bundle_meta_check_tags(meta, self->profile->tags, &error))
		judge_refuse(self, g_steal_pointer(&error));
}

/* bundle-targets.json: there, signed by the newest root's targets keys, and for this device. */
static void
judge_meta(const Judgement *self, const SatchelRoot *root)
{
	g_autoptr(GError) local_error = NULL;
	g_autoptr(GBytes) document = satchel_bundle_reader_read(
		self->bundle, SATCHEL_BUNDLE_META, SATCHEL_LIMIT_BUNDLE_META_BYTES, &local_error);
	GError *error = NULL;

	if (document == NULL) {
		gboolean absent = g_error_matches(local_error, SATCHEL_ERROR,
						  SATCHEL_ERROR_METADATA_NOT_FOUND);

		if (absent && self->profile->allow_missing_bundle_metadata)
			satchel_verdict_add_note(self->verdict, g_strdup("no " SATCHEL_BUNDLE_META
									 ", which this device "
									 "allows"));
		else
			judge_refuse_bundle(
				self,
				absent ? "; the copy is incomplete: copy the bundle again, or "
					 "build it again"
				       : "",
				local_error->message);
		return;
	}
	self->verdict->meta = satchel_bundle_meta_verify(root, document, &error);
	if (self->verdict->meta == NULL) {
		judge_refuse(self, error);
		return;
	}
	self->verdict->meta_sha256 = satchel_digest_sha256_hex(g_bytes_get_data(document, NULL),
							       g_bytes_get_size(document));
	judge_meta_claims(self, self->verdict->meta);
}

/* Only a manifest whose hash was signed says anything. */
static void
judge_manifest(const Judgement *self)
{
	const SatchelBundleMeta *meta = self->verdict->meta;
	const char *expected = meta != NULL ? satchel_bundle_meta_get_manifest_sha256(meta) : NULL;
	GError *error = NULL;

	if (expected == NULL ||
	    satchel_bundle_reader_accept_manifest(
		    self->bundle, expected, satchel_bundle_meta_get_manifest_length_bytes(meta),
		    &error))
		return;
	/* Either it is not the signed one, or the copy broke off or the stick fails. */
	judge_refuse(self, error);
}

/* TRUE where the bundle's timestamp is validly signed and of a lower version than the stored one:
 * an old bundle, and not an attack on a new one. Whether it has expired does not matter then. */
static gboolean
judge_is_older(const Judgement *self, const SatchelTufClient *stored)
{
	const SatchelTimestamp *newest = satchel_tuf_client_get_timestamp(stored);
	const SatchelRoot *root = satchel_tuf_client_get_root(stored);
	g_autoptr(SatchelTrustedSet) set = NULL;
	g_autoptr(SatchelRoot) own_root = NULL;
	g_autoptr(GBytes) document = NULL;
	const SatchelTimestamp *offered;

	document = satchel_bundle_reader_read(self->bundle, SATCHEL_BUNDLE_TIMESTAMP,
					      SATCHEL_LIMIT_TIMESTAMP_BYTES, NULL);
	if (document == NULL || newest == NULL)
		return FALSE;
	own_root = satchel_root_new_trusted(satchel_root_get_bytes(root), NULL);
	if (own_root == NULL)
		return FALSE;
	/* At the beginning of time nothing has expired. */
	set = satchel_trusted_set_new(own_root, 0);
	if (!satchel_trusted_set_update_timestamp(set, document, NULL, NULL))
		return FALSE;
	offered = satchel_trusted_set_get_timestamp(set);
	return satchel_timestamp_get_version(offered) < satchel_timestamp_get_version(newest);
}

/* The roles of the bundle, or those of the device where these are newer. Returns the client whose
 * targets role holds; NULL where none does, with the reasons given. */
static const SatchelTufClient *
judge_roles(const Judgement *self, SatchelTufClient *client, SatchelTufClient *stored)
{
	g_autoptr(GError) bundle_error = NULL;
	GError *stored_error = NULL;

	if (satchel_tuf_client_refresh(client, &bundle_error))
		return client;
	if (!g_error_matches(bundle_error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID)) {
		judge_refuse(self, g_steal_pointer(&bundle_error));
		return NULL;
	}
	if (satchel_tuf_client_load_stored(stored, &stored_error)) {
		if (judge_is_older(self, stored)) {
			self->verdict->used_stored_metadata = TRUE;
			return stored;
		}
	} else if (judge_is_older(self, stored)) {
		judge_refuse(self, g_steal_pointer(&stored_error));
	}
	g_clear_error(&stored_error);
	judge_refuse(self, g_steal_pointer(&bundle_error));
	return NULL;
}

static SatchelEarliestExpiry
judge_earliest_expiry(const SatchelTufClient *holding)
{
	return satchel_earliest_expiry_of(
		satchel_tuf_client_get_root(holding), satchel_tuf_client_get_timestamp(holding),
		satchel_tuf_client_get_snapshot(holding), satchel_tuf_client_get_targets(holding));
}

/* The time of issue, which is to become the device's time floor, leaves the roles valid. */
static void
judge_issued(const Judgement *self, const SatchelEarliestExpiry *earliest)
{
	const SatchelBundleMeta *meta = self->verdict->meta;
	GError *error = NULL;

	if (meta != NULL &&
	    !satchel_earliest_expiry_check(earliest, satchel_bundle_meta_get_issued_s(meta),
					   SATCHEL_BUNDLE_META ": the bundle",
					   "build it again by a right clock", &error))
		judge_refuse(self, error);
}

/* The commit is there, is what its name says, and is of a time that can become the time floor. */
static gboolean
judge_commit(SatchelClosureRepo *repo, const SatchelOstreeTarget *target,
	     const SatchelEarliestExpiry *earliest, GError **error)
{
	g_autofree char *name = satchel_path_quote(satchel_ostree_target_get_name(target));
	g_autofree char *what = g_strdup_printf("the commit of target %s", name);
	g_autoptr(GError) local_error = NULL;
	g_autoptr(GBytes) commit =
		satchel_closure_repo_load(repo, SATCHEL_OBJECT_COMMIT,
					  satchel_ostree_target_get_commit(target), &local_error);
	SatchelCommit parsed;

	if (commit != NULL && satchel_commit_parse(commit, &parsed, &local_error))
		return satchel_earliest_expiry_check(earliest, parsed.timestamp_s, what,
						     "commit it again by a right clock", error);
	/* Not there, or there and not what its name says: which of them, the callers want to know.
	 */
	g_set_error(error, SATCHEL_ERROR, local_error->code, "%s is not in the bundle: %s", what,
		    local_error->message);
	return FALSE;
}

/* "commit 0123456789ab" of each. (transfer full) */
static char *
judge_describe_commits(const char *const *commits)
{
	GString *text = g_string_new(*commits == NULL ? "nothing deployed" : NULL);

	for (guint i = 0; commits[i] != NULL; i++)
		g_string_append_printf(text, "%scommit %.12s", i > 0 ? ", " : "", commits[i]);
	return g_string_free(text, FALSE);
}

/* The delta that this device would apply lies there in its size; its hash is looked at when it is
 * read. */
static gboolean
judge_delta(const Judgement *self, const SatchelBundleDelta *delta, GError **error)
{
	g_autofree char *member = satchel_bundle_delta_member(delta);
	g_autoptr(GError) local_error = NULL;
	SatchelBundleStat info = {0};

	if (satchel_bundle_reader_get_signed_sha256(self->bundle, member) == NULL) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_BUNDLE_INVALID,
			    "%s is not listed in a signed " SATCHEL_BUNDLE_MANIFEST, member);
		return FALSE;
	}
	if (!satchel_bundle_reader_stat(self->bundle, member, &info, &local_error)) {
		g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_NO_TARGET_CONTENT,
				    local_error->message);
		return FALSE;
	}
	if (S_ISREG(info.mode) && info.size_bytes == delta->size_bytes)
		return TRUE;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_NO_TARGET_CONTENT,
		    "%s has %" G_GUINT64_FORMAT " bytes, not %" G_GUINT64_FORMAT
		    ": the copy is incomplete, copy the bundle again",
		    member, info.size_bytes, delta->size_bytes);
	return FALSE;
}

/* All that the device needs of the target's apps is there. Layers are hashed when they are read. */
static gboolean
judge_apps(const Judgement *self, const SatchelOstreeTarget *target, GError **error)
{
	g_autoptr(GPtrArray) apps =
		satchel_bundle_apps_find(self->bundle, self->profile, target, error);

	return apps != NULL;
}

/* A thin bundle is whole only for a device that has what it builds on. */
static gboolean
judge_thin(const Judgement *self, const SatchelOstreeTarget *target, GError **error)
{
	const SatchelBundleMeta *meta = self->verdict->meta;
	const SatchelBundleThin *thin = meta != NULL ? satchel_bundle_meta_get_thin(meta) : NULL;
	const char *const *commits = self->profile->commits;
	const char *commit = satchel_ostree_target_get_commit(target);
	const SatchelBundleDelta *delta;
	g_autofree char *bases = NULL;
	g_autofree char *own = NULL;
	g_autofree char *name = NULL;

	if (thin == NULL || commits == NULL || g_strv_contains(commits, commit))
		return TRUE;
	if (satchel_bundle_thin_serves(thin, commits, commit)) {
		delta = satchel_bundle_thin_find_delta(thin, commits, commit);
		return delta == NULL || judge_delta(self, delta, error);
	}
	name = satchel_path_quote(satchel_ostree_target_get_name(target));
	bases = satchel_bundle_thin_describe_bases(thin);
	own = judge_describe_commits(commits);
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_NO_TARGET_CONTENT,
		    "%s: the bundle is thin, it serves devices on %s; this device has %s", name,
		    bases, own);
	return FALSE;
}

static void
judge_note_thin(const Judgement *self)
{
	const SatchelBundleMeta *meta = self->verdict->meta;
	const SatchelBundleThin *thin = meta != NULL ? satchel_bundle_meta_get_thin(meta) : NULL;
	g_autofree char *bases = NULL;

	if (thin == NULL || self->profile->commits != NULL)
		return;
	bases = satchel_bundle_thin_describe_bases(thin);
	satchel_verdict_add_note(self->verdict,
				 g_strdup_printf("thin: serves only devices on %s", bases));
}

/* Keeps those targets whose commit the bundle has, and good. Some of several may lack it; all may
 * not. */
static void
judge_content(const Judgement *self, GPtrArray *candidates, const SatchelEarliestExpiry *earliest)
{
	g_autoptr(GPtrArray) lacking = g_ptr_array_new_with_free_func((GDestroyNotify)g_error_free);
	g_autoptr(SatchelClosureRepo) repo = NULL;
	GError *error = NULL;

	repo = satchel_closure_repo_open(self->bundle, &error);
	if (repo == NULL) {
		judge_refuse(self, error);
		return;
	}
	for (guint i = 0; i < candidates->len; i++) {
		SatchelOstreeTarget *target = candidates->pdata[i];

		if (judge_thin(self, target, &error) &&
		    judge_commit(repo, target, earliest, &error) &&
		    judge_apps(self, target, &error))
			g_ptr_array_add(self->verdict->targets, satchel_ostree_target_ref(target));
		else
			g_ptr_array_add(lacking, g_steal_pointer(&error));
	}
	judge_note_thin(self);
	for (guint i = 0; i < lacking->len; i++) {
		if (self->verdict->targets->len == 0)
			judge_refuse(self, g_error_copy(lacking->pdata[i]));
		else
			satchel_verdict_add_note(self->verdict,
						 g_strdup(((GError *)lacking->pdata[i])->message));
	}
}

/* Targets of the role that @client verified which suit the device, in the order of versions; NULL
 * with the reason given. */
static GPtrArray *
judge_targets(const Judgement *self, const SatchelTufClient *client)
{
	const SatchelTargets *targets = satchel_tuf_client_get_targets(client);
	const SatchelBundleMeta *meta = self->verdict->meta;
	const char *const *names = meta != NULL ? satchel_bundle_meta_get_targets(meta) : NULL;
	g_auto(GStrv) ignored = NULL;
	GError *error = NULL;
	SatchelTargetFilter filter = satchel_device_profile_filter(self->profile);
	GPtrArray *candidates = satchel_target_match(targets, names, &filter, &ignored, &error);

	self->verdict->role = satchel_targets_ref((SatchelTargets *)(guintptr)targets);
	for (guint i = 0; ignored[i] != NULL; i++)
		satchel_verdict_add_note(self->verdict, g_strdup(ignored[i]));
	if (candidates == NULL)
		judge_refuse(self, error);
	return candidates;
}

/* The newest root that the bundle's chain leads to. A chain that breaks is the first reason, and
 * what it led to before is what the rest is judged by. */
static void
judge_roots(const Judgement *self, SatchelTufClient *client)
{
	GError *error = NULL;

	/* Its expiry is the refresh's affair, so that the bundle metadata's comes before it. */
	if (!satchel_tuf_client_update_root(client, TRUE, &error))
		judge_refuse(self, error);
}

static gboolean
judge_all(Judgement *self, GError **error)
{
	g_autoptr(SatchelTufSource) source = satchel_tuf_source_bundle_new(self->bundle);
	g_autoptr(SatchelTufClient) stored = NULL;
	g_autoptr(SatchelTufClient) client = NULL;
	g_autoptr(GPtrArray) candidates = NULL;
	const SatchelTufClient *holding;
	SatchelEarliestExpiry earliest;

	client = satchel_tuf_client_new(self->store, source, self->now_s, error);
	if (client == NULL)
		return FALSE;
	judge_roots(self, client);
	judge_meta(self, satchel_tuf_client_get_root(client));
	/* After the roots: what is stored is judged by the newest root as well. */
	stored = satchel_tuf_client_new(self->store, NULL, self->now_s, error);
	if (stored == NULL)
		return FALSE;
	holding = judge_roles(self, client, stored);
	judge_manifest(self);
	if (holding == NULL)
		return TRUE;
	earliest = judge_earliest_expiry(holding);
	judge_issued(self, &earliest);
	candidates = judge_targets(self, holding);
	if (candidates != NULL)
		judge_content(self, candidates, &earliest);
	return TRUE;
}

SatchelVerdict *
satchel_bundle_judge(SatchelBundleReader *bundle, SatchelTrustStore *store,
		     const SatchelDeviceProfile *profile, GError **error)
{
	g_autoptr(SatchelVerdict) verdict = satchel_verdict_new();
	Judgement self = {bundle, store, profile, verdict, satchel_device_profile_now_s(profile)};

	return judge_all(&self, error) ? g_steal_pointer(&verdict) : NULL;
}

SatchelVerdict *
satchel_stored_targets_judge(SatchelTrustStore *store, const SatchelDeviceProfile *profile,
			     GError **error)
{
	g_autoptr(SatchelVerdict) verdict = satchel_verdict_new();
	g_autoptr(SatchelTufClient) client = NULL;
	g_autoptr(GPtrArray) candidates = NULL;
	GError *reason = NULL;
	Judgement self = {NULL, store, profile, verdict, satchel_device_profile_now_s(profile)};

	client = satchel_tuf_client_new(store, NULL, self.now_s, error);
	if (client == NULL)
		return NULL;
	verdict->used_stored_metadata = TRUE;
	if (!satchel_tuf_client_load_stored(client, &reason)) {
		judge_refuse(&self, reason);
		return g_steal_pointer(&verdict);
	}
	candidates = judge_targets(&self, client);
	for (guint i = 0; candidates != NULL && i < candidates->len; i++)
		g_ptr_array_add(verdict->targets, satchel_ostree_target_ref(candidates->pdata[i]));
	return g_steal_pointer(&verdict);
}
