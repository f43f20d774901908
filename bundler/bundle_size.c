#include "bundle_size.h"
#include "../verify/bundle_form.h"
#include <satchel/limits.h>
#include <string.h>
#include <sys/stat.h>

static gboolean
add_member(const char *member, const SatchelBundleStat *stat, gpointer user_data, GError **error)
{
	SatchelBundleSize *size = user_data;

	if (S_ISDIR(stat->mode))
		return TRUE;
	size->n_files++;
	size->size_bytes += stat->size_bytes;
	if (g_str_has_prefix(member, SATCHEL_BUNDLE_OSTREE_OBJECTS "/")) {
		size->n_objects++;
		size->object_bytes += stat->size_bytes;
	}
	if (g_str_has_prefix(member, SATCHEL_BUNDLE_APPS "/"))
		size->app_bytes += stat->size_bytes;
	return TRUE;
}

gboolean
satchel_bundle_size_measure(SatchelBundleReader *bundle, SatchelBundleSize *size, GError **error)
{
	*size = (SatchelBundleSize){0};
	return satchel_bundle_reader_walk(bundle, add_member, size, error);
}

/* apps/apps/APP/SHA256/uri */
static gboolean
add_uri_member(const char *member, const SatchelBundleStat *stat, gpointer user_data,
	       GError **error)
{
	g_auto(GStrv) parts = g_strsplit(member, "/", -1);

	if (S_ISREG(stat->mode) && g_strv_length(parts) == 5 &&
	    strcmp(parts[0], SATCHEL_BUNDLE_APPS) == 0 &&
	    strcmp(parts[1], SATCHEL_APP_STORE_APPS) == 0 && strcmp(parts[4], "uri") == 0)
		g_ptr_array_add(user_data, g_strdup(member));
	return TRUE;
}

static int
compare_texts(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *
satchel_bundle_size_list_apps(SatchelBundleReader *bundle, GError **error)
{
	g_autoptr(GPtrArray) members = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) uris = g_ptr_array_new_with_free_func(g_free);

	if (!satchel_bundle_reader_walk(bundle, add_uri_member, members, error))
		return NULL;
	g_ptr_array_sort(members, compare_texts);
	for (guint i = 0; i < members->len; i++) {
		g_autoptr(GBytes) content = satchel_bundle_reader_read(
			bundle, members->pdata[i], SATCHEL_LIMIT_PATH_BYTES, error);

		if (content == NULL)
			return NULL;
		g_ptr_array_add(uris, g_strndup(g_bytes_get_data(content, NULL),
						g_bytes_get_size(content)));
	}
	return g_steal_pointer(&uris);
}
