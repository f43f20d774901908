#pragma once
#include <satchel/error.h>

/*
 * Reads the headers of one member of a packed bundle: the part of POSIX tar that tar_layout.h says
 * is written, and nothing else. Whatever else tar knows (links, devices, GNU's long names, sizes in
 * base 256, pax keys of other programs) is refused by name. Pure: the bytes come by a callback.
 */
typedef enum {
	SATCHEL_TAR_FILE,
	SATCHEL_TAR_FOLDER,
	SATCHEL_TAR_END, /* a block of zeros where a header could be */
} SatchelTarKind;

/* Owns its path: clear it. */
typedef struct {
	SatchelTarKind kind;
	char *path; /* checked by satchel_path_check(); no slash at its end. NULL at the end */
	guint64 size_bytes;
	guint64 content_at_bytes;
	guint64 next_at_bytes; /* where the next header is, a whole block */
} SatchelTarMember;

/* Exactly @n_bytes at @offset_bytes, or FALSE with its own error, which is passed on as it is. */
typedef gboolean (*SatchelTarRead)(gpointer source, guint64 offset_bytes, gpointer buffer,
				   gsize n_bytes, GError **error);

/**
 * satchel_tar_member_read:
 * @at_bytes: where the first header of the member is
 * @member: (out): filled where it returns TRUE
 *
 * Errors: SATCHEL_ERROR_BUNDLE_INVALID with the offset of the header; those of @read.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_tar_member_read(SatchelTarRead read, gpointer source, guint64 at_bytes,
				 SatchelTarMember *member, GError **error);

void satchel_tar_member_clear(SatchelTarMember *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SatchelTarMember, satchel_tar_member_clear)

/* TRUE where @block begins as a ustar file does: enough to tell a bundle from a photograph. */
gboolean satchel_tar_header_is_likely(const guint8 *block, gsize n_bytes);
