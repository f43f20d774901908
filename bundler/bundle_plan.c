#include "bundle_plan.h"
#include "../verify/bundle_thin.h"
#include "../verify/earliest_expiry.h"
#include "../verify/path_safety.h"
#include "../verify/utc_time.h"
#include "role_author.h"
#include "target_author.h"
#include <string.h>

/* By which the clock of the machine that made a commit may be ahead. */
#define CLOCK_TOLERANCE_S 86400

struct SatchelBundlePlan {
	const SatchelBundleRequest *request;
	SatchelDialect dialect;
	SatchelEarliestExpiry earliest;
	GPtrArray *targets; /* of SatchelOstreeTarget */
	GPtrArray *names;   /* borrowed from them, NULL-terminated */
	GPtrArray *commits; /* likewise */
};

static gboolean
outlives(const SatchelBundleRequest *request, const char *role, gint64 role_expires_s,
	 GError **error)
{
	g_autofree char *bundle_time = NULL;
	g_autofree char *role_time = NULL;

	if (request->expires_s <= role_expires_s)
		return FALSE;
	bundle_time = satchel_utc_time_format(request->expires_s);
	role_time = satchel_utc_time_format(role_expires_s);
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
		    "the bundle would expire at %s, after the %s role that it carries, at %s; "
		    "choose fewer --expires-in-days or renew the role",
		    bundle_time, role, role_time);
	return TRUE;
}

static gboolean
check_request(const SatchelBundleRequest *request, GError **error)
{
	if (!satchel_target_author_check_name("--tag", request->tag, error))
		return FALSE;
	if (strcmp(request->type, "ci") != 0 && strcmp(request->type, "prod") != 0) {
		g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE,
				    "--type must be ci or prod");
		return FALSE;
	}
	return TRUE;
}

static gboolean
check_expiry(const SatchelBundleRequest *request, const SatchelBundleRoles *roles, GError **error)
{
	return !outlives(request, "root", satchel_root_get_expires_s(roles->root), error) &&
	       !outlives(request, "targets", satchel_targets_get_expires_s(roles->targets),
			 error) &&
	       !outlives(request, "snapshot", satchel_snapshot_get_expires_s(roles->snapshot),
			 error) &&
	       !outlives(request, "timestamp", satchel_timestamp_get_expires_s(roles->timestamp),
			 error);
}

static gboolean
add_target(SatchelBundlePlan *self, const SatchelTargets *role, const char *name, GError **error)
{
	const SatchelTarget *entry = satchel_targets_lookup(role, name);
	g_autofree char *quoted = satchel_path_quote(name);
	SatchelOstreeTarget *target;

	if (entry == NULL) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_TARGET_NOT_FOUND,
			    "target '%s' is not in the targets role (version %" G_GINT64_FORMAT ")",
			    quoted, satchel_targets_get_version(role));
		return FALSE;
	}
	for (guint i = 0; i < self->names->len; i++) {
		if (strcmp(g_ptr_array_index(self->names, i), name) == 0) {
			g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE,
				    "target '%s' was asked for twice", quoted);
			return FALSE;
		}
	}
	target = satchel_ostree_target_new(entry, error);
	if (target == NULL)
		return FALSE;
	g_ptr_array_add(self->targets, target);
	g_ptr_array_add(self->names, (gpointer)(guintptr)satchel_ostree_target_get_name(target));
	g_ptr_array_add(self->commits,
			(gpointer)(guintptr)satchel_ostree_target_get_commit(target));
	return TRUE;
}

static gboolean
check_ascii(const SatchelBundlePlan *self, GError **error)
{
	json_t *meta = satchel_bundle_plan_to_meta(self, 1, "", 0, NULL);
	gboolean good = satchel_role_author_check_ascii(meta, "bundle-targets", error);

	json_decref(meta);
	return good;
}

SatchelBundlePlan *
satchel_bundle_plan_new(const SatchelBundleRequest *request, const SatchelBundleRoles *roles,
			GError **error)
{
	g_autoptr(SatchelBundlePlan) self = g_new0(SatchelBundlePlan, 1);

	self->request = request;
	self->dialect = satchel_root_get_dialect(roles->root);
	self->earliest = satchel_earliest_expiry_of(roles->root, roles->timestamp, roles->snapshot,
						    roles->targets);
	self->targets = g_ptr_array_new_with_free_func((GDestroyNotify)satchel_ostree_target_unref);
	self->names = g_ptr_array_new();
	self->commits = g_ptr_array_new();
	if (!check_request(request, error))
		return NULL;
	for (const char *const *name = request->targets; *name != NULL; name++)
		if (!add_target(self, roles->targets, *name, error))
			return NULL;
	g_ptr_array_add(self->names, NULL);
	g_ptr_array_add(self->commits, NULL);
	if (!check_ascii(self, error) || !check_expiry(request, roles, error))
		return NULL;
	return g_steal_pointer(&self);
}

guint
satchel_bundle_plan_get_n_targets(const SatchelBundlePlan *self)
{
	return self->targets->len;
}

const SatchelOstreeTarget *
satchel_bundle_plan_get_target(const SatchelBundlePlan *self, guint index)
{
	return g_ptr_array_index(self->targets, index);
}

const char *const *
satchel_bundle_plan_get_names(const SatchelBundlePlan *self)
{
	return (const char *const *)self->names->pdata;
}

const char *const *
satchel_bundle_plan_get_commits(const SatchelBundlePlan *self)
{
	return (const char *const *)self->commits->pdata;
}

gboolean
satchel_bundle_plan_check_commit_time(const SatchelBundlePlan *self, guint index, gint64 time_s,
				      gint64 now_s, GError **error)
{
	g_autofree char *what =
		g_strdup_printf("the commit of target %s", (char *)self->names->pdata[index]);
	g_autofree char *time = NULL;
	g_autofree char *now = NULL;

	if (!satchel_earliest_expiry_check(&self->earliest, time_s, what,
					   "commit it again by a right clock", error))
		return FALSE;
	if (time_s <= now_s || time_s - now_s <= CLOCK_TOLERANCE_S)
		return TRUE;
	time = satchel_utc_time_format(time_s);
	now = satchel_utc_time_format(now_s);
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_BUNDLE_INVALID,
		    "%s is dated %s, and now it is %s: the clock of the machine that made the "
		    "commit is ahead; commit it again by a right clock",
		    what, time, now);
	return FALSE;
}

json_t *
satchel_bundle_plan_to_meta(const SatchelBundlePlan *self, gint64 version,
			    const char *manifest_sha256, guint64 manifest_length_bytes,
			    const SatchelBundleThin *thin)
{
	const SatchelBundleRequest *request = self->request;
	g_autofree char *expires = satchel_utc_time_format(request->expires_s);
	g_autofree char *issued = satchel_utc_time_format(request->issued_s);
	json_t *targets = json_array();
	json_t *meta;

	for (guint i = 0; i < self->targets->len; i++)
		json_array_append_new(targets, json_string(g_ptr_array_index(self->names, i)));
	meta = json_pack("{s:s, s:s, s:I, s:{s:s, s:s, s:o}, s:{s:{s:s, s:I}, s:s}}", "_type",
			 self->dialect == SATCHEL_DIALECT_UPTANE ? "Targets" : "targets", "expires",
			 expires, "version", (json_int_t)version, "x-fio-offline-bundle", "type",
			 request->type, "tag", request->tag, "targets", targets, "x-satchel",
			 "manifest", "sha256", manifest_sha256, "length",
			 (json_int_t)manifest_length_bytes, "issued", issued);
	if (thin != NULL)
		satchel_bundle_thin_to_json(thin, json_object_get(meta, "x-satchel"));
	/* TUF 1.0 has it in all that bears a role's `_type`; the field's dialect has it nowhere. */
	if (self->dialect == SATCHEL_DIALECT_TUF)
		json_object_set_new(meta, "spec_version",
				    json_string(SATCHEL_ROLE_AUTHOR_SPEC_VERSION));
	return meta;
}

void
satchel_bundle_plan_free(SatchelBundlePlan *self)
{
	g_ptr_array_unref(self->names);
	g_ptr_array_unref(self->commits);
	g_ptr_array_unref(self->targets);
	g_free(self);
}
