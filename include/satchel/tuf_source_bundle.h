#pragma once
#include <satchel/bundle_reader.h>
#include <satchel/tuf_source.h>
#pragma GCC visibility push(default)

/**
 * satchel_tuf_source_bundle_new:
 * @bundle: borrowed; must outlive the source
 *
 * The `tuf/` folder of a bundle: roots under their version, all other roles without one, whatever
 * version is asked for (which file it is, the client checks). Artifacts are not served: a bundle
 * carries OSTree objects and apps in their place.
 *
 * Not thread-safe. Returns: (transfer full): the source
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelTufSource *satchel_tuf_source_bundle_new(SatchelBundleReader *bundle);

#pragma GCC visibility pop
