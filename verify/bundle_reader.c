#include "bundle_form.h"
#include "path_safety.h"
#include <errno.h>
#include <sys/stat.h>

SatchelBundleReader *
satchel_bundle_reader_open(const char *path, GError **error)
{
	g_autofree char *quoted = NULL;
	struct stat info;

	g_return_val_if_fail(path != NULL, NULL);
	/* The user named it: a link to the mounted stick is the user's choice. */
	if (stat(path, &info) != 0) {
		quoted = satchel_path_quote(path);
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND,
			    "no bundle at '%s': %s", quoted, g_strerror(errno));
		return NULL;
	}
	if (S_ISDIR(info.st_mode))
		return satchel_bundle_directory_open(path, error);
	quoted = satchel_path_quote(path);
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND,
		    "no bundle at '%s': it is no folder", quoted);
	return NULL;
}

const char *
satchel_bundle_reader_get_path(const SatchelBundleReader *self)
{
	return self->path;
}

/* Names come from metadata that others wrote. */
static gboolean
reader_check_name(const char *member, GError **error)
{
	g_autoptr(GError) local_error = NULL;

	if (satchel_path_check(member, &local_error))
		return TRUE;
	g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
			    local_error->message);
	return FALSE;
}

static GBytes *
reader_read_all(GInputStream *stream, const char *member, gsize n_bytes, GError **error)
{
	g_autoptr(GError) local_error = NULL;
	/* One more than announced, to notice a file that grew. */
	g_autofree guint8 *buffer = g_malloc(n_bytes + 1);
	gsize n_read = 0;

	if (!g_input_stream_read_all(stream, buffer, n_bytes + 1, &n_read, NULL, &local_error)) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
			    "%s cannot be read: %s", member, local_error->message);
		return NULL;
	}
	if (n_read != n_bytes) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
			    "%s changed its size while it was read", member);
		return NULL;
	}
	return g_bytes_new_take(g_steal_pointer(&buffer), n_bytes);
}

GBytes *
satchel_bundle_reader_read(SatchelBundleReader *self, const char *member, gsize max_bytes,
			   GError **error)
{
	g_autoptr(GInputStream) stream = NULL;
	guint64 size_bytes = 0;

	g_return_val_if_fail(max_bytes < G_MAXSIZE, NULL);
	stream = satchel_bundle_reader_open_member(self, member, &size_bytes, error);
	if (stream == NULL)
		return NULL;
	if (size_bytes > max_bytes) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
			    "%s has %" G_GUINT64_FORMAT " bytes, more than the %" G_GSIZE_FORMAT
			    " allowed",
			    member, size_bytes, max_bytes);
		return NULL;
	}
	return reader_read_all(stream, member, (gsize)size_bytes, error);
}

GInputStream *
satchel_bundle_reader_open_member(SatchelBundleReader *self, const char *member,
				  guint64 *size_bytes, GError **error)
{
	if (!reader_check_name(member, error))
		return NULL;
	return self->form->open_member(self, member, size_bytes, error);
}

gboolean
satchel_bundle_reader_stat(SatchelBundleReader *self, const char *member, SatchelBundleStat *info,
			   GError **error)
{
	if (!reader_check_name(member, error))
		return FALSE;
	return self->form->stat_member(self, member, info, error);
}

gboolean
satchel_bundle_reader_has(SatchelBundleReader *self, const char *member, GError **error)
{
	g_autoptr(GError) local_error = NULL;
	SatchelBundleStat info;

	if (!satchel_bundle_reader_stat(self, member, &info, &local_error)) {
		if (!g_error_matches(local_error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND))
			g_propagate_error(error, g_steal_pointer(&local_error));
		return FALSE;
	}
	if (S_ISREG(info.mode))
		return TRUE;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED, "%s is no regular file",
		    member);
	return FALSE;
}

gboolean
satchel_bundle_reader_walk(SatchelBundleReader *self, SatchelBundleVisit visit, gpointer user_data,
			   GError **error)
{
	return self->form->walk(self, visit, user_data, error);
}

void
satchel_bundle_reader_free(SatchelBundleReader *self)
{
	if (self != NULL)
		self->form->free(self);
}
