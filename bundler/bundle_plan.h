#pragma once
#include <jansson.h>
#include <satchel/bundle_thin.h>
#include <satchel/metadata.h>
#include <satchel/ostree_target.h>

/*
 * What a bundle shall carry, decided from verified roles and what the user asked for. Pure.
 */
typedef struct {
	const char *const *targets; /* names; at least one */
	const char *tag;
	const char *type; /* "ci" or "prod" */
	gint64 issued_s;
	gint64 expires_s;
} SatchelBundleRequest;

/* Roles that the bundle will carry; borrowed. */
typedef struct {
	const SatchelRoot *root;
	const SatchelTimestamp *timestamp;
	const SatchelSnapshot *snapshot;
	const SatchelTargets *targets;
} SatchelBundleRoles;

typedef struct SatchelBundlePlan SatchelBundlePlan;

/**
 * satchel_bundle_plan_new:
 * @request: borrowed for the life of the plan
 *
 * Errors: SATCHEL_ERROR_TARGET_NOT_FOUND where a target is not in the targets role;
 * SATCHEL_ERROR_USAGE for one asked for twice, and for a tag or type of a wrong form;
 * SATCHEL_ERROR_FAILED where the bundle would outlive a role that it carries, naming the role and
 * both dates, or where a name is not printable ASCII; those of satchel_ostree_target_new().
 *
 * Returns: (transfer full)
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelBundlePlan *satchel_bundle_plan_new(const SatchelBundleRequest *request,
					   const SatchelBundleRoles *roles, GError **error);

/* In the order of the request. */
guint satchel_bundle_plan_get_n_targets(const SatchelBundlePlan *self);
const SatchelOstreeTarget *satchel_bundle_plan_get_target(const SatchelBundlePlan *self,
							  guint index);
/* Name and commit of each target, NULL-terminated; borrowed. */
const char *const *satchel_bundle_plan_get_names(const SatchelBundlePlan *self);
const char *const *satchel_bundle_plan_get_commits(const SatchelBundlePlan *self);

/**
 * satchel_bundle_plan_to_meta:
 * @version: what the document shall say; the field has that of the targets role
 * @manifest_sha256, @manifest_length_bytes: of manifest.mtree
 * @thin: (nullable): what the bundle builds on
 *
 * Returns: (transfer full): the `signed` part of bundle-targets.json
 */
json_t *satchel_bundle_plan_to_meta(const SatchelBundlePlan *self, gint64 version,
				    const char *manifest_sha256, guint64 manifest_length_bytes,
				    const SatchelBundleThin *thin);

/**
 * satchel_bundle_plan_check_commit_time:
 * @index: of the target
 * @time_s: what its commit says
 * @now_s: what the clock says, for commits from the future
 *
 * A device takes the time of the commit that it runs for the least that it can be: by that time no
 * role of the bundle may have expired, and it must not be more than a day ahead.
 * Errors: SATCHEL_ERROR_BUNDLE_INVALID.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_bundle_plan_check_commit_time(const SatchelBundlePlan *self, guint index,
					       gint64 time_s, gint64 now_s, GError **error);

void satchel_bundle_plan_free(SatchelBundlePlan *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelBundlePlan, satchel_bundle_plan_free)
