#include "take_over_trust.h"
#include "aktualizr_source.h"
#include <satchel/tuf_client.h>

static void
tell_versions(SatchelTufClient *client, GString *told)
{
	const SatchelTimestamp *timestamp = satchel_tuf_client_get_timestamp(client);
	const SatchelSnapshot *snapshot = satchel_tuf_client_get_snapshot(client);
	const SatchelTargets *targets = satchel_tuf_client_get_targets(client);

	g_string_append_printf(told, "; trusted: root %" G_GINT64_FORMAT,
			       satchel_root_get_version(satchel_tuf_client_get_root(client)));
	if (timestamp != NULL)
		g_string_append_printf(told, ", timestamp %" G_GINT64_FORMAT,
				       satchel_timestamp_get_version(timestamp));
	if (snapshot != NULL)
		g_string_append_printf(told, ", snapshot %" G_GINT64_FORMAT,
				       satchel_snapshot_get_version(snapshot));
	if (targets != NULL)
		g_string_append_printf(told, ", targets %" G_GINT64_FORMAT,
				       satchel_targets_get_version(targets));
}

/* What verifies goes into @store; the rest is no reason to stop. The time is 0: that a role has
 * expired is judged when it is used, and an expired one still forbids an older one. */
static void
follow(SatchelTrustStore *store, SatchelAktualizrDatabase *database, GString *told)
{
	g_autoptr(SatchelTufSource) source = satchel_aktualizr_source_new(database);
	g_autoptr(GError) local_error = NULL;
	g_autoptr(SatchelTufClient) client = satchel_tuf_client_new(store, source, 0, &local_error);
	gboolean good = client != NULL && satchel_tuf_client_refresh(client, &local_error);

	if (client != NULL)
		tell_versions(client, told);
	if (!good)
		g_string_append_printf(told, "; metadata not taken: %s", local_error->message);
}

gboolean
satchel_take_over_trust(SatchelDevice *self, SatchelAktualizrDatabase *database, GString *told,
			GError **error)
{
	g_autoptr(GError) local_error = NULL;
	g_autoptr(GBytes) first = satchel_aktualizr_database_get_meta(
		database, SATCHEL_AKTUALIZR_ROOT, -1, SATCHEL_LIMIT_ROOT_BYTES, &local_error);
	g_autoptr(SatchelTrustStore) store = NULL;

	if (first != NULL)
		store = satchel_device_open_store_with_root(self, first, &local_error);
	if (store == NULL) {
		g_string_append_printf(told, "; no metadata taken: %s", local_error->message);
		return TRUE;
	}
	follow(store, database, told);
	return satchel_trust_store_commit(store, error);
}
