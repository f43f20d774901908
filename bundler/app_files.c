#include "app_files.h"
#include <jansson.h>
#include <string.h>

static void
app_file_free(gpointer data)
{
	SatchelAppFile *file = data;

	g_free(file->path);
	g_clear_pointer(&file->content, g_bytes_unref);
	g_free(file);
}

/* @content: (transfer full) (nullable); @blob: (nullable) */
static void
add_file(GPtrArray *files, const SatchelAppClosure *app, const char *name,
	 const SatchelOciDescriptor *blob, GBytes *content)
{
	SatchelAppFile *file = g_new0(SatchelAppFile, 1);

	file->path = satchel_app_store_file(app->reference, name);
	file->content = content;
	if (blob != NULL)
		(void)g_strlcpy(file->sha256, blob->sha256, sizeof file->sha256);
	file->size_bytes = blob != NULL ? blob->size_bytes : g_bytes_get_size(content);
	g_ptr_array_add(files, file);
}

static json_t *
descriptor_to_json(const SatchelAppImage *image)
{
	const SatchelOciDescriptor *descriptor = image->descriptor;
	g_autofree char *digest = g_strconcat("sha256:", descriptor->sha256, NULL);
	json_t *object = json_pack("{s:s, s:I}", "digest", digest, "size",
				   (json_int_t)descriptor->size_bytes);

	if (*descriptor->media_type != '\0')
		json_object_set_new(object, "mediaType", json_string(descriptor->media_type));
	if (image->platform != NULL) {
		json_t *platform = json_pack("{s:s, s:s}", "os", image->platform->os,
					     "architecture", image->platform->architecture);

		if (*image->platform->variant != '\0')
			json_object_set_new(platform, "variant",
					    json_string(image->platform->variant));
		json_object_set_new(object, "platform", platform);
	}
	return object;
}

/* The index of the layout that aktualizr-lite's older engine looks for: the images that are there
 * under one reference. */
static void
add_image(GPtrArray *files, const SatchelAppClosure *app, const SatchelImageReference *reference)
{
	g_autofree char *name = g_strconcat("images/", reference->host, "/", reference->path, "/",
					    reference->sha256, "/index.json", NULL);
	json_t *manifests = json_array();
	json_t *index;
	char *text;

	for (guint i = 0; i < app->images->len; i++) {
		const SatchelAppImage *image = app->images->pdata[i];

		if (image->reference == reference)
			json_array_append_new(manifests, descriptor_to_json(image));
	}
	index = json_pack("{s:i, s:o}", "schemaVersion", 2, "manifests", manifests);
	text = json_dumps(index, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(index);
	add_file(files, app, name, NULL,
		 g_bytes_new_with_free_func(text, strlen(text), free, text));
}

GPtrArray *
satchel_app_files_of(const SatchelAppClosure *app)
{
	GPtrArray *files = g_ptr_array_new_with_free_func(app_file_free);
	const SatchelAppBlob *manifest = &g_array_index(app->blobs, SatchelAppBlob, 0);
	SatchelOciDescriptor own = {.size_bytes = manifest->size_bytes};
	g_autofree char *archive = g_strconcat(app->manifest->archive->sha256, ".tgz", NULL);
	const SatchelImageReference *last = NULL;

	(void)g_strlcpy(own.sha256, manifest->sha256, sizeof own.sha256);
	add_file(files, app, "manifest.json", &own, NULL);
	add_file(files, app, archive, app->manifest->archive, NULL);
	add_file(files, app, SATCHEL_COMPOSE_FILE, NULL, g_bytes_ref(app->compose_text));
	for (guint i = 0; i < app->images->len; i++) {
		const SatchelAppImage *image = app->images->pdata[i];

		/* Those of one reference follow each other. */
		if (image->reference != last)
			add_image(files, app, image->reference);
		last = image->reference;
	}
	add_file(files, app, "uri", NULL, g_bytes_new(app->uri, strlen(app->uri)));
	return files;
}
