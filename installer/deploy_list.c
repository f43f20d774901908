#include "deploy_list.h"

static gboolean
stays(const SatchelDeploySlot *one, const char *os, const char *commit, const char *const *keep)
{
	if (!g_str_equal(one->os, os) || one->booted || one->merge || one->pinned)
		return TRUE;
	/* An older deployment of the same commit is replaced by the new one. */
	return !g_str_equal(one->commit, commit) && keep != NULL &&
	       g_strv_contains(keep, one->commit);
}

GArray *
satchel_deploy_list_kept(const SatchelDeploySlot *present, guint n_present, guint chosen,
			 const char *os, const char *commit, const char *const *keep)
{
	GArray *kept = g_array_new(FALSE, FALSE, sizeof(guint));

	for (guint i = 0; i < n_present; i++) {
		if (i == chosen || (i != 0 && !stays(&present[i], os, commit, keep)))
			continue;
		if (present[i].booted)
			g_array_prepend_val(kept, i);
		else
			g_array_append_val(kept, i);
	}
	return kept;
}
