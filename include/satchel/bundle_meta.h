#pragma once
#include <satchel/bundle_thin.h>
#include <satchel/metadata.h>
#pragma GCC visibility push(default)

/*
 * tuf/bundle-targets.json: what a bundle says of itself, in the form of Foundries.io with Satchel's
 * `x-satchel` addition. SatchelBundleMeta exists only for a document signed by the threshold of the
 * targets role of a trusted root; SatchelBundleMetaView is what can be *shown* of an untrusted one.
 */
typedef struct SatchelBundleMeta SatchelBundleMeta;

/**
 * satchel_bundle_meta_verify:
 * @root: the newest trusted root, whose targets keys must have signed, borrowed
 * @document: borrowed, at most SATCHEL_LIMIT_BUNDLE_META_BYTES
 *
 * Distinct keys count; an unknown key's signature is ignored; a repeated keyid is refused. Expiry,
 * type and tag are judged by the functions below.
 *
 * Errors: SATCHEL_ERROR_BUNDLE_INVALID. Pure; callable from any thread.
 *
 * Returns: (transfer full): the verified document, or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelBundleMeta *satchel_bundle_meta_verify(const SatchelRoot *root, GBytes *document,
					      GError **error);

/* Error: SATCHEL_ERROR_METADATA_EXPIRED. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_bundle_meta_check_expiry(const SatchelBundleMeta *self, gint64 now_s,
					  GError **error);

/* @type: "ci" or "prod", or NULL when the device's type is unknown and not compared.
 * Error: SATCHEL_ERROR_BUNDLE_INVALID. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_bundle_meta_check_type(const SatchelBundleMeta *self, const char *type,
					GError **error);

/* @tags: (nullable): NULL-terminated; NULL or empty matches any. Error:
 * SATCHEL_ERROR_OTHER_TAG. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_bundle_meta_check_tags(const SatchelBundleMeta *self, const char *const *tags,
					GError **error);

gint64 satchel_bundle_meta_get_version(const SatchelBundleMeta *self);
gint64 satchel_bundle_meta_get_expires_s(const SatchelBundleMeta *self);
const char *satchel_bundle_meta_get_type(const SatchelBundleMeta *self);
const char *satchel_bundle_meta_get_tag(const SatchelBundleMeta *self);
/* Names of the targets in the bundle, NULL-terminated. */
const char *const *satchel_bundle_meta_get_targets(const SatchelBundleMeta *self);
/* Time of issue, or -1 where a bundle of another maker gives none. */
gint64 satchel_bundle_meta_get_issued_s(const SatchelBundleMeta *self);
/* Hex SHA-256 and length of manifest.mtree; NULL and 0 where a bundle of another maker gives none.
 */
const char *satchel_bundle_meta_get_manifest_sha256(const SatchelBundleMeta *self);
guint64 satchel_bundle_meta_get_manifest_length_bytes(const SatchelBundleMeta *self);
/* NULL where the bundle holds all objects of its targets, or does not say. Borrowed. */
const SatchelBundleThin *satchel_bundle_meta_get_thin(const SatchelBundleMeta *self);

void satchel_bundle_meta_free(SatchelBundleMeta *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelBundleMeta, satchel_bundle_meta_free)

/* What an untrusted document claims, and who signed it as far as @root can tell. For `show` and
 * `sign`; nothing that acts on a bundle takes this type. */
typedef struct SatchelBundleMetaView SatchelBundleMetaView;

G_GNUC_WARN_UNUSED_RESULT
SatchelBundleMetaView *satchel_bundle_meta_view_new(const SatchelRoot *root, GBytes *document,
						    GError **error);
/* The claims, unverified; NULL only if the form is wrong. Borrowed. */
const char *satchel_bundle_meta_view_get_type(const SatchelBundleMetaView *self);
const char *satchel_bundle_meta_view_get_tag(const SatchelBundleMetaView *self);
gint64 satchel_bundle_meta_view_get_expires_s(const SatchelBundleMetaView *self);
gint64 satchel_bundle_meta_view_get_version(const SatchelBundleMetaView *self);
gint64 satchel_bundle_meta_view_get_issued_s(const SatchelBundleMetaView *self);
const char *const *satchel_bundle_meta_view_get_targets(const SatchelBundleMetaView *self);
const SatchelBundleThin *satchel_bundle_meta_view_get_thin(const SatchelBundleMetaView *self);
/* Keyids of the targets role; of those among them whose signature is good; both NULL-terminated. */
const char *const *satchel_bundle_meta_view_get_allowed_keyids(const SatchelBundleMetaView *self);
const char *const *satchel_bundle_meta_view_get_signed_keyids(const SatchelBundleMetaView *self);
guint satchel_bundle_meta_view_get_threshold(const SatchelBundleMetaView *self);
void satchel_bundle_meta_view_free(SatchelBundleMetaView *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelBundleMetaView, satchel_bundle_meta_view_free)

#pragma GCC visibility pop
