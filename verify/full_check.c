#include "full_check.h"
#include "bundle_apps.h"
#include "bundle_form.h"
#include "hex.h"
#include "manifest.h"
#include "object_pipeline.h"
#include "path_safety.h"
#include "progress.h"
#include <string.h>
#include <sys/stat.h>

/* A stick that was pulled makes every object unreadable; nobody reads more lines than these. */
#define MAX_REASONS 100u

typedef struct {
	SatchelBundleReader *bundle;
	SatchelVerdict *verdict;
	const SatchelDeviceProfile *profile;
	SatchelProgress *progress;
	guint n_reasons; /* found by this check */
} FullCheck;

static gboolean
full_may_go_on(const FullCheck *self)
{
	return self->n_reasons < MAX_REASONS;
}

static void G_GNUC_PRINTF(3, 4)
	full_refuse(FullCheck *self, SatchelError code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	satchel_verdict_add_reason(self->verdict, self->profile,
				   g_error_new_valist(SATCHEL_ERROR, (int)code, format, args));
	va_end(args);
	self->n_reasons++;
	if (!full_may_go_on(self))
		satchel_verdict_add_note(
			self->verdict,
			g_strdup("the check of the content ended early: too many faults"));
}

/* An object that is gone is what a target lacks; every other member is the bundle's. Content that
 * is there and wrong is "invalid" here, where a pull calls it a failed download. */
static SatchelError
full_code_of(const char *member, const GError *found)
{
	if (g_error_matches(found, SATCHEL_ERROR, SATCHEL_ERROR_NO_TARGET_CONTENT) ||
	    (g_error_matches(found, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND) &&
	     g_str_has_prefix(member, SATCHEL_BUNDLE_OSTREE_OBJECTS "/")))
		return SATCHEL_ERROR_NO_TARGET_CONTENT;
	return SATCHEL_ERROR_CONTENT_INVALID;
}

/* What macOS, Windows, file system checks and libostree's own programs (a lock, temporary files)
 * leave on a stick; no device reads it. */
static gboolean
full_is_litter(const char *member)
{
	static const char *const names[] = {
		".DS_Store",
		".Spotlight-V100",
		".TemporaryItems",
		".Trashes",
		".fseventsd",
		"$RECYCLE.BIN",
		"System Volume Information",
		"Thumbs.db",
		"desktop.ini",
		"lost+found",
		NULL,
	};
	g_auto(GStrv) components = g_strsplit(member, "/", -1);

	if (g_str_has_prefix(member, SATCHEL_BUNDLE_OSTREE_REPO "/tmp/") ||
	    strcmp(member, SATCHEL_BUNDLE_OSTREE_REPO "/.lock") == 0)
		return TRUE;
	for (guint i = 0; components[i] != NULL; i++) {
		if (g_str_has_prefix(components[i], "._") || g_strv_contains(names, components[i]))
			return TRUE;
	}
	return FALSE;
}

static gboolean
full_visit(const char *member, const SatchelBundleStat *info, gpointer user_data, GError **error)
{
	FullCheck *self = user_data;
	const SatchelManifest *manifest = self->bundle->manifest;
	g_autofree char *quoted = NULL;
	guint index = 0;
	gboolean listed;

	if (S_ISDIR(info->mode) || strcmp(member, SATCHEL_BUNDLE_MANIFEST) == 0 ||
	    strcmp(member, SATCHEL_BUNDLE_META) == 0)
		return TRUE;
	listed = satchel_manifest_lookup(manifest, member, &index);
	/* The pass has hashed as much as the manifest says. */
	if (listed && info->size_bytes <= satchel_manifest_get_member(manifest, index).size_bytes)
		return TRUE;
	quoted = satchel_path_quote(member);
	if (listed)
		full_refuse(self, SATCHEL_ERROR_CONTENT_INVALID,
			    "%s is longer than " SATCHEL_BUNDLE_MANIFEST " says it is", quoted);
	else if (full_is_litter(member))
		satchel_verdict_add_note(self->verdict,
					 g_strdup_printf("%s is no part of the bundle", quoted));
	else
		full_refuse(self, SATCHEL_ERROR_CONTENT_INVALID,
			    "%s is not listed in " SATCHEL_BUNDLE_MANIFEST, quoted);
	if (full_may_go_on(self))
		return TRUE;
	g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_CONTENT_INVALID, "too many faults");
	return FALSE;
}

/* What is beside the members and between them. */
static void
full_check_form(FullCheck *self)
{
	g_autoptr(GError) local_error = NULL;

	if (!satchel_bundle_reader_walk(self->bundle, full_visit, self, &local_error)) {
		if (full_may_go_on(self))
			full_refuse(self, SATCHEL_ERROR_CONTENT_INVALID, "%s",
				    local_error->message);
		return;
	}
	if (!satchel_bundle_reader_check_layout(self->bundle, &local_error))
		full_refuse(self, SATCHEL_ERROR_CONTENT_INVALID, "%s", local_error->message);
}

/* "ostree_repo/objects/ab/cdef….dirtree" and such, of an archive repository. */
static gboolean
full_parse_object(const char *member, SatchelObjectType *type, char checksum[65])
{
	static const struct {
		const char *suffix;
		SatchelObjectType type;
	} kinds[] = {{".filez", SATCHEL_OBJECT_FILE},
		     {".dirtree", SATCHEL_OBJECT_DIR_TREE},
		     {".dirmeta", SATCHEL_OBJECT_DIR_META},
		     {".commit", SATCHEL_OBJECT_COMMIT}};
	const gsize prefix_length = strlen(SATCHEL_BUNDLE_OSTREE_OBJECTS "/");
	const char *name = member + prefix_length;

	if (!g_str_has_prefix(member, SATCHEL_BUNDLE_OSTREE_OBJECTS "/") || strlen(name) < 65)
		return FALSE;
	memcpy(checksum, name, 2);
	memcpy(checksum + 2, name + 3, 62);
	checksum[64] = '\0';
	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
		*type = kinds[i].type;
		if (name[2] == '/' && strcmp(name + 65, kinds[i].suffix) == 0)
			return satchel_hex_is_sha256(checksum);
	}
	return FALSE;
}

/* ---- one pass over the bundle */

/* What is read, by index: first the manifest's members, then the objects that targets need and that
 * no manifest lists. */
typedef struct {
	FullCheck *check;
	SatchelClosureRepo *repo;	/* (nullable) */
	const SatchelClosureList *list; /* (nullable): what the targets need; NULL: all objects */
	guint n_members;
	GArray *unlisted; /* indexes of @list */
	guint64 total_bytes;
	guint64 n_objects; /* among the members */
	GPtrArray *faults; /* of Fault */
} FullPass;

typedef struct {
	guint index;
	GError *error;
} Fault;

static void
fault_free(Fault *fault)
{
	g_error_free(fault->error);
	g_free(fault);
}

static int
fault_compare(gconstpointer a, gconstpointer b)
{
	const Fault *first = *(const Fault *const *)a, *second = *(const Fault *const *)b;

	return first->index < second->index ? -1 : first->index > second->index;
}

/* The object that a member is, where a target needs it; its position in the list. */
static gboolean
pass_find_object(const FullPass *pass, const char *member, SatchelObjectType *type,
		 guint8 checksum[32], guint *position)
{
	char hex[65];

	*position = SATCHEL_CLOSURE_NONE;
	if (pass->repo == NULL || !satchel_closure_repo_is_archive(pass->repo) ||
	    !full_parse_object(member, type, hex) || !satchel_hex_to_sha256(hex, checksum))
		return FALSE;
	if (pass->list == NULL)
		return TRUE;
	*position = satchel_closure_index_find(pass->list->index, *type, checksum);
	return *position != SATCHEL_CLOSURE_NONE;
}

static void
pass_add_bytes(FullPass *pass, guint64 n_bytes)
{
	if (!g_uint64_checked_add(&pass->total_bytes, pass->total_bytes, n_bytes))
		pass->total_bytes = G_MAXUINT64;
}

/* Counts what there is to do, and finds the objects that the manifest does not list. */
static void
pass_plan(FullPass *pass)
{
	guint n_listed = pass->list != NULL ? pass->list->objects->len : 0;
	g_autofree guint8 *seen = g_new0(guint8, n_listed);

	for (guint i = 0; i < pass->n_members; i++) {
		SatchelManifestMember member =
			satchel_manifest_get_member(pass->check->bundle->manifest, i);
		SatchelObjectType type;
		guint8 checksum[32];
		guint position;

		pass_add_bytes(pass, member.size_bytes);
		if (!pass_find_object(pass, member.path, &type, checksum, &position))
			continue;
		pass->n_objects++;
		if (position != SATCHEL_CLOSURE_NONE)
			seen[position] = TRUE;
	}
	for (guint i = 0; i < n_listed; i++) {
		if (seen[i])
			continue;
		g_array_append_val(pass->unlisted, i);
		pass_add_bytes(
			pass,
			g_array_index(pass->list->objects, SatchelClosureObject, i).stored_bytes);
	}
}

static void
pass_describe(gpointer self, guint index, SatchelPipelineJob *job)
{
	const FullPass *pass = self;
	const SatchelClosureObject *object;
	SatchelManifestMember member;
	guint position;
	char hex[65];

	if (index < pass->n_members) {
		member = satchel_manifest_get_member(pass->check->bundle->manifest, index);
		job->member = g_strdup(member.path);
		job->size_bytes = member.size_bytes;
		if (!pass_find_object(pass, member.path, &job->type, job->checksum, &position))
			job->type = 0;
		return;
	}
	position = g_array_index(pass->unlisted, guint, index - pass->n_members);
	object = &g_array_index(pass->list->objects, SatchelClosureObject, position);
	satchel_hex_from_sha256(object->checksum, hex);
	job->type = object->type;
	memcpy(job->checksum, object->checksum, sizeof job->checksum);
	job->member = satchel_closure_repo_member(pass->repo, object->type, hex);
	job->size_bytes = object->stored_bytes;
}

static void
pass_progress(gpointer self, guint64 n_bytes)
{
	const FullPass *pass = self;

	satchel_progress_advance(pass->check->progress, n_bytes);
}

static gboolean
pass_failed(gpointer self, guint index, GError *error)
{
	FullPass *pass = self;
	Fault *fault = g_new0(Fault, 1);

	fault->index = index;
	fault->error = error;
	g_ptr_array_add(pass->faults, fault);
	return pass->faults->len + pass->check->n_reasons < MAX_REASONS;
}

/* In the order of the medium, whichever worker was first. */
static void
pass_refuse(FullPass *pass)
{
	g_ptr_array_sort(pass->faults, fault_compare);
	for (guint i = 0; i < pass->faults->len && full_may_go_on(pass->check); i++) {
		const Fault *fault = pass->faults->pdata[i];
		SatchelPipelineJob job = {0};

		pass_describe(pass, fault->index, &job);
		full_refuse(pass->check, full_code_of(job.member, fault->error), "%s",
			    fault->error->message);
		g_free(job.member);
	}
}

/* Returns how many objects are among the manifest's members. */
static guint64
full_pass(FullCheck *self, SatchelClosureRepo *repo, const SatchelClosureList *list)
{
	g_autoptr(GArray) unlisted = g_array_new(FALSE, FALSE, sizeof(guint));
	g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func((GDestroyNotify)fault_free);
	FullPass pass = {
		.check = self, .repo = repo, .list = list, .unlisted = unlisted, .faults = faults};
	const SatchelPipelineUser user = {
		.describe = pass_describe,
		.progress = pass_progress,
		.failed = pass_failed,
		.self = &pass,
	};

	if (self->bundle->manifest != NULL)
		pass.n_members = satchel_manifest_get_n_members(self->bundle->manifest);
	pass_plan(&pass);
	satchel_progress_set_total(self->progress, pass.total_bytes);
	satchel_object_pipeline_run(self->bundle, repo, pass.n_members + unlisted->len, &user,
				    satchel_object_pipeline_count_workers(), NULL);
	pass_refuse(&pass);
	return pass.n_objects;
}

/* ---- what the targets need */

/* Nobody but a device that has what the bundle builds on can tell what the trees left out need:
 * what is listed is checked, and how much is not is said. */
static void
full_note_thin(FullCheck *self, const SatchelBundleThin *thin, guint64 n_objects)
{
	g_autofree char *bases = satchel_bundle_thin_describe_bases(thin);

	satchel_verdict_add_note(
		self->verdict,
		g_strdup_printf("thin: %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
				" objects are here, and %u deltas; a device on %s has the rest or "
				"makes it",
				n_objects, thin->full.n_objects, thin->n_deltas, bases));
}

/* The objects of all targets together, each once. Where one target's trees are broken, the others'
 * are still worth a look. (transfer full) */
static SatchelClosureList *
full_list_targets(FullCheck *self, SatchelClosureRepo *repo)
{
	g_autoptr(GPtrArray) commits = g_ptr_array_new();
	g_autoptr(SatchelClosureList) alone = NULL;

	for (guint i = 0; i < self->verdict->targets->len; i++) {
		const char *commit =
			satchel_ostree_target_get_commit(self->verdict->targets->pdata[i]);
		const char *const one[] = {commit, NULL};
		g_autoptr(GError) local_error = NULL;

		g_clear_pointer(&alone, satchel_closure_list_free);
		alone = satchel_closure_list(repo, one, &local_error);
		if (alone != NULL)
			g_ptr_array_add(commits, (gpointer)(guintptr)commit);
		else
			full_refuse(self, full_code_of("", local_error), "%s",
				    local_error->message);
	}
	if (alone != NULL && commits->len == 1)
		return g_steal_pointer(&alone);
	g_ptr_array_add(commits, NULL);
	return satchel_closure_list(repo, (const char *const *)commits->pdata, NULL);
}

/* ---- apps */

/* A blob that the signed manifest lists with the hash of its name was hashed by the pass. */
static gboolean
full_is_hashed(const FullCheck *self, const SatchelAppBlob *blob)
{
	g_autofree char *path = satchel_app_store_blob(blob->sha256);
	g_autofree char *member = g_strconcat(SATCHEL_BUNDLE_APPS "/", path, NULL);
	const guint8 *listed = satchel_bundle_reader_get_signed_sha256(self->bundle, member);
	guint8 wanted[32];

	return listed != NULL && satchel_hex_to_sha256(blob->sha256, wanted) &&
	       memcmp(listed, wanted, sizeof wanted) == 0;
}

static void
full_app(FullCheck *self, const SatchelAppClosure *app, GHashTable *seen)
{
	for (guint i = 0; i < app->blobs->len && full_may_go_on(self); i++) {
		const SatchelAppBlob *blob = &g_array_index(app->blobs, SatchelAppBlob, i);
		g_autoptr(GError) local_error = NULL;

		if (!g_hash_table_add(seen, g_strdup(blob->sha256)) || full_is_hashed(self, blob))
			continue;
		if (!satchel_bundle_apps_hash(self->bundle, blob, &local_error))
			full_refuse(self, full_code_of("", local_error), "app %s: %s", app->name,
				    local_error->message);
	}
}

/* Every blob of the targets' apps has the hash by which a signed target leads to it. */
static void
full_apps(FullCheck *self)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (guint i = 0; i < self->verdict->targets->len; i++) {
		g_autoptr(GError) local_error = NULL;
		g_autoptr(GPtrArray) apps =
			satchel_bundle_apps_find(self->bundle, self->profile,
						 self->verdict->targets->pdata[i], &local_error);

		for (guint j = 0; apps != NULL && j < apps->len; j++)
			full_app(self, apps->pdata[j], seen);
		if (apps == NULL)
			full_refuse(self, full_code_of("", local_error), "%s",
				    local_error->message);
	}
}

void
satchel_full_check(SatchelBundleReader *bundle, SatchelVerdict *verdict,
		   const SatchelDeviceProfile *profile, const SatchelProgressSink *sink)
{
	g_autoptr(SatchelProgress) progress = satchel_progress_begin(sink, "verifying", 0);
	FullCheck self = {bundle, verdict, profile, progress, 0};
	const SatchelBundleThin *thin =
		verdict->meta != NULL ? satchel_bundle_meta_get_thin(verdict->meta) : NULL;
	g_autoptr(SatchelClosureRepo) repo = satchel_closure_repo_open(bundle, NULL);
	g_autoptr(SatchelClosureList) list = NULL;
	guint64 n_objects;

	if (repo != NULL && thin == NULL)
		list = full_list_targets(&self, repo);
	n_objects = full_pass(&self, repo, list);
	if (full_may_go_on(&self))
		full_apps(&self);
	if (bundle->manifest != NULL && full_may_go_on(&self))
		full_check_form(&self);
	if (repo != NULL && thin != NULL && full_may_go_on(&self))
		full_note_thin(&self, thin, n_objects);
}
