#include "collect_tuf.h"
#include "write_directory.h"
#include <satchel/bundle_layout.h>
#include <satchel/tuf_client.h>
#include <string.h>

struct SatchelTufCollection {
	GPtrArray *roots; /* of GBytes; version i + 1 at index i */
	SatchelRoot *root;
	SatchelTufSource *source;
	SatchelTrustStore *store; /* in memory only */
	SatchelTufClient *client;
};

/* REPO and REPO/metadata are both good names for the same thing. */
static char *
find_metadata(const char *dir)
{
	g_autofree char *below = g_build_filename(dir, "metadata", NULL);
	g_autofree char *root = g_build_filename(below, "1.root.json", NULL);

	return g_file_test(root, G_FILE_TEST_EXISTS) ? g_steal_pointer(&below) : g_strdup(dir);
}

static gboolean
advance(SatchelTufCollection *self, GBytes *file, GError **error)
{
	SatchelRoot *next = self->root == NULL ? satchel_root_new_trusted(file, error)
					       : satchel_root_advance(self->root, file, error);

	if (next == NULL)
		return FALSE;
	g_clear_pointer(&self->root, satchel_root_unref);
	self->root = next;
	g_ptr_array_add(self->roots, g_bytes_ref(satchel_root_get_bytes(next)));
	return TRUE;
}

/* Bundles carry every root from 1 on, so that a device with any of them can follow. */
static gboolean
load_roots(SatchelTufCollection *self, GError **error)
{
	for (;;) {
		gint64 version = (gint64)self->roots->len + 1;
		g_autoptr(GError) local_error = NULL;
		g_autoptr(GBytes) file = self->source->klass->fetch_metadata(
			self->source, "root", version, SATCHEL_LIMIT_ROOT_BYTES, &local_error);

		if (file == NULL && version > 1 &&
		    g_error_matches(local_error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND))
			return TRUE;
		if (file == NULL) {
			g_propagate_error(error, g_steal_pointer(&local_error));
			return FALSE;
		}
		if (!advance(self, file, error)) {
			g_prefix_error(error, "%" G_GINT64_FORMAT ".root.json: ", version);
			return FALSE;
		}
	}
}

static gboolean
refresh(SatchelTufCollection *self, gint64 now_s, GError **error)
{
	self->store = satchel_trust_store_open(NULL, SATCHEL_TRUST_STORE_READ_ONLY, error);
	if (self->store == NULL ||
	    !satchel_tuf_client_init(self->store, satchel_root_get_bytes(self->root), error))
		return FALSE;
	self->client = satchel_tuf_client_new(self->store, self->source, now_s, error);
	return self->client != NULL && satchel_tuf_client_refresh(self->client, error);
}

/* Between `repo add` and `repo publish` the targets are newer than the snapshot says. */
static const char *
advice(const char *dir, const char *metadata, const GError *error)
{
	gboolean is_repo = strcmp(dir, metadata) != 0;

	if (is_repo && error->code == SATCHEL_ERROR_METADATA_INVALID)
		return "; `repo publish` brings the roles of a repository in step";
	return "";
}

SatchelTufCollection *
satchel_collect_tuf_load(const char *dir, gint64 now_s, GError **error)
{
	g_autoptr(SatchelTufCollection) self = g_new0(SatchelTufCollection, 1);
	g_autofree char *metadata = find_metadata(dir);
	g_autoptr(GError) local_error = NULL;

	self->roots = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
	self->source = satchel_tuf_source_directory_new(metadata, metadata, error);
	if (self->source == NULL)
		return NULL;
	if (load_roots(self, &local_error) && refresh(self, now_s, &local_error))
		return g_steal_pointer(&self);
	g_set_error(error, local_error->domain, local_error->code, "%s: %s%s", metadata,
		    local_error->message, advice(dir, metadata, local_error));
	return NULL;
}

SatchelBundleRoles
satchel_collect_tuf_get_roles(const SatchelTufCollection *self)
{
	return (SatchelBundleRoles){
		.root = self->root,
		.timestamp = satchel_tuf_client_get_timestamp(self->client),
		.snapshot = satchel_tuf_client_get_snapshot(self->client),
		.targets = satchel_tuf_client_get_targets(self->client),
	};
}

gboolean
satchel_collect_tuf_write(const SatchelTufCollection *self, int dir_fd, SatchelManifest *manifest,
			  GError **error)
{
	SatchelBundleRoles roles = satchel_collect_tuf_get_roles(self);

	for (guint i = 0; i < self->roots->len; i++) {
		g_autofree char *member =
			g_strdup_printf(SATCHEL_BUNDLE_TUF "/%u.root.json", i + 1);

		if (!satchel_write_directory_put(dir_fd, member, g_ptr_array_index(self->roots, i),
						 manifest, error))
			return FALSE;
	}
	return satchel_write_directory_put(dir_fd, SATCHEL_BUNDLE_TIMESTAMP,
					   satchel_timestamp_get_bytes(roles.timestamp), manifest,
					   error) &&
	       satchel_write_directory_put(dir_fd, SATCHEL_BUNDLE_SNAPSHOT,
					   satchel_snapshot_get_bytes(roles.snapshot), manifest,
					   error) &&
	       satchel_write_directory_put(dir_fd, SATCHEL_BUNDLE_TARGETS,
					   satchel_targets_get_bytes(roles.targets), manifest,
					   error);
}

void
satchel_tuf_collection_free(SatchelTufCollection *self)
{
	g_clear_pointer(&self->client, satchel_tuf_client_free);
	g_clear_pointer(&self->store, satchel_trust_store_free);
	g_clear_pointer(&self->source, satchel_tuf_source_free);
	g_clear_pointer(&self->root, satchel_root_unref);
	g_ptr_array_unref(self->roots);
	g_free(self);
}
