#pragma once
#include <satchel/metadata.h>
#include <satchel/tuf_source.h>

/**
 * satchel_tuf_download:
 * @hash_prefix: the repository puts the digest before the last component of the path
 *
 * As satchel_tuf_client_download(), without a client.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_tuf_download(SatchelTufSource *source, const SatchelTarget *target,
			      gboolean hash_prefix, const char *dir, char **placed, GError **error);
