#include "path_safety.h"
#include "tuf_source_stream.h"

char *
satchel_tuf_source_file_name(const char *role, gint64 version)
{
	if (version == 0)
		return g_strconcat(role, ".json", NULL);
	return g_strdup_printf("%" G_GINT64_FORMAT ".%s.json", version, role);
}

static GBytes *
fail_size(GError **error, const char *name, gsize max_bytes)
{
	g_autofree char *quoted = satchel_path_quote(name);

	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
		    "%s: longer than the %" G_GSIZE_FORMAT " bytes it may have", quoted, max_bytes);
	return NULL;
}

static GBytes *
fail_read(GError **error, const char *name, const char *reason)
{
	g_autofree char *quoted = satchel_path_quote(name);

	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_DOWNLOAD, "%s: %s", quoted,
		    reason);
	return NULL;
}

GBytes *
satchel_tuf_source_read_role(GInputStream *stream, guint64 size_bytes, gsize max_bytes,
			     const char *name, GError **error)
{
	g_autoptr(GError) local_error = NULL;
	g_autofree guint8 *buffer = NULL;
	gsize n_read = 0;

	if (size_bytes > max_bytes)
		return fail_size(error, name, max_bytes);
	/* One byte more, to notice a file that grows meanwhile. */
	buffer = g_malloc((gsize)size_bytes + 1);
	if (!g_input_stream_read_all(stream, buffer, (gsize)size_bytes + 1, &n_read, NULL,
				     &local_error))
		return fail_read(error, name, local_error->message);
	if (n_read != size_bytes)
		return fail_read(error, name, "changed its size while it was read");
	return g_bytes_new_take(g_steal_pointer(&buffer), n_read);
}

GBytes *
satchel_tuf_source_fail_role(GError **error, GError *local_error)
{
	if (!g_error_matches(local_error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND))
		local_error->code = SATCHEL_ERROR_METADATA_DOWNLOAD;
	g_propagate_error(error, local_error);
	return NULL;
}

GBytes *
satchel_tuf_source_fetch_role(SatchelTufSource *source, const char *role, gint64 version,
			      gsize max_bytes, GError **error)
{
	if (source == NULL)
		return fail_read(error, role, "there is no source to ask");
	return source->klass->fetch_metadata(source, role, version, max_bytes, error);
}

void
satchel_tuf_source_free(SatchelTufSource *self)
{
	if (self != NULL)
		self->klass->free(self);
}
