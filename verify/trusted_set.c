#include "trusted_set.h"
#include "path_safety.h"
#include "role_parse.h"
#include "root_keys.h"
#include "signed_role.h"

struct SatchelTrustedSet {
	gint64 now_s;
	SatchelRoot *root;
	SatchelTimestamp *timestamp;
	SatchelSnapshot *snapshot;
	/* Of the timestamp's version and not expired: not a mere rollback reference. */
	gboolean snapshot_is_current;
	SatchelTargets *targets;
	/* SatchelTargets, borrowed, that delegates → (role name → SatchelTargets): what is trusted
	 * for one delegator never answers for another. A key stands here as soon as it joined. */
	GHashTable *delegators;
};

/* Offers come in the order root, timestamp, snapshot, targets; another order is the caller's
 * mistake. */
static gboolean
out_of_order(GError **error, const char *reason)
{
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED, "trusted roles: %s", reason);
	return FALSE;
}

SatchelTrustedSet *
satchel_trusted_set_new(SatchelRoot *root, gint64 now_s)
{
	SatchelTrustedSet *self = g_new0(SatchelTrustedSet, 1);

	self->now_s = now_s;
	self->root = satchel_root_ref(root);
	self->delegators =
		g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_hash_table_unref);
	return self;
}

gboolean
satchel_trusted_set_update_root(SatchelTrustedSet *self, GBytes *document, GError **error)
{
	SatchelRoot *next;

	if (self->timestamp != NULL)
		return out_of_order(error, "a root after the timestamp");
	next = satchel_root_advance(self->root, document, error);
	if (next == NULL)
		return FALSE;
	satchel_root_unref(self->root);
	self->root = next;
	return TRUE;
}

gboolean
satchel_trusted_set_check_root_expiry(const SatchelTrustedSet *self, GError **error)
{
	return satchel_root_check_expiry(self->root, self->now_s, error);
}

/* A role that root appoints, its signatures verified. */
static SatchelSignedDocument *
open_top_level(const SatchelTrustedSet *self, const char *role, gsize max_bytes, GBytes *bytes,
	       GError **error)
{
	g_autoptr(SatchelSignedDocument) document = NULL;
	g_autofree char *signers =
		g_strdup_printf("root %" G_GINT64_FORMAT, satchel_root_get_version(self->root));

	document = satchel_signed_role_parse(bytes, role, role, max_bytes,
					     satchel_root_get_dialect(self->root), error);
	if (document == NULL ||
	    !satchel_signed_role_verify(
		    document, role, satchel_root_get_role_keys(self->root, role), signers, error))
		return NULL;
	return g_steal_pointer(&document);
}

static SatchelTimestamp *
open_timestamp(const SatchelTrustedSet *self, GBytes *bytes, GError **error)
{
	g_autoptr(SatchelSignedDocument) document =
		open_top_level(self, "timestamp", SATCHEL_LIMIT_TIMESTAMP_BYTES, bytes, error);
	g_autoptr(SatchelTimestamp) timestamp = NULL;

	if (document == NULL)
		return NULL;
	timestamp = satchel_timestamp_parse(document, satchel_root_get_dialect(self->root), error);
	if (timestamp == NULL ||
	    (self->timestamp != NULL &&
	     !satchel_timestamp_check_rollback(timestamp, self->timestamp, error))) {
		satchel_signed_role_prefix_error(error, "timestamp", document->version);
		return NULL;
	}
	return g_steal_pointer(&timestamp);
}

static gboolean
check_timestamp_expiry(const SatchelTrustedSet *self, GError **error)
{
	return satchel_signed_role_check_expiry(
		"timestamp", satchel_timestamp_get_version(self->timestamp),
		satchel_timestamp_get_expires_s(self->timestamp), self->now_s, error);
}

gboolean
satchel_trusted_set_update_timestamp(SatchelTrustedSet *self, GBytes *document, gboolean *unchanged,
				     GError **error)
{
	g_autoptr(SatchelTimestamp) timestamp = NULL;
	gboolean same;

	if (unchanged != NULL)
		*unchanged = FALSE;
	if (self->snapshot != NULL)
		return out_of_order(error, "a timestamp after the snapshot");
	if (!satchel_trusted_set_check_root_expiry(self, error))
		return FALSE;
	timestamp = open_timestamp(self, document, error);
	if (timestamp == NULL)
		return FALSE;
	/* One version is one file: another content under the same number is not taken. TUF 5.4.3.1
	 */
	same = self->timestamp != NULL && satchel_timestamp_get_version(timestamp) ==
						  satchel_timestamp_get_version(self->timestamp);
	if (!same) {
		g_clear_pointer(&self->timestamp, satchel_timestamp_unref);
		self->timestamp = g_steal_pointer(&timestamp);
	}
	if (unchanged != NULL)
		*unchanged = same;
	return check_timestamp_expiry(self, error);
}

/* Signature, form, and nothing taken back. */
static SatchelSnapshot *
open_snapshot(const SatchelTrustedSet *self, const SatchelSignedDocument *document, GError **error)
{
	g_autoptr(SatchelSnapshot) snapshot =
		satchel_snapshot_parse(document, satchel_root_get_dialect(self->root), error);

	if (snapshot == NULL ||
	    (self->snapshot != NULL &&
	     !satchel_snapshot_check_rollback(snapshot, self->snapshot, error))) {
		satchel_signed_role_prefix_error(error, "snapshot", document->version);
		return NULL;
	}
	return g_steal_pointer(&snapshot);
}

/* The very file that @by lists: content and version. */
static gboolean
check_listed(const SatchelTrustedSet *self, const SatchelSignedDocument *document,
	     const char *label, const SatchelMetaFile *listed, const char *by, GError **error)
{
	if (satchel_meta_file_check_version(listed, document->version, by, error) &&
	    satchel_meta_file_check_content(listed, document, satchel_root_get_dialect(self->root),
					    error))
		return TRUE;
	satchel_signed_role_prefix_error(error, label, document->version);
	return FALSE;
}

static gboolean
snapshot_check_current(const SatchelTrustedSet *self, const SatchelSignedDocument *document,
		       GError **error)
{
	g_autofree char *by = g_strdup_printf("timestamp %" G_GINT64_FORMAT,
					      satchel_timestamp_get_version(self->timestamp));

	return check_listed(self, document, "snapshot",
			    satchel_timestamp_get_snapshot_file(self->timestamp), by, error) &&
	       satchel_signed_role_check_expiry("snapshot", document->version, document->expires_s,
						self->now_s, error);
}

static void
join_snapshot(SatchelTrustedSet *self, SatchelSnapshot *snapshot, gboolean is_current)
{
	g_clear_pointer(&self->snapshot, satchel_snapshot_unref);
	self->snapshot = snapshot;
	self->snapshot_is_current = is_current;
}

gboolean
satchel_trusted_set_update_snapshot(SatchelTrustedSet *self, GBytes *document, gboolean stored,
				    GError **error)
{
	g_autoptr(SatchelSignedDocument) parsed = NULL;
	g_autoptr(SatchelSnapshot) snapshot = NULL;
	gboolean is_current;

	if (self->timestamp == NULL)
		return out_of_order(error, "a snapshot before the timestamp");
	if (self->targets != NULL)
		return out_of_order(error, "a snapshot after the targets");
	if (!check_timestamp_expiry(self, error))
		return FALSE;
	parsed = open_top_level(self, "snapshot", SATCHEL_LIMIT_SNAPSHOT_BYTES, document, error);
	if (parsed == NULL)
		return FALSE;
	snapshot = open_snapshot(self, parsed, error);
	if (snapshot == NULL)
		return FALSE;
	is_current = snapshot_check_current(self, parsed, error);
	/* What was trusted before tells what may not be taken back, even where it no longer
	 * answers. */
	if (is_current || stored)
		join_snapshot(self, g_steal_pointer(&snapshot), is_current);
	return is_current;
}

static const SatchelMetaFile *
find_listed(const SatchelTrustedSet *self, const char *role, GError **error)
{
	g_autofree char *file = g_strconcat(role, ".json", NULL);
	g_autofree char *quoted = NULL;
	const SatchelMetaFile *listed;

	if (strcmp(role, "snapshot") == 0 && self->timestamp != NULL)
		return satchel_timestamp_get_snapshot_file(self->timestamp);
	if (!self->snapshot_is_current) {
		out_of_order(error, "no current snapshot");
		return NULL;
	}
	listed = satchel_snapshot_lookup(self->snapshot, file);
	if (listed != NULL)
		return listed;
	quoted = satchel_path_quote(role);
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
		    "%s: snapshot %" G_GINT64_FORMAT " does not list it", quoted,
		    satchel_snapshot_get_version(self->snapshot));
	return NULL;
}

gboolean
satchel_trusted_set_get_listed(const SatchelTrustedSet *self, const char *role,
			       gsize default_max_bytes, gint64 *version, gsize *max_bytes,
			       GError **error)
{
	const SatchelMetaFile *listed = find_listed(self, role, error);

	if (listed == NULL)
		return FALSE;
	*version = listed->version;
	*max_bytes = default_max_bytes;
	if (satchel_root_get_dialect(self->root) == SATCHEL_DIALECT_TUF &&
	    listed->length_bytes >= 0)
		*max_bytes = MIN(default_max_bytes, (guint64)listed->length_bytes);
	return TRUE;
}

/* A targets role, top-level or delegated: listed, signed by @keys, not expired. TUF 5.6. */
static SatchelTargets *
open_targets(const SatchelTrustedSet *self, const char *role, const SatchelRoleKeys *keys,
	     const char *signers, GBytes *bytes, GError **error)
{
	SatchelDialect dialect = satchel_root_get_dialect(self->root);
	const SatchelMetaFile *listed = find_listed(self, role, error);
	g_autofree char *label = satchel_path_quote(role);
	g_autofree char *by = NULL;
	g_autoptr(SatchelSignedDocument) document = NULL;
	g_autoptr(SatchelTargets) targets = NULL;

	if (listed == NULL)
		return NULL;
	document = satchel_signed_role_parse(bytes, "targets", label, SATCHEL_LIMIT_TARGETS_BYTES,
					     dialect, error);
	if (document == NULL || !satchel_signed_role_verify(document, label, keys, signers, error))
		return NULL;
	by = g_strdup_printf("snapshot %" G_GINT64_FORMAT,
			     satchel_snapshot_get_version(self->snapshot));
	if (!check_listed(self, document, label, listed, by, error) ||
	    !satchel_signed_role_check_expiry(label, document->version, document->expires_s,
					      self->now_s, error))
		return NULL;
	targets = satchel_targets_parse(document, role, dialect, error);
	if (targets == NULL) {
		satchel_signed_role_prefix_error(error, label, document->version);
		return NULL;
	}
	return g_steal_pointer(&targets);
}

/* From now on @targets may delegate. */
static void
join_delegator(SatchelTrustedSet *self, SatchelTargets *targets)
{
	g_hash_table_insert(self->delegators, targets,
			    g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
						  (GDestroyNotify)satchel_targets_unref));
}

gboolean
satchel_trusted_set_update_targets(SatchelTrustedSet *self, GBytes *document, GError **error)
{
	g_autofree char *signers =
		g_strdup_printf("root %" G_GINT64_FORMAT, satchel_root_get_version(self->root));

	if (self->targets != NULL)
		return out_of_order(error, "targets a second time");
	self->targets =
		open_targets(self, "targets", satchel_root_get_role_keys(self->root, "targets"),
			     signers, document, error);
	if (self->targets == NULL)
		return FALSE;
	join_delegator(self, self->targets);
	return TRUE;
}

static const SatchelDelegation *
find_delegation(const char *role, const SatchelTargets *delegator, GError **error)
{
	const SatchelDelegations *delegations = satchel_targets_get_delegations(delegator);
	const SatchelDelegation *found = NULL;
	g_autofree char *quoted = NULL;

	if (delegations != NULL)
		found = satchel_delegations_lookup(delegations, role);
	if (found != NULL)
		return found;
	quoted = satchel_path_quote(role);
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
		    "%s: its delegator does not delegate to it", quoted);
	return NULL;
}

const SatchelTargets *
satchel_trusted_set_update_delegated(SatchelTrustedSet *self, const char *role,
				     const SatchelTargets *delegator, GBytes *document,
				     GError **error)
{
	GHashTable *delegated = g_hash_table_lookup(self->delegators, delegator);
	const SatchelDelegation *delegation;
	SatchelTargets *targets;
	g_autofree char *quoted = NULL;
	g_autofree char *signers = NULL;

	if (delegated == NULL || g_hash_table_contains(delegated, role)) {
		out_of_order(error, delegated == NULL ? "a delegated role before its delegator"
						      : "a delegated role a second time");
		return NULL;
	}
	delegation = find_delegation(role, delegator, error);
	if (delegation == NULL)
		return NULL;
	quoted = satchel_path_quote(satchel_targets_get_role(delegator));
	signers = g_strdup_printf("%s %" G_GINT64_FORMAT, quoted,
				  satchel_targets_get_version(delegator));
	targets = open_targets(self, role, delegation->keys, signers, document, error);
	if (targets == NULL)
		return NULL;
	g_hash_table_insert(delegated, g_strdup(role), targets);
	join_delegator(self, targets);
	return targets;
}

const SatchelTargets *
satchel_trusted_set_get_delegated(const SatchelTrustedSet *self, const char *role,
				  const SatchelTargets *delegator)
{
	GHashTable *delegated = g_hash_table_lookup(self->delegators, delegator);

	return delegated == NULL ? NULL : g_hash_table_lookup(delegated, role);
}

SatchelRoot *
satchel_trusted_set_get_root(const SatchelTrustedSet *self)
{
	return self->root;
}

SatchelTimestamp *
satchel_trusted_set_get_timestamp(const SatchelTrustedSet *self)
{
	return self->timestamp;
}

SatchelSnapshot *
satchel_trusted_set_get_snapshot(const SatchelTrustedSet *self)
{
	return self->snapshot;
}

SatchelTargets *
satchel_trusted_set_get_targets(const SatchelTrustedSet *self)
{
	return self->targets;
}

void
satchel_trusted_set_free(SatchelTrustedSet *self)
{
	satchel_root_unref(self->root);
	g_clear_pointer(&self->timestamp, satchel_timestamp_unref);
	g_clear_pointer(&self->snapshot, satchel_snapshot_unref);
	g_clear_pointer(&self->targets, satchel_targets_unref);
	g_hash_table_unref(self->delegators);
	g_free(self);
}
