#include "tuf_source_stream.h"
#include <satchel/bundle_layout.h>
#include <satchel/tuf_source_bundle.h>
#include <string.h>

typedef struct {
	SatchelTufSource parent;
	SatchelBundleReader *bundle;
} BundleSource;

/* A bundle's builder puts every role in: one that is gone was lost on the way. The roots end where
 * there is no next one. */
static GBytes *
bundle_fail_role(GError **error, GError *found, gboolean is_root)
{
	g_autoptr(GError) local_error = found;

	if (is_root || !g_error_matches(found, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND))
		return satchel_tuf_source_fail_role(error, g_steal_pointer(&local_error));
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND,
		    "%s; the copy is incomplete: copy the bundle again", found->message);
	return NULL;
}

static GBytes *
bundle_fetch_metadata(SatchelTufSource *source, const char *role, gint64 version, gsize max_bytes,
		      GError **error)
{
	BundleSource *self = (BundleSource *)source;
	gboolean is_root = strcmp(role, "root") == 0;
	g_autofree char *name = satchel_tuf_source_file_name(role, is_root ? version : 0);
	g_autofree char *member = g_strconcat(SATCHEL_BUNDLE_TUF "/", name, NULL);
	g_autoptr(GError) local_error = NULL;
	g_autoptr(GInputStream) stream = NULL;
	guint64 size_bytes = 0;

	stream = satchel_bundle_reader_open_member(self->bundle, member, &size_bytes, &local_error);
	if (stream == NULL)
		return bundle_fail_role(error, g_steal_pointer(&local_error), is_root);
	return satchel_tuf_source_read_role(stream, size_bytes, max_bytes, member, error);
}

static void
bundle_free(SatchelTufSource *source)
{
	g_free(source);
}

SatchelTufSource *
satchel_tuf_source_bundle_new(SatchelBundleReader *bundle)
{
	static const SatchelTufSourceClass klass = {
		.fetch_metadata = bundle_fetch_metadata,
		.free = bundle_free,
	};
	BundleSource *self = g_new0(BundleSource, 1);

	self->parent.klass = &klass;
	self->bundle = bundle;
	return &self->parent;
}
