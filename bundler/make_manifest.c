#include "make_manifest.h"
#include "../verify/cli_progress.h"
#include "../verify/digest.h"
#include "../verify/hex.h"
#include "../verify/ostree_closure.h"
#include "../verify/progress.h"
#include "interrupt.h"
#include <satchel/bundle_layout.h>
#include <string.h>

#define PIECE_BYTES (256u * 1024u)
#define OBJECTS_PREFIX SATCHEL_BUNDLE_OSTREE_OBJECTS "/"
#define COMMIT_SUFFIX ".commit"

/* ---- the order ---- */

/* Groups in the order of a bundle; within one, by name. */
static guint
group_of(const char *path)
{
	static const char *const prefixes[] = {SATCHEL_BUNDLE_TUF "/",
					       SATCHEL_BUNDLE_OSTREE_REPO "/", OBJECTS_PREFIX,
					       SATCHEL_BUNDLE_APPS "/"};
	guint group = G_N_ELEMENTS(prefixes);

	for (guint i = 0; i < G_N_ELEMENTS(prefixes); i++)
		if (g_str_has_prefix(path, prefixes[i]))
			group = i;
	return group;
}

/* 2.root.json before 10.root.json: a device goes through them by number. */
static guint64
number_of(const char *path)
{
	const char *name = strrchr(path, '/');

	return name != NULL && g_ascii_isdigit(name[1]) ? g_ascii_strtoull(name + 1, NULL, 10)
							: G_MAXUINT64;
}

static int
compare(gconstpointer a, gconstpointer b)
{
	const char *left = *(const char *const *)a;
	const char *right = *(const char *const *)b;
	guint group = group_of(left);

	if (group != group_of(right))
		return group < group_of(right) ? -1 : 1;
	if (group == 0 && number_of(left) != number_of(right))
		return number_of(left) < number_of(right) ? -1 : 1;
	return strcmp(left, right);
}

/* Checksums of the commits among @names, NULL-terminated. (transfer full) */
static GPtrArray *
list_commits(const char **names, guint n_names)
{
	GPtrArray *commits = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < n_names; i++) {
		const char *hex = names[i] + strlen(OBJECTS_PREFIX);

		/* ab/cdef….commit */
		if (g_str_has_prefix(names[i], OBJECTS_PREFIX) &&
		    g_str_has_suffix(hex, COMMIT_SUFFIX) &&
		    strlen(hex) == 65 + strlen(COMMIT_SUFFIX) && hex[2] == '/')
			g_ptr_array_add(commits, g_strdup_printf("%.2s%.62s", hex, hex + 3));
	}
	g_ptr_array_add(commits, NULL);
	return commits;
}

/* Gives each object of the commits its place in the walk, from 1 on. */
static gboolean
place_objects(SatchelBundleReader *bundle, const char *const *commits, GHashTable *places,
	      GError **error)
{
	g_autoptr(SatchelClosureRepo) repo = satchel_closure_repo_open(bundle, error);
	g_autoptr(SatchelClosureList) list =
		repo != NULL ? satchel_closure_list(repo, commits, error) : NULL;

	if (list == NULL)
		return FALSE;
	for (guint i = 0; i < list->objects->len; i++) {
		const SatchelClosureObject *object =
			&g_array_index(list->objects, SatchelClosureObject, i);
		g_autofree char *path = NULL;
		char checksum[65];

		satchel_hex_from_sha256(object->checksum, checksum);
		path = satchel_object_path(object->type, checksum, TRUE);
		g_hash_table_insert(places, g_strconcat(OBJECTS_PREFIX, path, NULL),
				    GUINT_TO_POINTER(i + 1));
	}
	return TRUE;
}

static int
compare_places(gconstpointer a, gconstpointer b, gpointer places)
{
	const char *left = *(const char *const *)a;
	const char *right = *(const char *const *)b;
	guint left_place = GPOINTER_TO_UINT(g_hash_table_lookup(places, left));
	guint right_place = GPOINTER_TO_UINT(g_hash_table_lookup(places, right));

	if (group_of(left) != group_of(right) || left_place == right_place)
		return compare(a, b);
	/* 0 is no place: after all that have one. */
	return left_place - 1 < right_place - 1 ? -1 : 1;
}

static gboolean
sort_names(SatchelBundleReader *bundle, const char **names, guint n_names, GError **error)
{
	g_autoptr(GHashTable) places = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GPtrArray) commits = NULL;

	/* By name first, so that the same commits are walked in the same order. */
	qsort(names, n_names, sizeof *names, compare);
	commits = list_commits(names, n_names);
	if (commits->len > 1 &&
	    !place_objects(bundle, (const char *const *)commits->pdata, places, error))
		return FALSE;
	g_qsort_with_data(names, (int)n_names, sizeof *names, compare_places, places);
	return TRUE;
}

/* ---- the hashes ---- */

static gboolean
add_file(SatchelBundleReader *bundle, const char *path, guint8 *buffer, SatchelManifest *manifest,
	 SatchelProgress *progress, GError **error)
{
	g_autoptr(SatchelDigest) digest = satchel_digest_new(SATCHEL_DIGEST_SHA256);
	g_autofree char *sha256 = NULL;
	guint64 size_bytes = 0;
	g_autoptr(GInputStream) stream =
		satchel_bundle_reader_open_member(bundle, path, NULL, error);
	gssize n_read = stream == NULL ? -1 : 1;

	while (n_read > 0) {
		n_read = g_input_stream_read(stream, buffer, PIECE_BYTES, NULL, error);
		if (n_read <= 0)
			break;
		satchel_digest_update(digest, buffer, (gsize)n_read);
		size_bytes += (guint64)n_read;
		satchel_progress_advance(progress, (guint64)n_read);
	}
	if (n_read < 0)
		return FALSE;
	sha256 = satchel_digest_finish(digest);
	return satchel_manifest_add(manifest, path, size_bytes, sha256, error) &&
	       satchel_interrupt_check(error);
}

static guint64
sum_of(GHashTable *sizes)
{
	GHashTableIter iter;
	gpointer size_bytes;
	guint64 sum_bytes = 0;

	g_hash_table_iter_init(&iter, sizes);
	while (g_hash_table_iter_next(&iter, NULL, &size_bytes))
		sum_bytes += *(const guint64 *)size_bytes;
	return sum_bytes;
}

SatchelManifest *
satchel_make_manifest(SatchelBundleReader *bundle, GHashTable *sizes, GError **error)
{
	g_autoptr(SatchelManifest) manifest = satchel_manifest_new();
	g_autoptr(SatchelProgress) progress =
		satchel_progress_begin(satchel_cli_progress(), "hashing", sum_of(sizes));
	g_autofree guint8 *buffer = g_malloc(PIECE_BYTES);
	guint n_names = 0;
	g_autofree const char **names =
		(const char **)(gpointer)g_hash_table_get_keys_as_array(sizes, &n_names);

	if (!sort_names(bundle, names, n_names, error))
		return NULL;
	for (guint i = 0; i < n_names; i++)
		if (strcmp(names[i], SATCHEL_BUNDLE_META) != 0 &&
		    !add_file(bundle, names[i], buffer, manifest, progress, error))
			return NULL;
	return g_steal_pointer(&manifest);
}
