#pragma once
#include "../verify/bundle_form.h"
#include "../verify/digest.h"

/*
 * What a packed bundle holds and in which order, decided before a byte of it is written: tuf/, the
 * folders without files, manifest.mtree, and what the manifest lists, in its order.
 */
typedef struct {
	char *path;
	guint64 size_bytes;
	gboolean is_listed;		     /* in the manifest */
	guint8 sha256[SATCHEL_SHA256_BYTES]; /* where it is listed */
} SatchelPackedMember;

typedef struct {
	GArray *members; /* of SatchelPackedMember; the first @n_tuf lie in tuf/ */
	guint n_tuf;
	GPtrArray *folders; /* of char *: those in which nothing is */
	GBytes *manifest;
	gboolean manifest_is_made;   /* the bundle has none */
	GBytes *meta;		     /* (nullable): bundle-targets.json, where the bundle has one */
	gboolean manifest_is_signed; /* bundle-targets.json has its hash */
	gint64 time_s;		     /* of all members: when the bundle was issued */
	GPtrArray *left_out;	     /* of char *: files that the manifest does not list */
	guint64 size_bytes;	     /* of all content */
} SatchelPackedOrder;

/**
 * satchel_packed_order_new:
 * @bundle: in any form; borrowed
 *
 * Without a manifest in the bundle one is made, for which all of it is read: objects in the order
 * in which a device walks them, all else by name. With one, files that it does not list are left
 * out, those in tuf/ excepted. No signature is looked at.
 *
 * Errors: SATCHEL_ERROR_DOWNLOAD_FAILED where a file that the manifest lists is missing or has
 * another size, or where something is neither file nor folder; SATCHEL_ERROR_BUNDLE_INVALID where
 * the manifest is not the one whose hash bundle-targets.json has; those of
 * satchel_closure_list().
 *
 * Returns: (transfer full)
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelPackedOrder *satchel_packed_order_new(SatchelBundleReader *bundle, GError **error);

/* Puts another bundle-targets.json, one with more signatures, in the place of the present one. */
void satchel_packed_order_set_meta(SatchelPackedOrder *self, GBytes *meta);

void satchel_packed_order_free(SatchelPackedOrder *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelPackedOrder, satchel_packed_order_free)
