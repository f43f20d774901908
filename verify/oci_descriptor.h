#pragma once
#include "json.h"
#include "oci_document.h"

/* What the parsers of OCI documents and of app manifests share; the latter have the form of the
 * former. */

/* `sha256:HEX`, lower case. FALSE where it is no such thing. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_oci_digest_parse(const char *text, char sha256[65]);

/* @member: what it is, for messages. Error: SATCHEL_ERROR_METADATA_INVALID, as of all of json.h;
 * the caller recodes it. (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
SatchelOciDescriptor *satchel_oci_descriptor_parse(const json_t *value, const char *member,
						   GError **error);

/* As many descriptors as @member of @object has, at most @max. (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
GPtrArray *satchel_oci_descriptor_parse_array(const json_t *object, const char *member, guint max,
					      GError **error);

/* `schemaVersion` is 2. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_oci_check_schema(const json_t *object, GError **error);
