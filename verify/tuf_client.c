#include "path_safety.h"
#include "trusted_set.h"
#include "tuf_delegated.h"
#include "tuf_download.h"
#include "tuf_source_stream.h"
#include <satchel/tuf_client.h>
#include <string.h>

struct SatchelTufClient {
	SatchelTrustStore *store; /* borrowed */
	SatchelTufSource *source; /* (nullable): borrowed */
	gint64 now_s;
	SatchelTrustedSet *set;
	GPtrArray *older_sets; /* whose targets a caller may still hold */
	gboolean root_is_newest;
	SatchelTufDelegated *delegated; /* of this set */
};

gboolean
satchel_tuf_client_init(SatchelTrustStore *store, GBytes *root, GError **error)
{
	g_autoptr(SatchelRoot) given = NULL;
	g_autoptr(SatchelRoot) present = NULL;

	g_return_val_if_fail(store != NULL && root != NULL, FALSE);

	given = satchel_root_new_trusted(root, error);
	if (given == NULL)
		return FALSE;
	present = satchel_trust_store_load_root(store, NULL, NULL);
	if (present == NULL) {
		/* Nothing there, or damage, which the given root may repair. */
		present = satchel_trust_store_load_root(store, given, error);
		return present != NULL;
	}
	if (satchel_trust_store_knows_root(store, given))
		return TRUE;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_FAILURE,
		    "the store trusts another root already (version %" G_GINT64_FORMAT
		    "); use an empty folder to trust root %" G_GINT64_FORMAT,
		    satchel_root_get_version(present), satchel_root_get_version(given));
	return FALSE;
}

SatchelTufClient *
satchel_tuf_client_new(SatchelTrustStore *store, SatchelTufSource *source, gint64 now_s,
		       GError **error)
{
	g_autoptr(SatchelRoot) root = NULL;
	SatchelTufClient *self;

	g_return_val_if_fail(store != NULL, NULL);

	root = satchel_trust_store_load_root(store, NULL, error);
	if (root == NULL)
		return NULL;
	self = g_new0(SatchelTufClient, 1);
	self->store = store;
	self->source = source;
	self->now_s = now_s;
	self->set = satchel_trusted_set_new(root, now_s);
	self->older_sets = g_ptr_array_new_with_free_func((GDestroyNotify)satchel_trusted_set_free);
	self->delegated = satchel_tuf_delegated_new(store, source, self->set);
	return self;
}

/* Each load begins with the root alone. Targets of an earlier one stay valid. */
static void
begin_again(SatchelTufClient *self)
{
	SatchelRoot *root = satchel_trusted_set_get_root(self->set);

	if (satchel_trusted_set_get_timestamp(self->set) == NULL)
		return;
	g_ptr_array_add(self->older_sets, self->set);
	self->set = satchel_trusted_set_new(root, self->now_s);
	satchel_tuf_delegated_free(self->delegated);
	self->delegated = satchel_tuf_delegated_new(self->store, self->source, self->set);
}

static GBytes *
fetch(SatchelTufClient *self, const char *role, gint64 version, gsize max_bytes, GError **error)
{
	return satchel_tuf_source_fetch_role(self->source, role, version, max_bytes, error);
}

/* ---- root: TUF 5.3 */

/* *@found is FALSE where there is none. */
static gboolean
follow_root(SatchelTufClient *self, gboolean *found, GError **error)
{
	g_autoptr(SatchelRoot) trusted = satchel_root_ref(satchel_trusted_set_get_root(self->set));
	gint64 version = satchel_root_get_version(trusted);
	g_autoptr(GError) local_error = NULL;
	g_autoptr(GBytes) document = NULL;

	*found = FALSE;
	if (version == G_MAXINT64)
		return TRUE;
	document = fetch(self, "root", version + 1, SATCHEL_LIMIT_ROOT_BYTES, &local_error);
	/* Only a source that is sure ends the search; a broken line hides newer roots. */
	if (g_error_matches(local_error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND))
		return TRUE;
	if (document == NULL) {
		g_propagate_error(error, g_steal_pointer(&local_error));
		return FALSE;
	}
	*found = TRUE;
	return satchel_trusted_set_update_root(self->set, document, error) &&
	       satchel_trust_store_advance_root(self->store, trusted,
						satchel_trusted_set_get_root(self->set), error);
}

static gboolean
follow_roots(SatchelTufClient *self, GError **error)
{
	gboolean found = TRUE;

	for (guint i = 0; i < SATCHEL_LIMIT_ROOT_ROTATIONS; i++) {
		if (!follow_root(self, &found, error))
			return FALSE;
		if (!found)
			return TRUE;
	}
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
		    "root %" G_GINT64_FORMAT ": %u new roots in one run are as many as may be; "
		    "they are stored, so run again to go on",
		    satchel_root_get_version(satchel_trusted_set_get_root(self->set)),
		    SATCHEL_LIMIT_ROOT_ROTATIONS);
	return FALSE;
}

gboolean
satchel_tuf_client_update_root(SatchelTufClient *self, gboolean allow_expired, GError **error)
{
	begin_again(self);
	if (!self->root_is_newest && !follow_roots(self, error))
		return FALSE;
	self->root_is_newest = TRUE;
	return allow_expired || satchel_trusted_set_check_root_expiry(self->set, error);
}

/* ---- timestamp, snapshot, targets: TUF 5.4 to 5.6 */

static gboolean
refresh_timestamp(SatchelTufClient *self, GError **error)
{
	g_autoptr(GError) local_error = NULL;
	g_autoptr(GBytes) stored = NULL;
	g_autoptr(GBytes) fetched = NULL;
	gboolean unchanged = FALSE;

	stored = satchel_trust_store_load(self->store, "timestamp", SATCHEL_LIMIT_TIMESTAMP_BYTES,
					  &local_error);
	if (local_error != NULL) {
		g_propagate_error(error, g_steal_pointer(&local_error));
		return FALSE;
	}
	/* Damaged, it is as good as absent; expired, it still forbids an older one. */
	if (stored != NULL &&
	    !satchel_trusted_set_update_timestamp(self->set, stored, NULL, &local_error))
		g_clear_error(&local_error);
	fetched = fetch(self, "timestamp", 0, SATCHEL_LIMIT_TIMESTAMP_BYTES, error);
	if (fetched == NULL ||
	    !satchel_trusted_set_update_timestamp(self->set, fetched, &unchanged, error))
		return FALSE;
	return unchanged || satchel_trust_store_save(self->store, "timestamp", fetched, error);
}

/* Offers the stored or a fetched copy of snapshot or targets to the set. */
static gboolean
offer(SatchelTufClient *self, const char *role, GBytes *document, gboolean stored, GError **error)
{
	if (strcmp(role, "snapshot") == 0)
		return satchel_trusted_set_update_snapshot(self->set, document, stored, error);
	return satchel_trusted_set_update_targets(self->set, document, error);
}

static gboolean
refresh_listed(SatchelTufClient *self, const char *role, gsize default_max_bytes, GError **error)
{
	const SatchelRoot *root = satchel_trusted_set_get_root(self->set);
	gint64 version = 0;
	gsize max_bytes = 0;
	g_autoptr(GError) local_error = NULL;
	g_autoptr(GBytes) stored = NULL;
	g_autoptr(GBytes) fetched = NULL;

	stored = satchel_trust_store_load(self->store, role, default_max_bytes, &local_error);
	if (local_error != NULL) {
		g_propagate_error(error, g_steal_pointer(&local_error));
		return FALSE;
	}
	if (stored != NULL && offer(self, role, stored, TRUE, &local_error))
		return TRUE;
	if (!satchel_trusted_set_get_listed(self->set, role, default_max_bytes, &version,
					    &max_bytes, error))
		return FALSE;
	if (!satchel_root_get_consistent_snapshot(root))
		version = 0;
	fetched = fetch(self, role, version, max_bytes, error);
	return fetched != NULL && offer(self, role, fetched, FALSE, error) &&
	       satchel_trust_store_save(self->store, role, fetched, error);
}

gboolean
satchel_tuf_client_refresh(SatchelTufClient *self, GError **error)
{
	return satchel_tuf_client_update_root(self, FALSE, error) &&
	       refresh_timestamp(self, error) &&
	       refresh_listed(self, "snapshot", SATCHEL_LIMIT_SNAPSHOT_BYTES, error) &&
	       refresh_listed(self, "targets", SATCHEL_LIMIT_TARGETS_BYTES, error);
}

/* ---- from the store alone */

static GBytes *
load_required(SatchelTufClient *self, const char *role, gsize max_bytes, GError **error)
{
	g_autoptr(GError) local_error = NULL;
	GBytes *document = satchel_trust_store_load(self->store, role, max_bytes, &local_error);

	if (local_error != NULL)
		g_propagate_error(error, g_steal_pointer(&local_error));
	else if (document == NULL)
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND,
			    "%s: none is stored; refresh first", role);
	return document;
}

gboolean
satchel_tuf_client_load_stored(SatchelTufClient *self, GError **error)
{
	g_autoptr(GBytes) timestamp = NULL;
	g_autoptr(GBytes) snapshot = NULL;
	g_autoptr(GBytes) targets = NULL;

	begin_again(self);
	if (!satchel_trusted_set_check_root_expiry(self->set, error))
		return FALSE;
	timestamp = load_required(self, "timestamp", SATCHEL_LIMIT_TIMESTAMP_BYTES, error);
	if (timestamp == NULL ||
	    !satchel_trusted_set_update_timestamp(self->set, timestamp, NULL, error))
		return FALSE;
	snapshot = load_required(self, "snapshot", SATCHEL_LIMIT_SNAPSHOT_BYTES, error);
	if (snapshot == NULL ||
	    !satchel_trusted_set_update_snapshot(self->set, snapshot, TRUE, error))
		return FALSE;
	targets = load_required(self, "targets", SATCHEL_LIMIT_TARGETS_BYTES, error);
	return targets != NULL && satchel_trusted_set_update_targets(self->set, targets, error);
}

const SatchelRoot *
satchel_tuf_client_get_root(const SatchelTufClient *self)
{
	return satchel_trusted_set_get_root(self->set);
}

const SatchelTimestamp *
satchel_tuf_client_get_timestamp(const SatchelTufClient *self)
{
	return satchel_trusted_set_get_timestamp(self->set);
}

const SatchelSnapshot *
satchel_tuf_client_get_snapshot(const SatchelTufClient *self)
{
	return satchel_trusted_set_get_snapshot(self->set);
}

const SatchelTargets *
satchel_tuf_client_get_targets(const SatchelTufClient *self)
{
	return satchel_trusted_set_get_targets(self->set);
}

const SatchelTarget *
satchel_tuf_client_find_target(SatchelTufClient *self, const char *path, GError **error)
{
	g_return_val_if_fail(path != NULL, NULL);

	return satchel_tuf_delegated_find(self->delegated, path, error);
}

gboolean
satchel_tuf_client_download(SatchelTufClient *self, const SatchelTarget *target, const char *dir,
			    char **placed, GError **error)
{
	gboolean prefixed =
		satchel_root_get_consistent_snapshot(satchel_trusted_set_get_root(self->set));

	g_return_val_if_fail(target != NULL && dir != NULL, FALSE);

	return satchel_tuf_download(self->source, target, prefixed, dir, placed, error);
}

void
satchel_tuf_client_free(SatchelTufClient *self)
{
	if (self == NULL)
		return;
	satchel_tuf_delegated_free(self->delegated);
	satchel_trusted_set_free(self->set);
	g_ptr_array_unref(self->older_sets);
	g_free(self);
}
