#pragma once
#include <satchel/error.h>

/*
 * Where members lie in the packed form, which is the same sum for who writes it and for who reads
 * it. Pure.
 *
 * A member is its headers, its content, and zeros up to the next block. The headers are one ustar
 * header; where that cannot hold the name or the size, a pax header ('x') and its records come
 * before it: `path` for a name that is too long or not all ASCII, before it `hdrcharset=BINARY`
 * where that is no UTF-8, `size` from 8 GiB on. This is what libarchive's restricted pax format
 * writes in a UTF-8 locale for an entry that has a name, a type, permissions, a size and a time in
 * whole seconds, and nothing else. Two blocks of zeros end it all; writers fill up the last record.
 */
#define SATCHEL_TAR_BLOCK_BYTES 512u
#define SATCHEL_TAR_RECORD_BYTES 10240u
#define SATCHEL_TAR_END_BYTES (2u * SATCHEL_TAR_BLOCK_BYTES)

/* The largest size that stands in a ustar header. */
#define SATCHEL_TAR_USTAR_MAX_BYTES G_GUINT64_CONSTANT(077777777777)

/* What a pax header before the member must hold. */
typedef struct {
	gboolean charset; /* hdrcharset=BINARY */
	gboolean path;
	gboolean size;
} SatchelTarExtension;

/* All FALSE where the ustar header holds it all. */
SatchelTarExtension satchel_tar_layout_extension(const char *path, guint64 size_bytes);

/* Bytes of all headers of a regular file: one block or more. */
guint64 satchel_tar_layout_header_bytes(const char *path, guint64 size_bytes);

/**
 * satchel_tar_layout_place:
 * @at_bytes: (inout): where the member's first header is; then where the next one's is
 * @content_at_bytes: (out): where its content is
 *
 * Returns: FALSE where the sum passes G_MAXINT64; nothing is changed then
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_tar_layout_place(guint64 *at_bytes, const char *path, guint64 size_bytes,
				  guint64 *content_at_bytes);

/* Length of a whole archive whose last member ends at @at_bytes (a whole block), with the end and
 * its padding. */
guint64 satchel_tar_layout_total_bytes(guint64 at_bytes);
