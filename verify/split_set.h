#pragma once
#include <satchel/error.h>

/* Names and sizes of the parts of a packed bundle: NAME.satchel.000, .001, ..., which joined are
 * the whole. Pure. */

#define SATCHEL_SPLIT_SET_SUFFIX ".satchel"

/* NAME where @name is NAME.000; NULL for any other. (transfer full) */
char *satchel_split_set_base(const char *name);

/* @index: below SATCHEL_LIMIT_PACKED_PARTS. (transfer full) */
char *satchel_split_set_part(const char *base, guint index);

/* What a file's name in a folder tells. Hidden files are nothing, and so are the `._` files that
 * macOS puts beside each one. */
typedef enum {
	SATCHEL_SPLIT_SET_NOTHING,
	SATCHEL_SPLIT_SET_WHOLE,      /* NAME.satchel */
	SATCHEL_SPLIT_SET_FIRST_PART, /* NAME.satchel.000 */
	SATCHEL_SPLIT_SET_LATER_PART, /* NAME.satchel.001 and on */
} SatchelSplitSetKind;
SatchelSplitSetKind satchel_split_set_classify(const char *file_name);

/* All parts have the size of the first one; only the last may be shorter. @wrong: (out): the first
 * part that differs. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_split_set_check_sizes(const guint64 *sizes_bytes, guint n_parts, guint *wrong);
