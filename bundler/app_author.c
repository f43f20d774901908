#include "app_author.h"
#include "../verify/cli.h"
#include "../verify/image_reference.h"
#include "../verify/safe_read.h"
#include "app_archive_writer.h"
#include "compose_pin.h"
#include "interrupt.h"
#include <jansson.h>
#include <satchel/limits.h>
#include <string.h>

#define MANIFEST_TYPE "application/vnd.oci.image.manifest.v1+json"
#define ARTIFACT_TYPE "application/vnd.fio+compose-app"
#define ARCHIVE_TYPE "application/octet-stream"
/* OCI's empty descriptor: {}. */
#define EMPTY_TYPE "application/vnd.oci.empty.v1+json"
#define EMPTY_DIGEST "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"

gboolean
satchel_app_author_check(const SatchelAppWish *wish, GError **error)
{
	g_auto(GStrv) parts = g_strsplit(wish->publish_as, "/", -1);

	if (!satchel_image_reference_is_name(wish->publish_as) || g_strv_length(parts) != 3) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE,
			    "--publish-as: %s is no HOST/FACTORY/APP", wish->publish_as);
		return FALSE;
	}
	if (strcmp(parts[2], wish->name) == 0)
		return TRUE;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE,
		    "--name %s is not the APP of --publish-as %s", wish->name, wish->publish_as);
	return FALSE;
}

/* (transfer full): NULL-terminated, in the order of @images */
static GStrv
collect_images(SatchelAppStore *store, const char *const *images, const SatchelAppWish *wish,
	       GError **error)
{
	g_autoptr(GStrvBuilder) pinned = g_strv_builder_new();

	for (; *images != NULL; images++) {
		g_autofree char *reference = NULL;

		satchel_cli_note("image %s", *images);
		reference = satchel_collect_image(store, *images, &wish->images, error);
		if (reference == NULL || !satchel_interrupt_check(error))
			return NULL;
		g_strv_builder_add(pinned, reference);
	}
	return g_strv_builder_end(pinned);
}

/* The Compose file with its images pinned, which are in the store then. (transfer full) */
static GBytes *
make_compose(SatchelAppStore *store, const SatchelAppWish *wish, GError **error)
{
	g_autoptr(GBytes) text =
		satchel_safe_read_named(wish->compose_path, SATCHEL_LIMIT_YAML_BYTES, error);
	g_auto(GStrv) images = NULL;
	g_auto(GStrv) pinned = NULL;

	if (text == NULL)
		return NULL;
	images = satchel_compose_pin_list_images(text, error);
	if (images != NULL)
		pinned = collect_images(store, (const char *const *)images, wish, error);
	if (pinned == NULL)
		return NULL;
	return satchel_compose_pin(text, (const char *const *)images, (const char *const *)pinned,
				   error);
}

static GBytes *
make_manifest(const char *archive, gsize archive_bytes, const char *index, gsize index_bytes)
{
	g_autofree char *archive_digest = g_strconcat("sha256:", archive, NULL);
	g_autofree char *index_digest = g_strconcat("sha256:", index, NULL);
	g_autofree char *index_size = g_strdup_printf("%" G_GSIZE_FORMAT, index_bytes);
	json_t *manifest = json_pack(
		"{s:i, s:s, s:s, s:{s:s}, s:{s:s, s:s, s:i}, s:[{s:s, s:s, s:I, s:{s:s, s:s}}]}",
		"schemaVersion", 2, "mediaType", MANIFEST_TYPE, "artifactType", ARTIFACT_TYPE,
		"annotations", "compose-app", "v1", "config", "mediaType", EMPTY_TYPE, "digest",
		EMPTY_DIGEST, "size", 2, "layers", "mediaType", ARCHIVE_TYPE, "digest",
		archive_digest, "size", (json_int_t)archive_bytes, "annotations",
		"org.foundries.app.bundle.index.digest", index_digest,
		"org.foundries.app.bundle.index.size", index_size);
	char *text = json_dumps(manifest, JSON_COMPACT | JSON_SORT_KEYS);

	json_decref(manifest);
	return g_bytes_new_with_free_func(text, strlen(text), free, text);
}

/* Its archive and manifest, in the store: the URI. (transfer full) */
static char *
put_app(SatchelAppStore *store, const SatchelAppWish *wish, GBytes *compose, GError **error)
{
	g_autofree char *top = g_path_get_dirname(wish->compose_path);
	g_auto(SatchelAppArchiveFiles) files = {0};
	g_autoptr(GBytes) manifest = NULL;
	char archive[65], index[65], sha256[65];

	if (!satchel_app_archive_make(compose, top, wish->paths, &files, error) ||
	    !satchel_app_store_put(store, files.archive, archive, error) ||
	    !satchel_app_store_put(store, files.index, index, error))
		return NULL;
	manifest = make_manifest(archive, g_bytes_get_size(files.archive), index,
				 g_bytes_get_size(files.index));
	if (!satchel_app_store_put(store, manifest, sha256, error))
		return NULL;
	return g_strconcat(wish->publish_as, "@sha256:", sha256, NULL);
}

SatchelAppClosure *
satchel_app_author_add(SatchelAppStore *store, const SatchelAppWish *wish, GError **error)
{
	g_autoptr(GBytes) compose = make_compose(store, wish, error);
	SatchelAppSource source = satchel_app_store_source(store);
	g_autoptr(SatchelAppClosure) app = NULL;
	g_autofree char *uri = NULL;

	if (compose == NULL)
		return NULL;
	uri = put_app(store, wish, compose, error);
	if (uri == NULL)
		return NULL;
	/* As everybody else will find it. */
	app = satchel_app_closure_new(&source, uri, NULL, error);
	if (app == NULL || !satchel_app_store_publish(store, app, error))
		return NULL;
	return g_steal_pointer(&app);
}
