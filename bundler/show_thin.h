#pragma once
#include "bundle_size.h"
#include <jansson.h>
#include <satchel/bundle_thin.h>

/* What `show` tells of a thin bundle: what it builds on, and what that costs and saves. */

/* @thin: (nullable); @size: of the bundle as it lies there. (transfer full) */
json_t *satchel_show_thin_to_json(const SatchelBundleThin *thin, const SatchelBundleSize *size);

/* To the standard output, for people; nothing where @thin is NULL. */
void satchel_show_thin_print(const SatchelBundleThin *thin, const SatchelBundleSize *size);
