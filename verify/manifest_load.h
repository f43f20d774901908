#pragma once
#include "bundle_form.h"
#include "manifest.h"

/**
 * satchel_manifest_load:
 * @sha256: (nullable): lower-case hex; what the text must have
 * @length_bytes: of the text
 *
 * Reads and parses the bundle's manifest.mtree. No byte is parsed that was not hashed before, and
 * no more than a piece of a long text is held. One that has not the hash, or changes between the
 * two readings of a long one, is read once more from the medium.
 *
 * Errors: those of satchel_bundle_reader_read_at() and satchel_manifest_parse();
 * SATCHEL_ERROR_BUNDLE_INVALID where it has another hash.
 *
 * Returns: (transfer full): the manifest, or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelManifest *satchel_manifest_load(SatchelBundleReader *bundle, const char *sha256,
				       guint64 length_bytes, GError **error);
