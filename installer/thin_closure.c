#include "thin_closure.h"
#include "../verify/digest.h"
#include <satchel/bundle_layout.h>
#include <string.h>

typedef struct {
	SatchelClosureRepo *source;
	OstreeRepo *repo;
} ThinWalk;

/* NULL where the device has it not, or damaged. (transfer full) */
static GBytes *
load_held(OstreeRepo *repo, SatchelObjectType type, const char *checksum)
{
	g_autoptr(GVariant) variant = NULL;
	g_autoptr(GBytes) bytes = NULL;
	g_autofree char *found = NULL;

	if (!ostree_repo_load_variant(repo, (OstreeObjectType)type, checksum, &variant, NULL))
		return NULL;
	bytes = g_variant_get_data_as_bytes(variant);
	found = satchel_digest_sha256_hex(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
	return strcmp(found, checksum) == 0 ? g_steal_pointer(&bytes) : NULL;
}

/* The bundle comes first: what is altered there is to be told, whatever the device has. */
static GBytes *
load_either(gpointer user_data, SatchelObjectType type, const char *checksum, GError **error)
{
	const ThinWalk *walk = user_data;
	g_autoptr(GError) local_error = NULL;
	GBytes *bytes = satchel_closure_repo_load(walk->source, type, checksum, &local_error);

	if (bytes == NULL &&
	    g_error_matches(local_error, SATCHEL_ERROR, SATCHEL_ERROR_NO_TARGET_CONTENT)) {
		bytes = load_held(walk->repo, type, checksum);
		if (bytes == NULL) {
			g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_NO_TARGET_CONTENT,
				    "%s; and this device does not have it undamaged",
				    local_error->message);
			return NULL;
		}
	}
	if (bytes == NULL)
		g_propagate_error(error, g_steal_pointer(&local_error));
	return bytes;
}

static gboolean
find_in_bundle(gpointer user_data, const char *checksum, SatchelBundlePlace *place,
	       gboolean *missing, GError **error)
{
	const ThinWalk *walk = user_data;

	return satchel_closure_repo_find(walk->source, SATCHEL_OBJECT_FILE, checksum, place,
					 missing, error);
}

SatchelClosureList *
satchel_thin_closure_list(SatchelClosureRepo *source, OstreeRepo *repo, const char *const *commits,
			  GError **error)
{
	ThinWalk walk = {source, repo};
	const SatchelClosureSource either = {
		.name = SATCHEL_BUNDLE_OSTREE_REPO,
		.load = load_either,
		.find_file = find_in_bundle,
		.self = &walk,
	};

	return satchel_closure_list_from(&either, commits, error);
}
