#pragma once
#include <glib.h>

/* Names on a stick that stand for nothing that its owner put there: what macOS, Windows and
 * browsers leave. Pure. */

/* TRUE for hidden files (`._NAME` among them), recycle bins, what a repair left, and downloads that
 * are not finished. @name: one component, of a file or a folder. */
gboolean satchel_media_name_is_ignored(const char *name);

/* Where @name is the mark that some browsers keep beside a download as long as it runs: the name of
 * the file that is not whole. (transfer full) (nullable) */
char *satchel_media_name_of_partial(const char *name);
