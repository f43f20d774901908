#include "bundle_apps.h"
#include "app_source.h"
#include "bundle_form.h"
#include "digest.h"
#include "medium_error.h"
#include "path_safety.h"
#include <string.h>

#define PIECE_BYTES (1024u * 1024u)

gboolean
satchel_bundle_apps_wanted(const SatchelDeviceProfile *profile, const SatchelTargetApp *app)
{
	return app->is_bundled &&
	       (profile->apps == NULL || g_strv_contains(profile->apps, app->name));
}

static SatchelAppClosure *
find_app(SatchelBundleReader *bundle, const SatchelDeviceProfile *profile,
	 const SatchelTargetApp *app, GError **error)
{
	SatchelAppSource source = satchel_app_source_bundle(bundle);
	g_autoptr(SatchelOciPlatform) platform = NULL;

	if (profile->platform != NULL) {
		platform = satchel_oci_platform_parse(profile->platform, error);
		if (platform == NULL)
			return NULL;
	}
	if (!satchel_app_source_check_uri(bundle, app->uri, error))
		return NULL;
	return satchel_app_closure_new(&source, app->uri, platform, error);
}

GPtrArray *
satchel_bundle_apps_find(SatchelBundleReader *bundle, const SatchelDeviceProfile *profile,
			 const SatchelOstreeTarget *target, GError **error)
{
	g_autoptr(GPtrArray) apps =
		g_ptr_array_new_with_free_func((GDestroyNotify)satchel_app_closure_free);

	for (guint i = 0; i < satchel_ostree_target_get_n_apps(target); i++) {
		const SatchelTargetApp *app = satchel_ostree_target_get_app(target, i);
		SatchelAppClosure *closure;

		if (!satchel_bundle_apps_wanted(profile, app))
			continue;
		closure = find_app(bundle, profile, app, error);
		if (closure == NULL) {
			g_autofree char *name =
				satchel_path_quote(satchel_ostree_target_get_name(target));

			g_prefix_error(error, "target %s: ", name);
			return NULL;
		}
		g_ptr_array_add(apps, closure);
	}
	return g_steal_pointer(&apps);
}

/* One pass. TRUE where it was read; @is_right: (out) */
static gboolean
hash_once(SatchelBundleReader *bundle, const char *member, const SatchelAppBlob *blob,
	  gboolean *is_right, GError **error)
{
	g_autoptr(SatchelDigest) digest = satchel_digest_new(SATCHEL_DIGEST_SHA256);
	g_autofree guint8 *piece = g_malloc(PIECE_BYTES);
	g_autofree char *found = NULL;

	for (guint64 at = 0; at < blob->size_bytes;) {
		gsize n_bytes = (gsize)MIN(PIECE_BYTES, blob->size_bytes - at);

		if (!satchel_bundle_reader_read_at(bundle, member, at, piece, n_bytes, error))
			return FALSE;
		satchel_digest_update(digest, piece, n_bytes);
		at += n_bytes;
	}
	found = satchel_digest_finish(digest);
	*is_right = strcmp(found, blob->sha256) == 0;
	return TRUE;
}

gboolean
satchel_bundle_apps_hash(SatchelBundleReader *bundle, const SatchelAppBlob *blob, GError **error)
{
	g_autofree char *path = satchel_app_store_blob(blob->sha256);
	g_autofree char *member = g_strconcat(SATCHEL_BUNDLE_APPS "/", path, NULL);
	g_autoptr(GError) local_error = NULL;
	gboolean is_right = FALSE;

	if (hash_once(bundle, member, blob, &is_right, &local_error) && !is_right) {
		satchel_bundle_reader_drop_cache(bundle, member, 0, blob->size_bytes);
		(void)hash_once(bundle, member, blob, &is_right, &local_error);
	}
	if (local_error != NULL) {
		if (g_error_matches(local_error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND))
			local_error->code = SATCHEL_ERROR_NO_TARGET_CONTENT;
		g_propagate_error(error, g_steal_pointer(&local_error));
		return FALSE;
	}
	return is_right ||
	       satchel_medium_error_set(error, SATCHEL_MEDIUM_WRONG_HASH, member, 0, NULL);
}
