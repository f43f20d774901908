#include "packed_order.h"
#include "../verify/digest.h"
#include "../verify/json.h"
#include "../verify/path_safety.h"
#include "../verify/utc_time.h"
#include "make_manifest.h"
#include "tar_writer.h"
#include <string.h>
#include <sys/stat.h>

#define TUF_PREFIX SATCHEL_BUNDLE_TUF "/"

/* Where nobody says when a bundle was issued: the first day that FAT can write. */
#define FALLBACK_TIME_S 315532800
/* What a walk over the bundle found. */
typedef struct {
	GHashTable *sizes; /* path to guint64 */
	GPtrArray *folders;
} Found;

static void
found_clear(Found *found)
{
	g_hash_table_unref(found->sizes);
	g_ptr_array_unref(found->folders);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Found, found_clear)

static gboolean
refuse(GError **error, SatchelError code, const char *path, const char *what)
{
	g_autofree char *quoted = satchel_path_quote(path);

	g_set_error(error, SATCHEL_ERROR, code, "%s: %s", quoted, what);
	return FALSE;
}

static gboolean
find(const char *member, const SatchelBundleStat *stat, gpointer user_data, GError **error)
{
	Found *found = user_data;

	if (!satchel_path_check(member, NULL))
		return refuse(error, SATCHEL_ERROR_DOWNLOAD_FAILED, member,
			      "a name that no bundle has");
	if (S_ISDIR(stat->mode)) {
		g_ptr_array_add(found->folders, g_strdup(member));
		return TRUE;
	}
	if (!S_ISREG(stat->mode))
		return refuse(error, SATCHEL_ERROR_DOWNLOAD_FAILED, member,
			      "neither a file nor a folder; a packed bundle holds nothing else");
	g_hash_table_insert(found->sizes, g_strdup(member),
			    g_memdup2(&stat->size_bytes, sizeof stat->size_bytes));
	return TRUE;
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* ---- members ---- */

static void
clear_member(gpointer member)
{
	g_free(((SatchelPackedMember *)member)->path);
}

/* @sha256: (nullable): where the manifest does not list it */
static void
append(SatchelPackedOrder *self, const char *path, guint64 size_bytes, const guint8 *sha256)
{
	SatchelPackedMember member = {.path = g_strdup(path), .size_bytes = size_bytes};

	member.is_listed = sha256 != NULL;
	if (sha256 != NULL)
		memcpy(member.sha256, sha256, sizeof member.sha256);
	g_array_append_val(self->members, member);
	self->size_bytes += size_bytes;
}

/* Takes what the manifest lists out of @found, so that the rest is what it does not. */
static gboolean
append_listed(SatchelPackedOrder *self, const SatchelManifest *manifest, Found *found,
	      gboolean in_tuf, GError **error)
{
	for (guint i = 0; i < satchel_manifest_get_n_members(manifest); i++) {
		SatchelManifestMember member = satchel_manifest_get_member(manifest, i);
		const guint64 *size_bytes;

		if (g_str_has_prefix(member.path, TUF_PREFIX) != in_tuf)
			continue;
		size_bytes = g_hash_table_lookup(found->sizes, member.path);
		if (size_bytes == NULL)
			return refuse(error, SATCHEL_ERROR_DOWNLOAD_FAILED, member.path,
				      "the manifest lists it and it is not there: the copy is "
				      "incomplete");
		if (*size_bytes != member.size_bytes)
			return refuse(error, SATCHEL_ERROR_DOWNLOAD_FAILED, member.path,
				      "not of the size that the manifest gives: it is damaged or "
				      "was altered");
		append(self, member.path, member.size_bytes, member.sha256);
		(void)g_hash_table_remove(found->sizes, member.path);
	}
	return TRUE;
}

/* Roots that came after the bundle was signed, and bundle-targets.json: in no manifest. */
static void
append_unlisted_tuf(SatchelPackedOrder *self, Found *found)
{
	guint n_names = 0;
	g_autofree const char **names =
		(const char **)(gpointer)g_hash_table_get_keys_as_array(found->sizes, &n_names);

	qsort(names, n_names, sizeof *names, compare_names);
	for (guint i = 0; i < n_names; i++) {
		const guint64 *size_bytes = g_hash_table_lookup(found->sizes, names[i]);

		if (g_str_has_prefix(names[i], TUF_PREFIX))
			append(self, names[i], *size_bytes, NULL);
	}
}

static void
list_left_out(SatchelPackedOrder *self, Found *found)
{
	GHashTableIter iter;
	gpointer path;

	g_hash_table_iter_init(&iter, found->sizes);
	while (g_hash_table_iter_next(&iter, &path, NULL))
		if (!g_str_has_prefix(path, TUF_PREFIX) &&
		    strcmp(path, SATCHEL_BUNDLE_MANIFEST) != 0)
			g_ptr_array_add(self->left_out, g_strdup(path));
	g_ptr_array_sort(self->left_out, compare_names);
}

static gboolean
order_members(SatchelPackedOrder *self, const SatchelManifest *manifest, Found *found,
	      GError **error)
{
	if (!append_listed(self, manifest, found, TRUE, error))
		return FALSE;
	append_unlisted_tuf(self, found);
	self->n_tuf = self->members->len;
	if (!append_listed(self, manifest, found, FALSE, error))
		return FALSE;
	list_left_out(self, found);
	g_ptr_array_sort(found->folders, compare_names);
	self->folders = g_ptr_array_ref(found->folders);
	return TRUE;
}

/* ---- what the bundle says of itself ---- */

static gboolean
load_meta(SatchelPackedOrder *self, SatchelBundleReader *bundle, GError **error)
{
	g_autoptr(GError) local_error = NULL;

	self->meta = satchel_bundle_reader_read(bundle, SATCHEL_BUNDLE_META,
						SATCHEL_LIMIT_BUNDLE_META_BYTES, &local_error);
	/* The field's reader does without it, if it is told to. */
	if (self->meta != NULL ||
	    g_error_matches(local_error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND))
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&local_error));
	return FALSE;
}

static gboolean
check_manifest(SatchelPackedOrder *self, const char *expected, GBytes *manifest, GError **error)
{
	g_autofree char *sha256 = NULL;

	if (expected == NULL)
		return TRUE;
	if (manifest == NULL)
		return refuse(error, SATCHEL_ERROR_BUNDLE_INVALID, SATCHEL_BUNDLE_MANIFEST,
			      "not there, and " SATCHEL_BUNDLE_META " has its hash");
	sha256 = satchel_digest_sha256_hex(g_bytes_get_data(manifest, NULL),
					   g_bytes_get_size(manifest));
	if (strcmp(sha256, expected) != 0)
		return refuse(error, SATCHEL_ERROR_BUNDLE_INVALID, SATCHEL_BUNDLE_MANIFEST,
			      "not the one whose hash " SATCHEL_BUNDLE_META " has");
	self->manifest_is_signed = TRUE;
	return TRUE;
}

/* Claims: which manifest it is for, and when it was issued. */
static gboolean
read_claims(SatchelPackedOrder *self, GBytes *manifest, GError **error)
{
	g_autoptr(SatchelJson) tree = NULL;
	json_t *ours;
	const char *issued;
	gint64 time_s = 0;

	if (self->meta == NULL)
		return TRUE;
	tree = satchel_json_parse(self->meta, error);
	if (tree == NULL) {
		g_prefix_error(error, SATCHEL_BUNDLE_META ": ");
		return FALSE;
	}
	ours = json_object_get(json_object_get(tree, "signed"), "x-satchel");
	issued = json_string_value(json_object_get(ours, "issued"));
	if (issued != NULL && satchel_utc_time_parse(issued, &time_s, NULL))
		self->time_s = CLAMP(time_s, 0, SATCHEL_TAR_LAST_TIME_S);
	return check_manifest(
		self,
		json_string_value(json_object_get(json_object_get(ours, "manifest"), "sha256")),
		manifest, error);
}

/* NULL without error where there is none. */
static GBytes *
load_manifest(SatchelBundleReader *bundle, GError **error)
{
	g_autoptr(GError) local_error = NULL;
	GBytes *text = satchel_bundle_reader_read(bundle, SATCHEL_BUNDLE_MANIFEST,
						  SATCHEL_LIMIT_MANIFEST_BYTES, &local_error);

	if (text == NULL &&
	    !g_error_matches(local_error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND))
		g_propagate_error(error, g_steal_pointer(&local_error));
	return text;
}

static gboolean
load_head(SatchelPackedOrder *self, SatchelBundleReader *bundle, GError **error)
{
	g_autoptr(GError) local_error = NULL;

	if (!load_meta(self, bundle, error))
		return FALSE;
	self->manifest = load_manifest(bundle, &local_error);
	if (local_error != NULL) {
		g_propagate_error(error, g_steal_pointer(&local_error));
		return FALSE;
	}
	return read_claims(self, self->manifest, error);
}

/* The one in the bundle, or one that is made now. */
static SatchelManifest *
choose_manifest(SatchelPackedOrder *self, SatchelBundleReader *bundle, const Found *found,
		GError **error)
{
	SatchelManifest *manifest;

	if (self->manifest != NULL)
		return satchel_manifest_parse(self->manifest, error);
	manifest = satchel_make_manifest(bundle, found->sizes, error);
	if (manifest != NULL)
		self->manifest = satchel_manifest_to_bytes(manifest);
	self->manifest_is_made = TRUE;
	return manifest;
}

SatchelPackedOrder *
satchel_packed_order_new(SatchelBundleReader *bundle, GError **error)
{
	g_autoptr(SatchelPackedOrder) self = g_new0(SatchelPackedOrder, 1);
	g_autoptr(SatchelManifest) manifest = NULL;
	g_auto(Found) found = {
		.sizes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
		.folders = g_ptr_array_new_with_free_func(g_free),
	};

	self->members = g_array_new(FALSE, TRUE, sizeof(SatchelPackedMember));
	g_array_set_clear_func(self->members, clear_member);
	self->left_out = g_ptr_array_new_with_free_func(g_free);
	self->time_s = FALLBACK_TIME_S;
	if (!satchel_bundle_reader_walk(bundle, find, &found, error) ||
	    !load_head(self, bundle, error))
		return NULL;
	manifest = choose_manifest(self, bundle, &found, error);
	if (manifest == NULL || !order_members(self, manifest, &found, error))
		return NULL;
	self->size_bytes += g_bytes_get_size(self->manifest);
	return g_steal_pointer(&self);
}

void
satchel_packed_order_set_meta(SatchelPackedOrder *self, GBytes *meta)
{
	for (guint i = 0; i < self->n_tuf; i++) {
		SatchelPackedMember *member = &g_array_index(self->members, SatchelPackedMember, i);

		if (strcmp(member->path, SATCHEL_BUNDLE_META) == 0)
			member->size_bytes = g_bytes_get_size(meta);
	}
	self->size_bytes += g_bytes_get_size(meta) - g_bytes_get_size(self->meta);
	g_bytes_unref(self->meta);
	self->meta = g_bytes_ref(meta);
}

void
satchel_packed_order_free(SatchelPackedOrder *self)
{
	g_array_unref(self->members);
	g_clear_pointer(&self->folders, g_ptr_array_unref);
	g_ptr_array_unref(self->left_out);
	g_clear_pointer(&self->manifest, g_bytes_unref);
	g_clear_pointer(&self->meta, g_bytes_unref);
	g_free(self);
}
