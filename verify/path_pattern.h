#pragma once
#include <glib.h>

/**
 * satchel_path_pattern_matches:
 *
 * Shell patterns as delegations use them (TUF 4.5, PATHPATTERN), like fnmatch(3) with FNM_PATHNAME
 * and FNM_NOESCAPE, whatever the locale: `*` and `?` and `[…]` stay within a component, a leading
 * dot is nothing special, a backslash neither, `[` without its `]` stands for itself; `[:classes:]`
 * are not known. Characters are code points; a @path that is no UTF-8 matches nothing. Time is
 * bounded by the product of the lengths.
 */
gboolean satchel_path_pattern_matches(const char *pattern, const char *path);
