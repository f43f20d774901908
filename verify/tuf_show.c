#include "tuf_show.h"
#include "json.h"
#include "path_safety.h"
#include "utc_time.h"
#include <satchel/tuf_client.h>
#include <stdio.h>

/* NULL where the role did not verify. (transfer full) */
static json_t *
describe_role(gboolean there, gint64 version, gint64 expires_s, gint64 now_s)
{
	g_autofree char *expires = satchel_utc_time_format(expires_s);

	if (!there)
		return json_null();
	return json_pack("{s:I, s:s, s:b}", "version", (json_int_t)version, "expires", expires,
			 "expired", expires_s <= now_s);
}

static json_t *
describe_roles(const SatchelTufClient *client, gint64 now_s)
{
	const SatchelRoot *root = satchel_tuf_client_get_root(client);
	const SatchelTimestamp *timestamp = satchel_tuf_client_get_timestamp(client);
	const SatchelSnapshot *snapshot = satchel_tuf_client_get_snapshot(client);
	const SatchelTargets *targets = satchel_tuf_client_get_targets(client);

	return json_pack(
		"{s:o, s:o, s:o, s:o}", "root",
		describe_role(TRUE, satchel_root_get_version(root),
			      satchel_root_get_expires_s(root), now_s),
		"timestamp",
		describe_role(timestamp != NULL,
			      timestamp != NULL ? satchel_timestamp_get_version(timestamp) : 0,
			      timestamp != NULL ? satchel_timestamp_get_expires_s(timestamp) : 0,
			      now_s),
		"snapshot",
		describe_role(snapshot != NULL,
			      snapshot != NULL ? satchel_snapshot_get_version(snapshot) : 0,
			      snapshot != NULL ? satchel_snapshot_get_expires_s(snapshot) : 0,
			      now_s),
		"targets",
		describe_role(targets != NULL,
			      targets != NULL ? satchel_targets_get_version(targets) : 0,
			      targets != NULL ? satchel_targets_get_expires_s(targets) : 0, now_s));
}

static json_t *
describe_target(const SatchelTarget *target)
{
	static const char *const algorithms[] = {"sha256", "sha512"};
	json_t *hashes = json_object();

	for (guint i = 0; i < G_N_ELEMENTS(algorithms); i++) {
		const char *hash = satchel_target_get_hash(target, algorithms[i]);

		if (hash != NULL)
			json_object_set_new(hashes, algorithms[i], json_string(hash));
	}
	return json_pack("{s:s, s:I, s:o}", "name", satchel_target_get_name(target), "length",
			 (json_int_t)satchel_target_get_length_bytes(target), "hashes", hashes);
}

static json_t *
describe_targets(const SatchelTargets *targets)
{
	guint n_targets = targets != NULL ? satchel_targets_get_n_targets(targets) : 0;
	json_t *list = json_array();

	for (guint i = 0; i < n_targets; i++)
		json_array_append_new(list,
				      describe_target(satchel_targets_get_target(targets, i)));
	return list;
}

static void
print_json(const SatchelTufClient *client, const char *problem, gint64 floor_s, gint64 now_s)
{
	const SatchelRoot *root = satchel_tuf_client_get_root(client);
	g_autofree char *floor = floor_s > 0 ? satchel_utc_time_format(floor_s) : NULL;
	g_autoptr(SatchelJson) report =
		json_pack("{s:s, s:b, s:o, s:o, s:s?, s:s?}", "dialect",
			  satchel_root_get_dialect(root) == SATCHEL_DIALECT_TUF ? "tuf" : "uptane",
			  "consistent_snapshot", satchel_root_get_consistent_snapshot(root),
			  "roles", describe_roles(client, now_s), "targets",
			  describe_targets(satchel_tuf_client_get_targets(client)), "time_floor",
			  floor, "problem", problem);

	json_dumpf(report, stdout, JSON_INDENT(2));
	putchar('\n');
}

static void
print_role(const json_t *roles, const char *name)
{
	const json_t *role = json_object_get(roles, name);

	if (json_is_null(role)) {
		printf("%-10s none\n", name);
		return;
	}
	printf("%-10s %" JSON_INTEGER_FORMAT ", %s %s\n", name,
	       json_integer_value(json_object_get(role, "version")),
	       json_is_true(json_object_get(role, "expired")) ? "expired at" : "good until",
	       json_string_value(json_object_get(role, "expires")));
}

static void
print_text(const SatchelTufClient *client, const char *problem, gint64 floor_s, gint64 now_s)
{
	static const char *const names[] = {"root", "timestamp", "snapshot", "targets"};
	g_autoptr(SatchelJson) roles = describe_roles(client, now_s);
	g_autofree char *floor = satchel_utc_time_format(floor_s);
	const SatchelRoot *root = satchel_tuf_client_get_root(client);
	const SatchelTargets *targets = satchel_tuf_client_get_targets(client);
	guint n_targets = targets != NULL ? satchel_targets_get_n_targets(targets) : 0;

	printf("%-10s %s\n", "dialect",
	       satchel_root_get_dialect(root) == SATCHEL_DIALECT_TUF ? "tuf" : "uptane");
	for (guint i = 0; i < G_N_ELEMENTS(names); i++)
		print_role(roles, names[i]);
	if (floor_s > 0)
		printf("%-10s %s\n", "time floor", floor);
	for (guint i = 0; i < n_targets; i++) {
		const SatchelTarget *target = satchel_targets_get_target(targets, i);
		g_autofree char *name = satchel_path_quote(satchel_target_get_name(target));

		printf("%-10s %s, %" G_GUINT64_FORMAT " bytes\n", "target", name,
		       satchel_target_get_length_bytes(target));
	}
	if (problem != NULL)
		printf("%-10s %s\n", "problem", problem);
}

gboolean
satchel_tuf_show(SatchelTrustStore *store, gint64 now_s, gboolean json, GError **error)
{
	/* At the beginning of time nothing has expired: an old role is shown, too. */
	g_autoptr(SatchelTufClient) client = satchel_tuf_client_new(store, NULL, G_MININT64, error);
	g_autoptr(GError) problem = NULL;
	const char *message = NULL;
	gint64 floor_s = 0;

	if (client == NULL || !satchel_trust_store_load_floor(store, &floor_s, error))
		return FALSE;
	if (!satchel_tuf_client_load_stored(client, &problem))
		message = problem->message;
	if (json)
		print_json(client, message, floor_s, now_s);
	else
		print_text(client, message, floor_s, now_s);
	return TRUE;
}
