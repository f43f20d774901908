#include "full_check.h"
#include "bundle_form.h"
#include "digest.h"
#include "hex.h"
#include "manifest.h"
#include "ostree_closure.h"
#include "path_safety.h"
#include "progress.h"
#include <string.h>
#include <sys/stat.h>

#define BUFFER_BYTES (256u * 1024u)
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

/* Hashes a member as it is stored. NULL where it cannot be read. */
static char *
full_hash_member(FullCheck *self, const char *path, guint64 *size_bytes, GError **error)
{
	g_autoptr(SatchelDigest) digest = satchel_digest_new(SATCHEL_DIGEST_SHA256);
	g_autoptr(GInputStream) stream = NULL;
	g_autofree guint8 *buffer = NULL;
	gssize n_bytes;

	stream = satchel_bundle_reader_open_member(self->bundle, path, size_bytes, error);
	if (stream == NULL)
		return NULL;
	buffer = g_malloc(BUFFER_BYTES);
	*size_bytes = 0;
	while ((n_bytes = g_input_stream_read(stream, buffer, BUFFER_BYTES, NULL, error)) > 0) {
		satchel_digest_update(digest, buffer, (gsize)n_bytes);
		*size_bytes += (guint64)n_bytes;
		satchel_progress_advance(self->progress, (guint64)n_bytes);
	}
	if (n_bytes < 0) {
		g_prefix_error(error, "%s: ", path);
		return NULL;
	}
	return satchel_digest_finish(digest);
}

/* An object that is gone is what a target lacks, as the closure's check calls it, in the same words
 * (the verdict lists it once); every other member is the bundle's. */
static SatchelError
full_code_of_unread(const char *path, const GError *found)
{
	if (g_str_has_prefix(path, SATCHEL_BUNDLE_OSTREE_OBJECTS "/") &&
	    g_error_matches(found, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND))
		return SATCHEL_ERROR_NO_TARGET_CONTENT;
	return SATCHEL_ERROR_CONTENT_INVALID;
}

static void
full_check_member(FullCheck *self, const SatchelManifestMember *member)
{
	g_autofree char *quoted = satchel_path_quote(member->path);
	g_autoptr(GError) local_error = NULL;
	guint64 size_bytes = 0;
	g_autofree char *expected =
		satchel_hex_encode(member->sha256, SATCHEL_MANIFEST_SHA256_BYTES);
	g_autofree char *found = full_hash_member(self, member->path, &size_bytes, &local_error);

	if (found == NULL)
		full_refuse(self, full_code_of_unread(member->path, local_error), "%s",
			    local_error->message);
	else if (size_bytes != member->size_bytes || strcmp(found, expected) != 0)
		full_refuse(self, SATCHEL_ERROR_CONTENT_INVALID,
			    "%s is not what " SATCHEL_BUNDLE_MANIFEST " says it is", quoted);
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

typedef struct {
	FullCheck *check;
	const SatchelManifest *manifest;
} ExtraWalk;

static gboolean
full_visit(const char *member, const SatchelBundleStat *info, gpointer user_data, GError **error)
{
	ExtraWalk *walk = user_data;
	g_autofree char *quoted = NULL;
	guint index = 0;

	if (S_ISDIR(info->mode) || strcmp(member, SATCHEL_BUNDLE_MANIFEST) == 0 ||
	    strcmp(member, SATCHEL_BUNDLE_META) == 0 ||
	    satchel_manifest_lookup(walk->manifest, member, &index))
		return TRUE;
	quoted = satchel_path_quote(member);
	if (full_is_litter(member))
		satchel_verdict_add_note(walk->check->verdict,
					 g_strdup_printf("%s is no part of the bundle", quoted));
	else
		full_refuse(walk->check, SATCHEL_ERROR_CONTENT_INVALID,
			    "%s is not listed in " SATCHEL_BUNDLE_MANIFEST, quoted);
	if (full_may_go_on(walk->check))
		return TRUE;
	g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_CONTENT_INVALID, "too many faults");
	return FALSE;
}

/* The judge has compared the manifest's hash; it is read again here, and compared again. */
static SatchelManifest *
full_load_manifest(FullCheck *self)
{
	const SatchelBundleMeta *meta = self->verdict->meta;
	g_autoptr(GBytes) text = NULL;
	g_autofree char *found = NULL;

	if (meta == NULL || satchel_bundle_meta_get_manifest_sha256(meta) == NULL)
		return NULL;
	text = satchel_bundle_reader_read(self->bundle, SATCHEL_BUNDLE_MANIFEST,
					  SATCHEL_LIMIT_MANIFEST_BYTES, NULL);
	if (text == NULL)
		return NULL;
	found = satchel_digest_sha256_hex(g_bytes_get_data(text, NULL), g_bytes_get_size(text));
	if (strcmp(found, satchel_bundle_meta_get_manifest_sha256(meta)) != 0)
		return NULL;
	return satchel_manifest_parse(text, NULL);
}

static guint64
full_manifest_bytes(const SatchelManifest *manifest)
{
	guint64 total = 0;

	for (guint i = 0; manifest != NULL && i < satchel_manifest_get_n_members(manifest); i++) {
		guint64 size_bytes = satchel_manifest_get_member(manifest, i).size_bytes;

		if (!g_uint64_checked_add(&total, total, size_bytes))
			return G_MAXUINT64;
	}
	return total;
}

static void
full_check_manifest(FullCheck *self, const SatchelManifest *manifest)
{
	guint n_members = satchel_manifest_get_n_members(manifest);
	g_autoptr(GError) local_error = NULL;
	ExtraWalk walk = {self, manifest};

	for (guint i = 0; i < n_members && full_may_go_on(self); i++) {
		SatchelManifestMember member = satchel_manifest_get_member(manifest, i);

		full_check_member(self, &member);
	}
	if (full_may_go_on(self) &&
	    !satchel_bundle_reader_walk(self->bundle, full_visit, &walk, &local_error) &&
	    full_may_go_on(self))
		full_refuse(self, SATCHEL_ERROR_CONTENT_INVALID, "%s", local_error->message);
}

/* The closure's codes are those of a pull. Content that is there and wrong is "invalid" here. */
static void
full_refuse_content(FullCheck *self, const GError *found)
{
	gboolean absent = g_error_matches(found, SATCHEL_ERROR, SATCHEL_ERROR_NO_TARGET_CONTENT);

	full_refuse(self, absent ? SATCHEL_ERROR_NO_TARGET_CONTENT : SATCHEL_ERROR_CONTENT_INVALID,
		    "%s", found->message);
}

static void
full_check_objects(FullCheck *self, SatchelClosureRepo *repo, const SatchelClosureList *list)
{
	for (guint i = 0; i < list->objects->len && full_may_go_on(self); i++) {
		const SatchelClosureObject *object =
			&g_array_index(list->objects, SatchelClosureObject, i);
		g_autoptr(GError) local_error = NULL;
		char checksum[65];

		satchel_hex_from_sha256(object->checksum, checksum);
		if (!satchel_closure_repo_check(repo, object->type, checksum, &local_error))
			full_refuse_content(self, local_error);
		satchel_progress_advance(self->progress, object->stored_bytes);
	}
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

/* Nobody but a device that has what the bundle builds on can tell what the trees left out need:
 * what is listed is checked, and how much is not is said. */
static void
full_check_thin(FullCheck *self, const SatchelBundleThin *thin, const SatchelManifest *manifest,
		guint64 manifest_bytes)
{
	g_autoptr(SatchelClosureRepo) repo = satchel_closure_repo_open(self->bundle, NULL);
	g_autofree char *bases = satchel_bundle_thin_describe_bases(thin);
	guint n_members = manifest == NULL ? 0 : satchel_manifest_get_n_members(manifest);
	guint64 n_objects = 0;

	if (repo == NULL)
		return;
	satchel_progress_set_total(self->progress, manifest_bytes > G_MAXUINT64 / 2
							   ? G_MAXUINT64
							   : manifest_bytes * 2);
	for (guint i = 0; i < n_members && full_may_go_on(self); i++) {
		SatchelManifestMember member = satchel_manifest_get_member(manifest, i);
		g_autoptr(GError) local_error = NULL;
		SatchelObjectType type;
		char checksum[65];

		satchel_progress_advance(self->progress, member.size_bytes);
		if (!full_parse_object(member.path, &type, checksum))
			continue;
		n_objects++;
		if (!satchel_closure_repo_check(repo, type, checksum, &local_error))
			full_refuse_content(self, local_error);
	}
	satchel_verdict_add_note(
		self->verdict,
		g_strdup_printf("thin: %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
				" objects are here, and %u deltas; a device on %s has the rest or "
				"makes it",
				n_objects, thin->full.n_objects, thin->n_deltas, bases));
}

/* The objects of all targets together, each once. Where one target's trees are broken, the others'
 * are still worth a look. */
static void
full_check_targets(FullCheck *self, guint64 manifest_bytes)
{
	g_autoptr(GPtrArray) commits = g_ptr_array_new();
	g_autoptr(SatchelClosureRepo) repo = satchel_closure_repo_open(self->bundle, NULL);
	g_autoptr(SatchelClosureList) list = NULL;

	if (repo == NULL)
		return;
	for (guint i = 0; i < self->verdict->targets->len; i++) {
		const char *commit =
			satchel_ostree_target_get_commit(self->verdict->targets->pdata[i]);
		const char *const one[] = {commit, NULL};
		g_autoptr(GError) local_error = NULL;
		g_autoptr(SatchelClosureList) alone = satchel_closure_list(repo, one, &local_error);

		if (alone == NULL)
			full_refuse_content(self, local_error);
		else
			g_ptr_array_add(commits, (gpointer)(guintptr)commit);
	}
	g_ptr_array_add(commits, NULL);
	list = satchel_closure_list(repo, (const char *const *)commits->pdata, NULL);
	if (list == NULL)
		return;
	satchel_progress_set_total(self->progress,
				   MAX(manifest_bytes + list->stored_bytes, list->stored_bytes));
	full_check_objects(self, repo, list);
}

void
satchel_full_check(SatchelBundleReader *bundle, SatchelVerdict *verdict,
		   const SatchelDeviceProfile *profile, const SatchelProgressSink *sink)
{
	FullCheck self = {bundle, verdict, profile, NULL, 0};
	g_autoptr(SatchelManifest) manifest = full_load_manifest(&self);
	guint64 manifest_bytes = full_manifest_bytes(manifest);
	g_autoptr(SatchelProgress) progress =
		satchel_progress_begin(sink, "verifying", manifest_bytes);
	const SatchelBundleThin *thin =
		verdict->meta != NULL ? satchel_bundle_meta_get_thin(verdict->meta) : NULL;

	self.progress = progress;
	if (manifest != NULL)
		full_check_manifest(&self, manifest);
	if (!full_may_go_on(&self))
		return;
	if (thin != NULL)
		full_check_thin(&self, thin, manifest, manifest_bytes);
	else
		full_check_targets(&self, manifest_bytes);
}
