#pragma once
#include "delegation.h"
#include "meta_file.h"

/*
 * From a document whose signatures hold to a role, and the rules between two roles. The trusted set
 * is their one caller that hands results out. Errors: SATCHEL_ERROR_METADATA_INVALID, without role
 * and version in front. Pure.
 */

/* All (transfer full). */
G_GNUC_WARN_UNUSED_RESULT
SatchelTimestamp *satchel_timestamp_parse(const SatchelSignedDocument *document,
					  SatchelDialect dialect, GError **error);
G_GNUC_WARN_UNUSED_RESULT
SatchelSnapshot *satchel_snapshot_parse(const SatchelSignedDocument *document,
					SatchelDialect dialect, GError **error);
/* @role: "targets" or a delegated role's name. */
G_GNUC_WARN_UNUSED_RESULT
SatchelTargets *satchel_targets_parse(const SatchelSignedDocument *document, const char *role,
				      SatchelDialect dialect, GError **error);

/* What the timestamp says of the snapshot. */
const SatchelMetaFile *satchel_timestamp_get_snapshot_file(const SatchelTimestamp *self);
/* @file: "targets.json"; NULL where it is not listed. */
const SatchelMetaFile *satchel_snapshot_lookup(const SatchelSnapshot *self, const char *file);

/* Neither version nor the snapshot's may go back. TUF 5.4.3. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_timestamp_check_rollback(const SatchelTimestamp *self,
					  const SatchelTimestamp *trusted, GError **error);
/* What was listed stays listed, with no lower version. TUF 5.5.5. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_snapshot_check_rollback(const SatchelSnapshot *self,
					 const SatchelSnapshot *trusted, GError **error);

/* Of its own entries; NULL where it delegates to nobody. */
const SatchelDelegations *satchel_targets_get_delegations(const SatchelTargets *self);
