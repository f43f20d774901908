#include "sysroot.h"
#include "../verify/path_safety.h"
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>

struct SatchelSysroot {
	char *path;
	char *os;
	SatchelSysrootKind kind;
	OstreeSysroot *ostree;
	OstreeRepo *repo;
	guint64 reserved_percent;
	GStrv commits; /* of the deployments; NULL until somebody asks */
};

gboolean
satchel_sysroot_take_error(GError *from, SatchelError code, const char *what, GError **error)
{
	g_autoptr(GError) taken = from;

	/* libostree has no code of its own for its reserve. */
	if (g_error_matches(taken, G_IO_ERROR, G_IO_ERROR_NO_SPACE) ||
	    strstr(taken->message, "min-free-space-") != NULL)
		code = SATCHEL_ERROR_NO_SPACE;
	if (g_error_matches(taken, G_IO_ERROR, G_IO_ERROR_CANCELLED))
		code = SATCHEL_ERROR_CANCELLED;
	if (taken->domain == SATCHEL_ERROR)
		code = (SatchelError)taken->code;
	g_set_error(error, SATCHEL_ERROR, code, "%s: %s", what, taken->message);
	return FALSE;
}

/* libostree remounts /boot and /sysroot; nobody else should see that. */
static gboolean
enter_own_mounts(GError **error)
{
	if (unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0)
		return TRUE;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
		    "no mount namespace of its own: %s; run this as root", g_strerror(errno));
	return FALSE;
}

/* After a power cut behind the swap the old system may boot once more, while the replayed journal
 * lists the new one only. Nothing is broken; libostree sounds as if. */
static const char *
get_advice(const GError *error)
{
	return strstr(error->message, "bootloader entry not found") != NULL
		       ? "; after a power cut this is so until the next boot: reboot once, then "
			 "try "
			 "again"
		       : "";
}

static gboolean
open_ostree(SatchelSysroot *self, gboolean writable, GError **error)
{
	g_autoptr(GFile) file = g_file_new_for_path(self->path);
	g_autoptr(GError) local_error = NULL;

	if (writable && self->kind == SATCHEL_SYSROOT_BOOTED && !enter_own_mounts(error))
		return FALSE;
	self->ostree = ostree_sysroot_new(file);
	if (writable && self->kind == SATCHEL_SYSROOT_BOOTED)
		ostree_sysroot_set_mount_namespace_in_use(self->ostree);
	if (!ostree_sysroot_load(self->ostree, NULL, &local_error) ||
	    !ostree_sysroot_get_repo(self->ostree, &self->repo, NULL, &local_error)) {
		g_autofree char *quoted = satchel_path_quote(self->path);
		g_autofree char *what = g_strdup_printf("sysroot %s", quoted);
		const char *advice = get_advice(local_error);

		satchel_sysroot_take_error(g_steal_pointer(&local_error), SATCHEL_ERROR_FAILED,
					   what, &local_error);
		g_set_error(error, SATCHEL_ERROR, local_error->code, "%s%s", local_error->message,
			    advice);
		return FALSE;
	}
	return TRUE;
}

SatchelSysroot *
satchel_sysroot_open(const char *path, const char *os, SatchelSysrootKind kind, gboolean writable,
		     GError **error)
{
	g_autoptr(SatchelSysroot) self = g_new0(SatchelSysroot, 1);

	self->path = g_strdup(path);
	self->os = g_strdup(os);
	self->kind = kind;
	if (!open_ostree(self, writable, error))
		return NULL;
	if (kind == SATCHEL_SYSROOT_BOOTED &&
	    ostree_sysroot_get_booted_deployment(self->ostree) == NULL) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
			    "sysroot %s: this system was not booted from it; set pacman.booted to "
			    "\"staged\" for a sysroot that is not running",
			    path);
		return NULL;
	}
	return g_steal_pointer(&self);
}

gboolean
satchel_sysroot_reload(SatchelSysroot *self, GError **error)
{
	g_autoptr(GError) local_error = NULL;

	if (ostree_sysroot_load_if_changed(self->ostree, NULL, NULL, &local_error))
		return TRUE;
	return satchel_sysroot_take_error(g_steal_pointer(&local_error), SATCHEL_ERROR_FAILED,
					  self->path, error);
}

const char *
satchel_sysroot_get_path(const SatchelSysroot *self)
{
	return self->path;
}

const char *
satchel_sysroot_get_os(const SatchelSysroot *self)
{
	return self->os;
}

gboolean
satchel_sysroot_is_booted(const SatchelSysroot *self)
{
	return self->kind == SATCHEL_SYSROOT_BOOTED;
}

OstreeSysroot *
satchel_sysroot_get_ostree(const SatchelSysroot *self)
{
	return self->ostree;
}

OstreeRepo *
satchel_sysroot_get_repo(const SatchelSysroot *self)
{
	return self->repo;
}

/* The first deployment of our system that has @commit (NULL: any). (transfer full) */
static OstreeDeployment *
find_deployment(const SatchelSysroot *self, const char *commit)
{
	g_autoptr(GPtrArray) all = ostree_sysroot_get_deployments(self->ostree);

	for (guint i = 0; i < all->len; i++) {
		OstreeDeployment *deployment = g_ptr_array_index(all, i);

		/* What somebody has staged is written at the shutdown, or never. */
		if (!g_str_equal(ostree_deployment_get_osname(deployment), self->os) ||
		    ostree_deployment_is_staged(deployment))
			continue;
		if (commit == NULL || g_str_equal(ostree_deployment_get_csum(deployment), commit))
			return g_object_ref(deployment);
	}
	return NULL;
}

const char *
satchel_sysroot_get_default_commit(const SatchelSysroot *self)
{
	g_autoptr(OstreeDeployment) first = find_deployment(self, NULL);

	return first == NULL ? NULL : ostree_deployment_get_csum(first);
}

void
satchel_sysroot_set_reserved_percent(SatchelSysroot *self, guint64 percent)
{
	self->reserved_percent = percent;
}

guint64
satchel_sysroot_get_reserved_percent(const SatchelSysroot *self)
{
	return self->reserved_percent;
}

const char *
satchel_sysroot_get_booted_commit(const SatchelSysroot *self)
{
	if (self->kind == SATCHEL_SYSROOT_STAGED)
		return satchel_sysroot_get_default_commit(self);
	return ostree_deployment_get_csum(ostree_sysroot_get_booted_deployment(self->ostree));
}

const char *
satchel_sysroot_get_fallback_commit(const SatchelSysroot *self)
{
	g_autoptr(GPtrArray) all = ostree_sysroot_get_deployments(self->ostree);
	const char *booted = satchel_sysroot_get_booted_commit(self);
	const char *next = satchel_sysroot_get_default_commit(self);

	for (guint i = 0; i < all->len; i++) {
		const char *commit = ostree_deployment_get_csum(all->pdata[i]);

		if (g_str_equal(ostree_deployment_get_osname(all->pdata[i]), self->os) &&
		    g_strcmp0(commit, booted) != 0 && g_strcmp0(commit, next) != 0)
			return commit;
	}
	return NULL;
}

gboolean
satchel_sysroot_has_commit(const SatchelSysroot *self, const char *commit)
{
	gboolean has = FALSE;

	return ostree_repo_has_object(self->repo, OSTREE_OBJECT_TYPE_COMMIT, commit, &has, NULL,
				      NULL) &&
	       has;
}

gboolean
satchel_sysroot_has_deployment(const SatchelSysroot *self, const char *commit)
{
	g_autoptr(OstreeDeployment) deployment = find_deployment(self, commit);

	return deployment != NULL;
}

gint64
satchel_sysroot_get_commit_time_s(const SatchelSysroot *self, const char *commit)
{
	g_autoptr(GVariant) variant = NULL;

	if (!ostree_repo_load_variant_if_exists(self->repo, OSTREE_OBJECT_TYPE_COMMIT, commit,
						&variant, NULL) ||
	    variant == NULL)
		return 0;
	/* Unsigned on disk; what does not fit is no time. */
	return ostree_commit_get_timestamp(variant) > (guint64)G_MAXINT64
		       ? 0
		       : (gint64)ostree_commit_get_timestamp(variant);
}

const char *const *
satchel_sysroot_get_commits(SatchelSysroot *self)
{
	g_autoptr(GPtrArray) all = ostree_sysroot_get_deployments(self->ostree);
	g_autoptr(GStrvBuilder) commits = g_strv_builder_new();

	for (guint i = 0; i < all->len; i++)
		g_strv_builder_add(commits, ostree_deployment_get_csum(all->pdata[i]));
	g_strfreev(self->commits);
	self->commits = g_strv_builder_end(commits);
	return (const char *const *)self->commits;
}

void
satchel_sysroot_free(SatchelSysroot *self)
{
	g_clear_object(&self->repo);
	g_clear_object(&self->ostree);
	g_free(self->path);
	g_free(self->os);
	g_strfreev(self->commits);
	g_free(self);
}
