#include "split_set.h"
#include <satchel/limits.h>
#include <string.h>

#define NUMBER_BYTES 4u /* ".000" */

/* The number of a part by the end of its name; -1 where it is none. */
static int
part_number(const char *name)
{
	gsize n_bytes = strlen(name);
	const char *end = name + n_bytes - NUMBER_BYTES;

	if (n_bytes <= NUMBER_BYTES || end[0] != '.' || !g_ascii_isdigit(end[1]) ||
	    !g_ascii_isdigit(end[2]) || !g_ascii_isdigit(end[3]))
		return -1;
	return (end[1] - '0') * 100 + (end[2] - '0') * 10 + (end[3] - '0');
}

char *
satchel_split_set_base(const char *name)
{
	return part_number(name) == 0 ? g_strndup(name, strlen(name) - NUMBER_BYTES) : NULL;
}

char *
satchel_split_set_part(const char *base, guint index)
{
	g_return_val_if_fail(index < SATCHEL_LIMIT_PACKED_PARTS, NULL);
	return g_strdup_printf("%s.%03u", base, index);
}

SatchelSplitSetKind
satchel_split_set_classify(const char *file_name)
{
	int number = part_number(file_name);
	gsize n_bytes = strlen(file_name) - (number >= 0 ? NUMBER_BYTES : 0);
	gsize n_suffix = strlen(SATCHEL_SPLIT_SET_SUFFIX);

	if (file_name[0] == '.' || n_bytes <= n_suffix ||
	    memcmp(file_name + n_bytes - n_suffix, SATCHEL_SPLIT_SET_SUFFIX, n_suffix) != 0)
		return SATCHEL_SPLIT_SET_NOTHING;
	if (number < 0)
		return SATCHEL_SPLIT_SET_WHOLE;
	return number == 0 ? SATCHEL_SPLIT_SET_FIRST_PART : SATCHEL_SPLIT_SET_LATER_PART;
}

gboolean
satchel_split_set_check_sizes(const guint64 *sizes_bytes, guint n_parts, guint *wrong)
{
	for (guint i = 1; i < n_parts; i++) {
		if (i + 1 < n_parts ? sizes_bytes[i] != sizes_bytes[0]
				    : sizes_bytes[i] > sizes_bytes[0]) {
			*wrong = i;
			return FALSE;
		}
	}
	return TRUE;
}
