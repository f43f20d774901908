#include "bundle_bases.h"
#include "../verify/bundle_thin.h"
#include "../verify/hex.h"
#include "../verify/path_safety.h"
#include <ostree.h>
#include <satchel/limits.h>
#include <satchel/ostree_target.h>
#include <string.h>

/* (transfer full): the commit of the target @name; NULL where there is no such target, or it is
 * none of OSTree. */
static char *
commit_of_target(const SatchelTargets *role, const char *name)
{
	const SatchelTarget *entry = satchel_targets_lookup(role, name);
	g_autoptr(SatchelOstreeTarget) target =
		entry != NULL ? satchel_ostree_target_new(entry, NULL) : NULL;

	return target != NULL ? g_strdup(satchel_ostree_target_get_commit(target)) : NULL;
}

/* (transfer full): the commit that @word means */
static char *
resolve(const char *word, OstreeRepo *repo, const SatchelTargets *role, GError **error)
{
	g_autofree char *by_name = NULL;
	g_autofree char *by_branch = NULL;
	g_autofree char *quoted = satchel_path_quote(word);

	if (satchel_hex_is_sha256(word))
		return g_strdup(word);
	by_name = commit_of_target(role, word);
	/* What is no name of a branch at all is an error to libostree, and nothing to us. */
	(void)ostree_repo_resolve_rev(repo, word, TRUE, &by_branch, NULL);
	if (by_name == NULL && by_branch == NULL) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE,
			    "--from '%s' is neither a commit, nor a target of the TUF repository, "
			    "nor a branch of the OSTree repository",
			    quoted);
		return NULL;
	}
	if (by_name != NULL && by_branch != NULL && strcmp(by_name, by_branch) != 0) {
		g_set_error(
			error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE,
			"--from '%s' is a target with commit %s and a branch at commit %s: give "
			"the commit",
			quoted, by_name, by_branch);
		return NULL;
	}
	return g_strdup(by_name != NULL ? by_name : by_branch);
}

/* Only what may stand in a signed part. */
static gboolean
is_printable(const char *name)
{
	for (; *name != '\0'; name++)
		if (*name < ' ' || *name > '~')
			return FALSE;
	return TRUE;
}

/* (transfer full): names of the targets that have @commit, in the role's order */
static GStrv
names_of(const char *commit, const SatchelTargets *role)
{
	g_autoptr(GStrvBuilder) names = g_strv_builder_new();

	for (guint i = 0; i < satchel_targets_get_n_targets(role); i++) {
		g_autoptr(SatchelOstreeTarget) target =
			satchel_ostree_target_new(satchel_targets_get_target(role, i), NULL);

		if (target != NULL &&
		    strcmp(satchel_ostree_target_get_commit(target), commit) == 0 &&
		    is_printable(satchel_ostree_target_get_name(target)))
			g_strv_builder_add(names, satchel_ostree_target_get_name(target));
	}
	return g_strv_builder_end(names);
}

static void
add_base(SatchelBundleThin *self, const char *commit, const SatchelTargets *role)
{
	SatchelBundleBase *base = &self->bases[self->n_bases];

	for (guint i = 0; i < self->n_bases; i++)
		if (strcmp(self->bases[i].commit, commit) == 0)
			return;
	(void)g_strlcpy(base->commit, commit, sizeof base->commit);
	base->names = names_of(commit, role);
	self->n_bases++;
}

SatchelBundleThin *
satchel_bundle_bases_resolve(const char *const *words, const char *repo_path,
			     const SatchelTargets *role, GError **error)
{
	g_autoptr(SatchelBundleThin) self = g_new0(SatchelBundleThin, 1);
	g_autoptr(GFile) file = g_file_new_for_path(repo_path);
	g_autoptr(OstreeRepo) repo = ostree_repo_new(file);
	g_autoptr(GError) local_error = NULL;
	guint n_words = g_strv_length((GStrv)(guintptr)words);

	if (n_words > SATCHEL_LIMIT_BUNDLE_BASES) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE, "more than %u --from",
			    SATCHEL_LIMIT_BUNDLE_BASES);
		return NULL;
	}
	if (!ostree_repo_open(repo, NULL, &local_error)) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
			    "%s: not an OSTree repository: %s", repo_path, local_error->message);
		return NULL;
	}
	self->bases = g_new0(SatchelBundleBase, n_words);
	for (; *words != NULL; words++) {
		g_autofree char *commit = resolve(*words, repo, role, error);

		if (commit == NULL)
			return NULL;
		add_base(self, commit, role);
	}
	return g_steal_pointer(&self);
}
