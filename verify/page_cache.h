#pragma once
#include "bundle_form.h"

/* Advice about a range of an open file. Whole pages are meant, because the kernel leaves those
 * alone that a range covers in part. */
void satchel_page_cache_advise(int fd, guint64 offset_bytes, guint64 n_bytes,
			       SatchelBundleAdvice advice);
