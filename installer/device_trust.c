#include "../verify/clock.h"
#include "device_parts.h"
#include "provisioned_root.h"
#include <satchel/bundle_layout.h>
#include <satchel/tuf_client.h>

/* Below the folder of the state. */
#define TRUST_DIR "tuf"

GBytes *
satchel_device_read_first_root(SatchelBundleReader *bundle, GError **error)
{
	for (guint version = 1; version <= SATCHEL_LIMIT_ROOT_ROTATIONS; version++) {
		g_autofree char *member =
			g_strdup_printf(SATCHEL_BUNDLE_TUF "/%u.root.json", version);
		g_autoptr(GError) local_error = NULL;
		GBytes *document = satchel_bundle_reader_read(
			bundle, member, SATCHEL_LIMIT_ROOT_BYTES, &local_error);

		if (document != NULL)
			return document;
		if (!g_error_matches(local_error, SATCHEL_ERROR,
				     SATCHEL_ERROR_METADATA_NOT_FOUND)) {
			g_propagate_error(error, g_steal_pointer(&local_error));
			return NULL;
		}
	}
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND,
		    "this device has no trusted root, and the bundle brings none to begin with");
	return NULL;
}

/* TRUE where the stored root is one. Everything else in the store is verified again from there. */
static gboolean
has_good_root(SatchelTrustStore *store)
{
	g_autoptr(GBytes) document =
		satchel_trust_store_load(store, "root", SATCHEL_LIMIT_ROOT_BYTES, NULL);
	g_autoptr(SatchelRoot) root = NULL;

	if (document != NULL)
		root = satchel_root_new_trusted(document, NULL);
	return root != NULL;
}

/* root.json is gone or damaged: the roots before it tell what it was. *@first: there was none. */
static gboolean
heal_root(SatchelTrustStore *store, gboolean *first, GError **error)
{
	g_autoptr(GError) local_error = NULL;
	g_autoptr(SatchelRoot) remembered =
		satchel_trust_store_load_remembered(store, &local_error);
	g_autoptr(SatchelRoot) root = NULL;

	*first = remembered == NULL && local_error == NULL;
	if (local_error != NULL)
		g_propagate_error(error, g_steal_pointer(&local_error));
	if (remembered != NULL)
		root = satchel_trust_store_load_root(store, remembered, error);
	return root != NULL || *first;
}

/* Without a root in the image: what was trusted before, or, where the settings say so, what comes
 * first: @given, or else what @bundle brings. @reason: why the image gives none. */
static gboolean
trust_without_image(SatchelDevice *self, SatchelTrustStore *store, SatchelBundleReader *bundle,
		    GBytes *given, const GError *reason, GError **error)
{
	g_autoptr(GBytes) first = NULL;
	gboolean is_first = FALSE;

	if (has_good_root(store))
		return TRUE;
	if (!heal_root(store, &is_first, error))
		return FALSE;
	if (!is_first)
		return TRUE;
	if (!self->settings->trust_on_first_use || (bundle == NULL && given == NULL) ||
	    !g_error_matches(reason, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND)) {
		g_propagate_error(error, g_error_copy(reason));
		return FALSE;
	}
	first = given != NULL ? g_bytes_ref(given) : satchel_device_read_first_root(bundle, error);
	return first != NULL && satchel_tuf_client_init(store, first, error);
}

static SatchelTrustStore *
open_store(SatchelDevice *self, SatchelBundleReader *bundle, GBytes *given, GError **error)
{
	g_autofree char *dir = g_build_filename(self->dir, TRUST_DIR, NULL);
	SatchelTrustStoreMode mode = self->mode == SATCHEL_DEVICE_UPDATE
					     ? SATCHEL_TRUST_STORE_STAGED
					     : SATCHEL_TRUST_STORE_READ_ONLY;
	g_autoptr(SatchelTrustStore) store = satchel_trust_store_open(dir, mode, error);
	g_autoptr(GError) local_error = NULL;
	g_autoptr(SatchelRoot) provisioned = NULL;
	g_autoptr(SatchelRoot) root = NULL;

	if (store == NULL)
		return NULL;
	provisioned =
		satchel_provisioned_root_read(self->settings->root_dir, self->type, &local_error);
	if (provisioned == NULL)
		return trust_without_image(self, store, bundle, given, local_error, error)
			       ? g_steal_pointer(&store)
			       : NULL;
	/* A stored root counts as far as the image's leads to it: a stranger's is self-signed, too.
	 */
	root = satchel_trust_store_load_root(store, provisioned, error);
	return root != NULL ? g_steal_pointer(&store) : NULL;
}

SatchelTrustStore *
satchel_device_open_store(SatchelDevice *self, SatchelBundleReader *bundle, GError **error)
{
	return open_store(self, bundle, NULL, error);
}

SatchelTrustStore *
satchel_device_open_store_with_root(SatchelDevice *self, GBytes *first, GError **error)
{
	return open_store(self, NULL, first, error);
}

/* The running commit's time; 0 where it says nothing, or what cannot be. */
static gint64
get_commit_floor(SatchelDevice *self, SatchelTrustStore *store)
{
	const char *commit = satchel_device_get_running_commit(self);
	gint64 commit_s =
		commit == NULL ? 0 : satchel_sysroot_get_commit_time_s(self->sysroot, commit);
	g_autoptr(SatchelRoot) root = NULL;
	g_autoptr(GBytes) document = NULL;

	if (commit_s == 0)
		return 0;
	document = satchel_trust_store_load(store, "root", SATCHEL_LIMIT_ROOT_BYTES, NULL);
	root = document == NULL ? NULL : satchel_root_new_trusted(document, NULL);
	if (root == NULL || commit_s < satchel_root_get_expires_s(root))
		return commit_s;
	self->ignored_commit_s = commit_s;
	return 0;
}

/* A damaged floor must not stop the device: the other floors hold. */
static gboolean
load_floor(SatchelDevice *self, SatchelTrustStore *store, gint64 *floor_s, GError **error)
{
	g_autoptr(GError) local_error = NULL;

	if (satchel_trust_store_load_floor(store, floor_s, &local_error))
		return TRUE;
	if (!satchel_trust_store_set_floor_aside(store, error))
		return FALSE;
	satchel_device_remark(self, "the time floor was set aside, its file is damaged: %s",
			      local_error->message);
	return satchel_trust_store_load_floor(store, floor_s, error);
}

/* What the bundle must have of apps is looked at by the offer, which knows what runs. */
static const char *const no_apps[] = {NULL};

gboolean
satchel_device_get_profile(SatchelDevice *self, SatchelTrustStore *store,
			   SatchelDeviceProfile *profile, GError **error)
{
	gint64 stored_s = 0;
	gint64 commit_s;

	if (!load_floor(self, store, &stored_s, error))
		return FALSE;
	commit_s = get_commit_floor(self, store);
	*profile = (SatchelDeviceProfile){
		.hardware_id = self->settings->hardware_id,
		.secondary_hardware_ids =
			(const char *const *)self->settings->secondary_hardware_ids,
		.tags = (const char *const *)self->settings->tags,
		.type = self->type,
		.commits = satchel_sysroot_get_commits(self->sysroot),
		.apps = no_apps,
		.clock_s = self->clock_s,
		.floor_s = MAX(MAX(stored_s, commit_s), satchel_clock_program_built_s()),
		.allow_missing_bundle_metadata = !self->settings->require_bundle_metadata,
	};
	return TRUE;
}
