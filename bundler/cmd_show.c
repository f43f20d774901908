#include "../verify/clock.h"
#include "../verify/json.h"
#include "../verify/path_safety.h"
#include "../verify/progress.h"
#include "../verify/utc_time.h"
#include "bundle_roots.h"
#include "bundle_size.h"
#include "commands.h"
#include "options.h"
#include "show_thin.h"
#include <satchel/bundle_layout.h>
#include <satchel/bundle_meta.h>
#include <stdio.h>

/* What is shown. Everything in it is the bundle's own word. */
typedef struct {
	SatchelRoot *root;
	SatchelBundleMetaView *meta;
	guint n_signatures; /* listed ones, good or bad */
	SatchelBundleSize size;
	GPtrArray *apps; /* of char *: URIs */
	gboolean has_manifest;
} Picture;

static void
picture_clear(Picture *picture)
{
	g_clear_pointer(&picture->root, satchel_root_unref);
	g_clear_pointer(&picture->apps, g_ptr_array_unref);
	g_clear_pointer(&picture->meta, satchel_bundle_meta_view_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Picture, picture_clear)

static gboolean
count_signatures(GBytes *document, guint *n_signatures, GError **error)
{
	g_autoptr(SatchelJson) tree = satchel_json_parse(document, error);
	json_t *signatures =
		tree != NULL ? satchel_json_get_array(tree, "signatures", error) : NULL;

	*n_signatures = (guint)json_array_size(signatures);
	return signatures != NULL;
}

static gboolean
load(const char *path, Picture *picture, GError **error)
{
	g_autoptr(SatchelBundleReader) bundle = satchel_bundle_reader_open(path, error);
	g_autoptr(GBytes) document = NULL;
	g_autoptr(GError) local_error = NULL;

	if (bundle == NULL)
		return FALSE;
	picture->root = satchel_bundle_roots_newest(bundle, error);
	if (picture->root == NULL)
		return FALSE;
	document = satchel_bundle_reader_read(bundle, SATCHEL_BUNDLE_META,
					      SATCHEL_LIMIT_BUNDLE_META_BYTES, error);
	if (document == NULL)
		return FALSE;
	picture->meta = satchel_bundle_meta_view_new(picture->root, document, error);
	if (picture->meta == NULL || !count_signatures(document, &picture->n_signatures, error))
		return FALSE;
	picture->has_manifest =
		satchel_bundle_reader_has(bundle, SATCHEL_BUNDLE_MANIFEST, &local_error);
	if (local_error != NULL) {
		g_propagate_error(error, g_steal_pointer(&local_error));
		return FALSE;
	}
	picture->apps = satchel_bundle_size_list_apps(bundle, error);
	return picture->apps != NULL && satchel_bundle_size_measure(bundle, &picture->size, error);
}

static guint
n_missing(const Picture *picture)
{
	guint threshold = satchel_bundle_meta_view_get_threshold(picture->meta);
	guint n_good = g_strv_length(
		(GStrv)(guintptr)satchel_bundle_meta_view_get_signed_keyids(picture->meta));

	return threshold > n_good ? threshold - n_good : 0;
}

static guint
n_useless(const Picture *picture)
{
	return picture->n_signatures -
	       g_strv_length(
		       (GStrv)(guintptr)satchel_bundle_meta_view_get_signed_keyids(picture->meta));
}

/* ---- as JSON ---- */

static json_t *
strings_to_json(const char *const *strings)
{
	json_t *array = json_array();

	for (; *strings != NULL; strings++)
		json_array_append_new(array, json_string(*strings));
	return array;
}

static json_t *
signatures_to_json(const Picture *picture)
{
	return json_pack(
		"{s:i, s:o, s:o, s:i, s:i}", "threshold",
		(int)satchel_bundle_meta_view_get_threshold(picture->meta), "allowed_keyids",
		strings_to_json(satchel_bundle_meta_view_get_allowed_keyids(picture->meta)),
		"signed_keyids",
		strings_to_json(satchel_bundle_meta_view_get_signed_keyids(picture->meta)),
		"missing", (int)n_missing(picture), "useless", (int)n_useless(picture));
}

static json_t *
size_to_json(const SatchelBundleSize *size)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "files", (json_int_t)size->n_files, "bytes",
			 (json_int_t)size->size_bytes, "ostree_objects",
			 (json_int_t)size->n_objects, "ostree_bytes",
			 (json_int_t)size->object_bytes, "app_bytes", (json_int_t)size->app_bytes);
}

static json_t *
apps_to_json(const GPtrArray *apps)
{
	json_t *array = json_array();

	for (guint i = 0; i < apps->len; i++) {
		g_autofree char *quoted = satchel_path_quote(apps->pdata[i]);

		json_array_append_new(array, json_string(quoted));
	}
	return array;
}

static void
print_json(const Picture *picture)
{
	const SatchelBundleMetaView *meta = picture->meta;
	gint64 issued_s = satchel_bundle_meta_view_get_issued_s(meta);
	g_autofree char *expires =
		satchel_utc_time_format(satchel_bundle_meta_view_get_expires_s(meta));
	g_autofree char *issued = issued_s >= 0 ? satchel_utc_time_format(issued_s) : NULL;
	gboolean is_tuf = satchel_root_get_dialect(picture->root) == SATCHEL_DIALECT_TUF;
	g_autoptr(SatchelJson) tree = json_pack(
		"{s:s, s:s, s:I, s:s, s:s?, s:o, s:{s:s, s:I}, s:o, s:b, s:o, s:o, s:o}", "type",
		satchel_bundle_meta_view_get_type(meta), "tag",
		satchel_bundle_meta_view_get_tag(meta), "version",
		(json_int_t)satchel_bundle_meta_view_get_version(meta), "expires", expires,
		"issued", issued, "targets",
		strings_to_json(satchel_bundle_meta_view_get_targets(meta)), "root", "dialect",
		is_tuf ? "tuf" : "uptane", "version",
		(json_int_t)satchel_root_get_version(picture->root), "signatures",
		signatures_to_json(picture), "manifest", (int)picture->has_manifest, "size",
		size_to_json(&picture->size), "apps", apps_to_json(picture->apps), "thin",
		satchel_show_thin_to_json(satchel_bundle_meta_view_get_thin(meta), &picture->size));

	json_dumpf(tree, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	putchar('\n');
}

/* ---- for people ---- */

static void
print_list(const char *what, const char *const *strings)
{
	for (; *strings != NULL; strings++) {
		g_autofree char *quoted = satchel_path_quote(*strings);

		printf("%-12s%s\n", what, quoted);
		what = "";
	}
}

static void
print_signatures(const Picture *picture)
{
	const SatchelBundleMetaView *meta = picture->meta;
	guint missing = n_missing(picture);
	guint useless = n_useless(picture);

	print_list("signed by", satchel_bundle_meta_view_get_signed_keyids(meta));
	if (useless > 0)
		printf("%-12s%u that do not count (unknown key or wrong)\n", "signatures", useless);
	if (missing == 0) {
		printf("%-12snone (threshold %u)\n", "missing",
		       satchel_bundle_meta_view_get_threshold(meta));
		return;
	}
	printf("%-12s%u of %u signatures\n", "missing", missing,
	       satchel_bundle_meta_view_get_threshold(meta));
	print_list("may sign", satchel_bundle_meta_view_get_allowed_keyids(meta));
}

static void
print_apps(const Picture *picture)
{
	g_autofree char *bytes = satchel_progress_format_bytes(picture->size.app_bytes);

	for (guint i = 0; i < picture->apps->len; i++) {
		g_autofree char *quoted = satchel_path_quote(picture->apps->pdata[i]);

		printf("%-12s%s\n", i == 0 ? "apps" : "", quoted);
	}
	if (picture->apps->len > 0)
		printf("%-12s%u apps, %s\n", "", picture->apps->len, bytes);
}

static void
print_text(const Picture *picture)
{
	const SatchelBundleMetaView *meta = picture->meta;
	gint64 expires_s = satchel_bundle_meta_view_get_expires_s(meta);
	gint64 issued_s = satchel_bundle_meta_view_get_issued_s(meta);
	g_autofree char *expires = satchel_utc_time_format(expires_s);
	g_autofree char *tag = satchel_path_quote(satchel_bundle_meta_view_get_tag(meta));
	g_autofree char *bytes = satchel_progress_format_bytes(picture->size.size_bytes);
	g_autofree char *object_bytes = satchel_progress_format_bytes(picture->size.object_bytes);

	printf("%-12s%s\n%-12s%s\n", "type", satchel_bundle_meta_view_get_type(meta), "tag", tag);
	printf("%-12s%s%s\n", "expires", expires,
	       expires_s <= satchel_clock_now_s() ? " (expired)" : "");
	if (issued_s >= 0) {
		g_autofree char *issued = satchel_utc_time_format(issued_s);

		printf("%-12s%s\n", "issued", issued);
	}
	print_list("targets", satchel_bundle_meta_view_get_targets(meta));
	print_apps(picture);
	print_signatures(picture);
	printf("%-12s%" G_GUINT64_FORMAT " files, %s; %" G_GUINT64_FORMAT
	       " OSTree objects, %s; %s\n",
	       "size", picture->size.n_files, bytes, picture->size.n_objects, object_bytes,
	       picture->has_manifest ? "with a manifest" : "no manifest");
	satchel_show_thin_print(satchel_bundle_meta_view_get_thin(meta), &picture->size);
}

gboolean
satchel_cmd_show(int argc, char **argv, SatchelOutcome *outcome, GError **error)
{
	gboolean as_json = FALSE;
	const GOptionEntry entries[] = {
		{"json", 0, 0, G_OPTION_ARG_NONE, &as_json, "As JSON (bundle-show.schema.json)",
		 NULL},
		G_OPTION_ENTRY_NULL,
	};
	g_auto(Picture) picture = {0};
	const char *path = satchel_options_parse(entries, argc, argv, "BUNDLE", error);

	if (path == NULL || !load(path, &picture, error))
		return FALSE;
	if (as_json)
		print_json(&picture);
	else
		print_text(&picture);
	return TRUE;
}
