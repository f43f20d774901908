#include "media_name.h"
#include <string.h>

/* Of Firefox, Chrome, Safari, Opera, curl's and wget's friends, and those that copy files. */
static const char *const partial_suffixes[] = {
	".part",  ".partial",  ".crdownload", ".download", ".opdownload",
	".aria2", ".filepart", ".tmp",	      ".!ut",	   "~",
};

static const char *const ignored_names[] = {
	"$recycle.bin", "recycler", "recycled", "system volume information", "lost+found",
};

/* What chkdsk makes of lost clusters: FOUND.000. */
static gboolean
is_repair(const char *lower)
{
	return g_str_has_prefix(lower, "found.") && strlen(lower) == 9 &&
	       strspn(lower + 6, "0123456789") == 3;
}

gboolean
satchel_media_name_is_ignored(const char *name)
{
	g_autofree char *lower = g_ascii_strdown(name, -1);

	if (*name == '.' || *name == '\0' || is_repair(lower))
		return TRUE;
	for (guint i = 0; i < G_N_ELEMENTS(ignored_names); i++) {
		if (g_str_equal(lower, ignored_names[i]))
			return TRUE;
	}
	for (guint i = 0; i < G_N_ELEMENTS(partial_suffixes); i++) {
		if (g_str_has_suffix(lower, partial_suffixes[i]))
			return TRUE;
	}
	return FALSE;
}

char *
satchel_media_name_of_partial(const char *name)
{
	/* Firefox keeps an empty file beside NAME.part; aria2 one in its full size. */
	static const char *const marks[] = {".part", ".aria2"};

	for (guint i = 0; i < G_N_ELEMENTS(marks); i++) {
		if (g_str_has_suffix(name, marks[i]))
			return g_strndup(name, strlen(name) - strlen(marks[i]));
	}
	return NULL;
}
