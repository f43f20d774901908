#include "bundle_size.h"
#include "../verify/bundle_form.h"
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
	return TRUE;
}

gboolean
satchel_bundle_size_measure(SatchelBundleReader *bundle, SatchelBundleSize *size, GError **error)
{
	*size = (SatchelBundleSize){0};
	return satchel_bundle_reader_walk(bundle, add_member, size, error);
}
