#pragma once
#include "private_key.h"
#include <jansson.h>
#include <satchel/root.h>

/*
 * Signatures on bundle-targets.json. The targets role's keys sign it, several people at different
 * times if need be.
 */
typedef struct {
	SatchelPrivateKey *key;
	char *keyid; /* as the root has it: the field's keyids are opaque */
} SatchelBundleSigner;

/**
 * satchel_sign_bundle_load_signers:
 * @root: the newest root of the bundle
 * @paths: (nullable): NULL-terminated: PEM files or fioctl's key archives, each of which must hold
 *   exactly one key of the targets role
 *
 * Errors: SATCHEL_ERROR_FAILED for a file that holds none or several of them, or one that was
 * given before; the message names the file.
 *
 * Returns: (transfer full) (element-type SatchelBundleSigner)
 */
G_GNUC_WARN_UNUSED_RESULT
GPtrArray *satchel_sign_bundle_load_signers(const SatchelRoot *root, char **paths, GError **error);

/**
 * satchel_sign_bundle_seal:
 * @signed_: the `signed` part, borrowed
 * @signers: (element-type SatchelBundleSigner): may be empty
 *
 * Returns: (transfer full): the file
 */
G_GNUC_WARN_UNUSED_RESULT
GBytes *satchel_sign_bundle_seal(const SatchelRoot *root, json_t *signed_, GPtrArray *signers,
				 GError **error);

/**
 * satchel_sign_bundle_add:
 * @document: the present file, borrowed
 *
 * Appends signatures. A signer whose good signature is there already is refused
 * (SATCHEL_ERROR_FAILED); a bad one under its keyid is replaced. Other signatures stay.
 *
 * Returns: (transfer full): the new file
 */
G_GNUC_WARN_UNUSED_RESULT
GBytes *satchel_sign_bundle_add(const SatchelRoot *root, GBytes *document, GPtrArray *signers,
				GError **error);

/* How many more signatures @document needs; 0 when it has enough. Errors:
 * SATCHEL_ERROR_BUNDLE_INVALID. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_sign_bundle_count_missing(const SatchelRoot *root, GBytes *document,
					   guint *n_missing, GError **error);
