#pragma once
#include <glib.h>

/* Which deployments stay when another one becomes the default. Pure. */

typedef struct {
	const char *os;
	const char *commit;
	gboolean booted; /* runs */
	gboolean merge;	 /* the one whose /etc and kernel arguments are continued */
	gboolean pinned; /* somebody wants it kept */
} SatchelDeploySlot;

/**
 * satchel_deploy_list_kept:
 * @present: in boot order, the present default first; borrowed
 * @n_present: how many
 * @chosen: index of the one that becomes the default, or @n_present: it is not among them
 * @os: the new default's
 * @commit: the new default's
 * @keep: (nullable): commits whose deployments stay, NULL-terminated
 *
 * The new default is not in the result. What runs comes first, so that it is the second entry, to
 * which boot loaders go back that count; the others keep their order. The present default always
 * stays: a power cut may boot it once more.
 *
 * Returns: (transfer full): indexes into @present, guint
 */
GArray *satchel_deploy_list_kept(const SatchelDeploySlot *present, guint n_present, guint chosen,
				 const char *os, const char *commit, const char *const *keep);
