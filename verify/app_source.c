#include "app_source.h"
#include "bundle_form.h"
#include "safe_read.h"
#include <satchel/bundle_layout.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUNDLE_FOLDER SATCHEL_BUNDLE_APPS "/"

static char *
bundle_member(const char *sha256)
{
	g_autofree char *path = satchel_app_store_blob(sha256);

	return g_strconcat(BUNDLE_FOLDER, path, NULL);
}

static GBytes *
bundle_load(gpointer self, const char *sha256, gsize max_bytes, GError **error)
{
	g_autofree char *member = bundle_member(sha256);

	return satchel_bundle_reader_read(self, member, max_bytes, error);
}

/* Absence is an answer. */
static gboolean
settle_missing(GError *found, gboolean *missing, GError **error)
{
	*missing = g_error_matches(found, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND);
	if (*missing)
		g_error_free(found);
	else
		g_propagate_error(error, found);
	return *missing;
}

static gboolean
bundle_find(gpointer self, const char *sha256, guint64 *size_bytes, gboolean *missing,
	    GError **error)
{
	g_autofree char *member = bundle_member(sha256);
	SatchelBundleStat info = {0};
	GError *local_error = NULL;

	*missing = FALSE;
	/* What the manifest says of it says nothing of what is there. */
	if (!satchel_bundle_reader_stat(self, member, &info, &local_error))
		return settle_missing(local_error, missing, error);
	*size_bytes = info.size_bytes;
	if (S_ISREG(info.mode))
		return TRUE;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED, "%s is no regular file",
		    member);
	return FALSE;
}

static void
bundle_forget(gpointer self, const char *sha256)
{
	g_autofree char *member = bundle_member(sha256);

	satchel_bundle_reader_drop_cache(self, member, 0, SATCHEL_LIMIT_APP_ARCHIVE_BYTES);
}

SatchelAppSource
satchel_app_source_bundle(SatchelBundleReader *bundle)
{
	return (SatchelAppSource){.folder = BUNDLE_FOLDER,
				  .load = bundle_load,
				  .find = bundle_find,
				  .forget = bundle_forget,
				  .self = bundle};
}

static GBytes *
folder_load(gpointer self, const char *sha256, gsize max_bytes, GError **error)
{
	g_autofree char *path = satchel_app_store_blob(sha256);

	return satchel_safe_read(*(const int *)self, path, max_bytes, error);
}

static gboolean
folder_find(gpointer self, const char *sha256, guint64 *size_bytes, gboolean *missing,
	    GError **error)
{
	g_autofree char *path = satchel_app_store_blob(sha256);
	GError *local_error = NULL;
	int fd = satchel_safe_open(*(const int *)self, path, size_bytes, &local_error);

	*missing = FALSE;
	if (fd < 0)
		return settle_missing(local_error, missing, error);
	close(fd);
	return TRUE;
}

SatchelAppSource
satchel_app_source_folder(const int *dir_fd)
{
	return (SatchelAppSource){.folder = "",
				  .load = folder_load,
				  .find = folder_find,
				  .self = (gpointer)(guintptr)dir_fd};
}

gboolean
satchel_app_source_check_uri(SatchelBundleReader *bundle, const char *uri, GError **error)
{
	g_autoptr(SatchelImageReference) reference = satchel_app_uri_parse(uri, error);
	g_autoptr(GError) local_error = NULL;
	g_autofree char *path = NULL;
	g_autofree char *member = NULL;
	g_autoptr(GBytes) found = NULL;
	g_autoptr(GBytes) wanted = NULL;

	if (reference == NULL)
		return FALSE;
	path = satchel_app_store_file(reference, "uri");
	member = g_strconcat(BUNDLE_FOLDER, path, NULL);
	found = satchel_bundle_reader_read(bundle, member, SATCHEL_LIMIT_PATH_BYTES, &local_error);
	wanted = g_bytes_new_static(uri, strlen(uri));
	if (found != NULL && g_bytes_equal(found, wanted))
		return TRUE;
	if (local_error != NULL &&
	    !g_error_matches(local_error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND)) {
		g_propagate_error(error, g_steal_pointer(&local_error));
		return FALSE;
	}
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_NO_TARGET_CONTENT,
		    "app %s is not in the bundle: %s %s", satchel_app_uri_get_app(reference),
		    member, found != NULL ? "is that of another" : "is not there");
	return FALSE;
}
