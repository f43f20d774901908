#include "bundle_thin.h"
#include "hex.h"
#include "path_safety.h"
#include "root_keys.h"
#include "signed_role.h"
#include "utc_time.h"
#include <satchel/bundle_meta.h>
#include <satchel/limits.h>

/* What messages call it. */
#define LABEL "bundle-targets.json"

/* What the document says, whoever signed it. */
typedef struct {
	gint64 version;
	gint64 expires_s;
	char *type;
	char *tag;
	GStrv targets;
	gint64 issued_s; /* -1 where it is not given */
	char *manifest_sha256;
	gint64 manifest_length_bytes;
	SatchelBundleThin *thin; /* NULL: nothing is left out */
} Claims;

struct SatchelBundleMeta {
	Claims claims;
};

struct SatchelBundleMetaView {
	Claims claims;
	SatchelRoleKeys *keys;
	GStrv signed_keyids;
};

static gboolean
fail(GError **error, const char *reason)
{
	g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID, reason);
	return FALSE;
}

static gboolean
check_targets(const char *const *targets, GError **error)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

	for (; *targets != NULL; targets++) {
		if (**targets == '\0' || strlen(*targets) > SATCHEL_LIMIT_PATH_BYTES)
			return fail(error, "'targets' has an empty or too long name");
		if (!g_hash_table_add(seen, (gpointer)(guintptr)*targets))
			return fail(error, "'targets' names a target twice");
	}
	return TRUE;
}

static gboolean
parse_offline_bundle(Claims *claims, const json_t *signed_, GError **error)
{
	const json_t *object = satchel_json_get_object(signed_, "x-fio-offline-bundle", error);
	const char *type, *tag;

	if (object == NULL)
		return FALSE;
	type = satchel_json_get_string(object, "type", error);
	if (type == NULL)
		return FALSE;
	if (strcmp(type, "ci") != 0 && strcmp(type, "prod") != 0)
		return fail(error, "'type' is neither ci nor prod");
	tag = satchel_json_get_string(object, "tag", error);
	if (tag == NULL)
		return FALSE;
	claims->type = g_strdup(type);
	claims->tag = g_strdup(tag);
	claims->targets = satchel_json_get_strv(object, "targets", error);
	return claims->targets != NULL &&
	       check_targets((const char *const *)claims->targets, error);
}

static gboolean
parse_manifest(Claims *claims, const json_t *addition, GError **error)
{
	const json_t *manifest = satchel_json_get_object(addition, "manifest", error);
	const char *sha256;

	if (manifest == NULL)
		return FALSE;
	sha256 = satchel_json_get_string(manifest, "sha256", error);
	if (sha256 == NULL)
		return FALSE;
	if (!satchel_hex_is_sha256(sha256))
		return fail(error, "'sha256' of the manifest is no lower-case SHA-256");
	claims->manifest_sha256 = g_strdup(sha256);
	return satchel_json_get_int(manifest, "length", 0, SATCHEL_LIMIT_MANIFEST_BYTES,
				    &claims->manifest_length_bytes, error);
}

/* Satchel's addition: bundles of other makers have none, half a one is nobody's. */
static gboolean
parse_addition(Claims *claims, const json_t *signed_, GError **error)
{
	const json_t *addition;

	claims->issued_s = -1;
	if (json_object_get(signed_, "x-satchel") == NULL)
		return TRUE;
	addition = satchel_json_get_object(signed_, "x-satchel", error);
	if (addition == NULL || !parse_manifest(claims, addition, error) ||
	    !satchel_json_get_time(addition, "issued", &claims->issued_s, error) ||
	    !satchel_bundle_thin_parse(addition, &claims->thin, error)) {
		g_prefix_error_literal(error, "'x-satchel': ");
		return FALSE;
	}
	/* The time of issue raises a device's time floor, which must not go past what made it go
	 * there. */
	if (claims->issued_s >= claims->expires_s)
		return fail(error, "'x-satchel': issued when it has already expired");
	return TRUE;
}

static gboolean
claims_parse(Claims *claims, const SatchelSignedDocument *document, GError **error)
{
	claims->version = document->version;
	claims->expires_s = document->expires_s;
	if (parse_offline_bundle(claims, document->signed_, error) &&
	    parse_addition(claims, document->signed_, error))
		return TRUE;
	satchel_signed_role_prefix_error(error, LABEL, document->version);
	return FALSE;
}

static void
claims_clear(Claims *claims)
{
	g_free(claims->type);
	g_free(claims->tag);
	g_strfreev(claims->targets);
	g_free(claims->manifest_sha256);
	satchel_bundle_thin_free(claims->thin);
}

/* It has the head of a targets role, and that role's keys sign it, but neither can be taken for the
 * other: it has no `targets`, and targets have no `x-fio-offline-bundle`. */
static SatchelSignedDocument *
parse_envelope(const SatchelRoot *root, GBytes *bytes, GError **error)
{
	return satchel_signed_role_parse(bytes, "targets", LABEL, SATCHEL_LIMIT_BUNDLE_META_BYTES,
					 satchel_root_get_dialect(root), error);
}

static const SatchelRoleKeys *
bundle_keys(const SatchelRoot *root)
{
	return satchel_root_get_role_keys(root, "targets");
}

/* Whatever is wrong with it, it is the bundle that the operator has to replace. */
static gpointer
refuse_bundle(GError **error, GError *reason)
{
	reason->code = SATCHEL_ERROR_BUNDLE_INVALID;
	g_propagate_error(error, reason);
	return NULL;
}

SatchelBundleMeta *
satchel_bundle_meta_verify(const SatchelRoot *root, GBytes *document, GError **error)
{
	g_autoptr(SatchelBundleMeta) self = g_new0(SatchelBundleMeta, 1);
	g_autoptr(SatchelSignedDocument) parsed = NULL;
	GError *reason = NULL;

	g_return_val_if_fail(root != NULL && document != NULL, NULL);

	parsed = parse_envelope(root, document, &reason);
	if (parsed == NULL ||
	    !satchel_signed_role_verify(parsed, LABEL, bundle_keys(root), "the targets role",
					&reason) ||
	    !claims_parse(&self->claims, parsed, &reason))
		return refuse_bundle(error, reason);
	return g_steal_pointer(&self);
}

gboolean
satchel_bundle_meta_check_expiry(const SatchelBundleMeta *self, gint64 now_s, GError **error)
{
	return satchel_signed_role_check_expiry(LABEL, self->claims.version, self->claims.expires_s,
						now_s, error);
}

gboolean
satchel_bundle_meta_check_type(const SatchelBundleMeta *self, const char *type, GError **error)
{
	if (type == NULL || strcmp(type, self->claims.type) == 0)
		return TRUE;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_BUNDLE_INVALID,
		    LABEL ": the bundle is of type %s, the device of type %s", self->claims.type,
		    type);
	return FALSE;
}

gboolean
satchel_bundle_meta_check_tags(const SatchelBundleMeta *self, const char *const *tags,
			       GError **error)
{
	g_autofree char *tag = NULL;
	g_autofree char *joined = NULL;

	if (tags == NULL || *tags == NULL || g_strv_contains(tags, self->claims.tag))
		return TRUE;
	tag = satchel_path_quote(self->claims.tag);
	joined = g_strjoinv(", ", (GStrv)(guintptr)tags);
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_OTHER_TAG,
		    LABEL ": the bundle is for tag %s, the device takes %s", tag, joined);
	return FALSE;
}

gint64
satchel_bundle_meta_get_version(const SatchelBundleMeta *self)
{
	return self->claims.version;
}

gint64
satchel_bundle_meta_get_expires_s(const SatchelBundleMeta *self)
{
	return self->claims.expires_s;
}

const char *
satchel_bundle_meta_get_type(const SatchelBundleMeta *self)
{
	return self->claims.type;
}

const char *
satchel_bundle_meta_get_tag(const SatchelBundleMeta *self)
{
	return self->claims.tag;
}

const char *const *
satchel_bundle_meta_get_targets(const SatchelBundleMeta *self)
{
	return (const char *const *)self->claims.targets;
}

gint64
satchel_bundle_meta_get_issued_s(const SatchelBundleMeta *self)
{
	return self->claims.issued_s;
}

const char *
satchel_bundle_meta_get_manifest_sha256(const SatchelBundleMeta *self)
{
	return self->claims.manifest_sha256;
}

guint64
satchel_bundle_meta_get_manifest_length_bytes(const SatchelBundleMeta *self)
{
	return (guint64)self->claims.manifest_length_bytes;
}

const SatchelBundleThin *
satchel_bundle_meta_get_thin(const SatchelBundleMeta *self)
{
	return self->claims.thin;
}

void
satchel_bundle_meta_free(SatchelBundleMeta *self)
{
	claims_clear(&self->claims);
	g_free(self);
}

SatchelBundleMetaView *
satchel_bundle_meta_view_new(const SatchelRoot *root, GBytes *document, GError **error)
{
	g_autoptr(SatchelBundleMetaView) self = g_new0(SatchelBundleMetaView, 1);
	g_autoptr(SatchelSignedDocument) parsed = NULL;
	GError *reason = NULL;

	g_return_val_if_fail(root != NULL && document != NULL, NULL);

	parsed = parse_envelope(root, document, &reason);
	if (parsed == NULL || !claims_parse(&self->claims, parsed, &reason))
		return refuse_bundle(error, reason);
	self->keys = satchel_role_keys_ref((SatchelRoleKeys *)(guintptr)bundle_keys(root));
	self->signed_keyids =
		satchel_role_keys_good_keyids(self->keys, parsed->signatures, parsed->message);
	return g_steal_pointer(&self);
}

const char *
satchel_bundle_meta_view_get_type(const SatchelBundleMetaView *self)
{
	return self->claims.type;
}

const char *
satchel_bundle_meta_view_get_tag(const SatchelBundleMetaView *self)
{
	return self->claims.tag;
}

gint64
satchel_bundle_meta_view_get_expires_s(const SatchelBundleMetaView *self)
{
	return self->claims.expires_s;
}

gint64
satchel_bundle_meta_view_get_version(const SatchelBundleMetaView *self)
{
	return self->claims.version;
}

gint64
satchel_bundle_meta_view_get_issued_s(const SatchelBundleMetaView *self)
{
	return self->claims.issued_s;
}

const char *const *
satchel_bundle_meta_view_get_targets(const SatchelBundleMetaView *self)
{
	return (const char *const *)self->claims.targets;
}

const SatchelBundleThin *
satchel_bundle_meta_view_get_thin(const SatchelBundleMetaView *self)
{
	return self->claims.thin;
}

const char *const *
satchel_bundle_meta_view_get_allowed_keyids(const SatchelBundleMetaView *self)
{
	return satchel_role_keys_get_keyids(self->keys);
}

const char *const *
satchel_bundle_meta_view_get_signed_keyids(const SatchelBundleMetaView *self)
{
	return (const char *const *)self->signed_keyids;
}

guint
satchel_bundle_meta_view_get_threshold(const SatchelBundleMetaView *self)
{
	return satchel_role_keys_get_threshold(self->keys);
}

void
satchel_bundle_meta_view_free(SatchelBundleMetaView *self)
{
	claims_clear(&self->claims);
	g_clear_pointer(&self->keys, satchel_role_keys_unref);
	g_strfreev(self->signed_keyids);
	g_free(self);
}
