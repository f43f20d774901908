#pragma once
#include "signed_document.h"

/*
 * What every role goes through before its own rules: size, envelope, signatures, form; and expiry.
 * Messages begin with @label and, once it is known, the version: "snapshot 3: …". Pure.
 */

/**
 * satchel_signed_role_parse:
 * @label: what messages call the document: a role's name, already fit for a message
 * @max_bytes: a longer document is not looked at
 *
 * Form only; nothing is verified. Errors: SATCHEL_ERROR_METADATA_INVALID. (transfer full)
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelSignedDocument *satchel_signed_role_parse(GBytes *bytes, const char *type, const char *label,
						 gsize max_bytes, SatchelDialect dialect,
						 GError **error);

/* @signers: whose keys these are, for the message: "root 3", "the targets role". */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_signed_role_verify(const SatchelSignedDocument *document, const char *label,
				    const SatchelRoleKeys *keys, const char *signers,
				    GError **error);

/* Expiry must be later than now. Error: SATCHEL_ERROR_METADATA_EXPIRED. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_signed_role_check_expiry(const char *label, gint64 version, gint64 expires_s,
					  gint64 now_s, GError **error);

/* Puts "LABEL VERSION: " before an error's message. */
void satchel_signed_role_prefix_error(GError **error, const char *label, gint64 version);
