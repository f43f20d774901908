#pragma once
#include "bundle_form.h"

/* A sequential read of @member from its beginning, of @size_bytes bytes, by
 * satchel_bundle_reader_read_at() and with its second try. @reader is borrowed and must outlive the
 * stream. (transfer full) */
GInputStream *satchel_bundle_stream_new(SatchelBundleReader *reader, const char *member,
					guint64 size_bytes);
