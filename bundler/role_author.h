#pragma once
#include "private_key.h"
#include <jansson.h>
#include <satchel/canonical_json.h>

/*
 * The four top-level roles as documents to be written, in both dialects. Pure: bytes, keys and
 * times come in as arguments. Signed parts are printable ASCII only (a PEM's newlines excepted), so
 * that every canonical form in the field gives the same bytes for them.
 */
typedef enum {
	SATCHEL_ROLE_ROOT,
	SATCHEL_ROLE_TARGETS,
	SATCHEL_ROLE_SNAPSHOT,
	SATCHEL_ROLE_TIMESTAMP,
} SatchelRole;
#define SATCHEL_N_ROLES 4

/* The version of TUF that documents of that dialect follow. */
#define SATCHEL_ROLE_AUTHOR_SPEC_VERSION "1.0.34"

/* "root", … ; borrowed for ever. */
const char *satchel_role_author_name(SatchelRole role);
/* FALSE for anything but a role's name. */
gboolean satchel_role_author_lookup(const char *name, SatchelRole *role);

/* What every role says of itself. */
typedef struct {
	SatchelDialect dialect;
	gint64 version;
	gint64 expires_s;
} SatchelRoleHead;

/* Root without keys, targets without targets: the `signed` part. (transfer full) */
json_t *satchel_role_author_root(const SatchelRoleHead *head);
json_t *satchel_role_author_targets(const SatchelRoleHead *head);

/**
 * satchel_role_author_snapshot:
 * @file: targets.json (for a timestamp: snapshot.json) as it is written, borrowed
 * @file_version: its version
 *
 * Version, length and SHA-256 of the other file. Files we write are canonical, so that the hash
 * over their bytes (tuf) and over their canonical form (uptane) is one.
 *
 * Returns: (transfer full): the `signed` part
 */
json_t *satchel_role_author_snapshot(const SatchelRoleHead *head, GBytes *file,
				     gint64 file_version);
json_t *satchel_role_author_timestamp(const SatchelRoleHead *head, GBytes *file,
				      gint64 file_version);

/* Sets version and expiry of an existing `signed` part. */
void satchel_role_author_renew(json_t *signed_, gint64 version, gint64 expires_s);

/**
 * satchel_role_author_set_keys:
 * @root: the `signed` part of a root, changed
 * @keys: (element-type SatchelPrivateKey): replace the role's keys
 * @threshold: how many of them must sign
 *
 * Keys that no role lists any more leave the document.
 */
void satchel_role_author_set_keys(json_t *root, SatchelRole role, GPtrArray *keys, guint threshold,
				  SatchelDialect dialect);

/**
 * satchel_role_author_check_ascii:
 * @what: what the message calls the document
 *
 * Every member name and string below @signed_ is printable ASCII; `public` of a key may have
 * newlines. Errors: SATCHEL_ERROR_FAILED, naming the member.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_role_author_check_ascii(json_t *signed_, const char *what, GError **error);

/**
 * satchel_role_author_signature:
 * @keyid: what the signature calls the key
 * @message: canonical bytes of `signed`
 *
 * Returns: (transfer full): an element of `signatures`, in the dialect's form
 */
G_GNUC_WARN_UNUSED_RESULT
json_t *satchel_role_author_signature(const SatchelPrivateKey *key, const char *keyid,
				      GBytes *message, SatchelDialect dialect, GError **error);

/**
 * satchel_role_author_seal:
 * @signed_: borrowed
 * @keys: (element-type SatchelPrivateKey): who signs; a key that stands in it twice signs once
 * @what: what messages call the document
 *
 * Errors: SATCHEL_ERROR_FAILED where @signed_ is not printable ASCII.
 *
 * Returns: (transfer full): the file: canonical bytes without a trailing newline
 */
G_GNUC_WARN_UNUSED_RESULT
GBytes *satchel_role_author_seal(json_t *signed_, GPtrArray *keys, SatchelDialect dialect,
				 const char *what, GError **error);

/* The bytes of a document's file: jsoncpp's compact form in both dialects, because a PEM's newlines
 * make OLPC's form no JSON. (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
GBytes *satchel_role_author_file(const json_t *document, GError **error);
