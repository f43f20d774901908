#include "ostree_deploy.h"
#include "boot_settle.h"
#include "freeze_guard.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* One deployment: the sysroot's lock is held and /boot is open as long as it lasts. */
typedef struct {
	SatchelSysroot *sysroot;
	OstreeSysroot *ostree;
	gboolean locked;
	int boot_fd;
	gboolean freeze;
} DeployRun;

static void
deploy_run_clear(DeployRun *run)
{
	if (run->boot_fd >= 0)
		close(run->boot_fd);
	if (run->locked)
		ostree_sysroot_unlock(run->ostree);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DeployRun, deploy_run_clear)

static gboolean
deploy_fail(GError *from, const char *what, GError **error)
{
	return satchel_sysroot_take_error(from, SATCHEL_ERROR_FAILED, what, error);
}

static gboolean
lock_sysroot(DeployRun *run, GError **error)
{
	g_autoptr(GError) local_error = NULL;

	if (!ostree_sysroot_try_lock(run->ostree, &run->locked, &local_error))
		return deploy_fail(g_steal_pointer(&local_error), "the sysroot cannot be locked",
				   error);
	if (run->locked)
		return TRUE;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_BUSY,
		    "another process changes the deployments of %s; try again later",
		    satchel_sysroot_get_path(run->sysroot));
	return FALSE;
}

/* A /boot on the same file system as the sysroot is only synced, and so is that of a sysroot which
 * does not run: to freeze it would stop others who write there. */
static gboolean
open_boot(DeployRun *run, GError **error)
{
	int sysroot_fd = ostree_sysroot_get_fd(run->ostree);
	struct stat boot;
	struct stat sysroot;

	run->boot_fd = openat(sysroot_fd, "boot", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (run->boot_fd < 0 || fstat(run->boot_fd, &boot) != 0 ||
	    fstat(sysroot_fd, &sysroot) != 0) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED, "boot folder of %s: %s",
			    satchel_sysroot_get_path(run->sysroot), g_strerror(errno));
		return FALSE;
	}
	run->freeze = satchel_sysroot_is_booted(run->sysroot) && boot.st_dev != sysroot.st_dev;
	return TRUE;
}

/* The deployment that @run continues: its /etc and its kernel arguments. (transfer full) */
static OstreeDeployment *
get_merge_deployment(DeployRun *run, GError **error)
{
	const char *os = satchel_sysroot_get_os(run->sysroot);
	OstreeDeployment *merge = ostree_sysroot_get_merge_deployment(run->ostree, os);

	if (merge == NULL)
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
			    "sysroot %s has no deployment of '%s' whose kernel arguments could be "
			    "kept; deploy the first one with ostree",
			    satchel_sysroot_get_path(run->sysroot), os);
	return merge;
}

/* (transfer full) */
static OstreeDeployment *
deploy_tree(DeployRun *run, const char *commit, OstreeDeployment *merge, GError **error)
{
	g_autoptr(GKeyFile) origin = ostree_sysroot_origin_new_from_refspec(run->ostree, commit);
	OstreeBootconfigParser *boot = ostree_deployment_get_bootconfig(merge);
	const char *options = ostree_bootconfig_parser_get(boot, "options");
	g_autoptr(OstreeKernelArgs) parsed =
		ostree_kernel_args_from_string(options == NULL ? "" : options);
	g_auto(GStrv) arguments = ostree_kernel_args_to_strv(parsed);
	OstreeDeployment *deployment = NULL;
	g_autoptr(GError) local_error = NULL;

	if (ostree_sysroot_deploy_tree(run->ostree, satchel_sysroot_get_os(run->sysroot), commit,
				       origin, merge, arguments, &deployment, NULL, &local_error))
		return deployment;
	deploy_fail(g_steal_pointer(&local_error), commit, error);
	return NULL;
}

static gboolean
is_kept(DeployRun *run, OstreeDeployment *deployment, OstreeDeployment *merge, const char *commit,
	const char *const *keep)
{
	const char *checksum = ostree_deployment_get_csum(deployment);

	if (!g_str_equal(ostree_deployment_get_osname(deployment),
			 satchel_sysroot_get_os(run->sysroot)))
		return TRUE;
	if (ostree_deployment_equal(deployment, merge) || ostree_deployment_is_pinned(deployment) ||
	    deployment == ostree_sysroot_get_booted_deployment(run->ostree))
		return TRUE;
	/* An older deployment of the same commit is replaced by the new one. */
	return !g_str_equal(checksum, commit) && keep != NULL && g_strv_contains(keep, checksum);
}

/* The new list: @deployment first, then what stays, in its order. The present default stays in any
 * case: a power cut may boot it once more. (transfer full) */
static GPtrArray *
list_deployments(DeployRun *run, OstreeDeployment *deployment, OstreeDeployment *merge,
		 const char *const *keep)
{
	g_autoptr(GPtrArray) before = ostree_sysroot_get_deployments(run->ostree);
	GPtrArray *after = g_ptr_array_new_with_free_func(g_object_unref);

	g_ptr_array_add(after, g_object_ref(deployment));
	for (guint i = 0; i < before->len; i++) {
		OstreeDeployment *old = g_ptr_array_index(before, i);

		if (i == 0 ||
		    is_kept(run, old, merge, ostree_deployment_get_csum(deployment), keep))
			g_ptr_array_add(after, g_object_ref(old));
	}
	return after;
}

/* Without libostree's clean-up, which deletes what the old entry needs as soon as the new one
 * stands in the journal. */
static gboolean
write_deployments(DeployRun *run, GPtrArray *deployments, GError **error)
{
	OstreeSysrootWriteDeploymentsOpts options = {.do_postclean = FALSE};
	g_auto(SatchelFreezeGuard) guard = {FALSE};
	g_autoptr(GError) local_error = NULL;

	if (syncfs(ostree_sysroot_get_fd(run->ostree)) != 0) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED, "sysroot %s: %s",
			    satchel_sysroot_get_path(run->sysroot), g_strerror(errno));
		return FALSE;
	}
	if (!satchel_sysroot_is_booted(run->sysroot))
		satchel_freeze_guard_begin(&guard);
	if (ostree_sysroot_write_deployments_with_options(run->ostree, deployments, &options, NULL,
							  &local_error))
		return TRUE;
	return deploy_fail(g_steal_pointer(&local_error), "the deployments cannot be written",
			   error);
}

static gboolean
settle_and_clean(DeployRun *run, GError **error)
{
	g_autoptr(GError) local_error = NULL;

	if (!satchel_boot_settle(run->boot_fd, run->freeze, error))
		return FALSE;
	if (!ostree_sysroot_cleanup(run->ostree, NULL, &local_error))
		return deploy_fail(g_steal_pointer(&local_error), "clean-up", error);
	return satchel_sysroot_reload(run->sysroot, error);
}

gboolean
satchel_ostree_deploy(SatchelSysroot *sysroot, const char *commit, const char *const *keep,
		      GError **error)
{
	g_auto(DeployRun) run = {
		.sysroot = sysroot, .ostree = satchel_sysroot_get_ostree(sysroot), .boot_fd = -1};
	g_autoptr(OstreeDeployment) merge = NULL;
	g_autoptr(OstreeDeployment) deployment = NULL;
	g_autoptr(GPtrArray) list = NULL;

	if (!lock_sysroot(&run, error) || !satchel_sysroot_reload(sysroot, error) ||
	    !open_boot(&run, error))
		return FALSE;
	merge = get_merge_deployment(&run, error);
	if (merge == NULL)
		return FALSE;
	/* What is there now must be in place before anything is deleted, the pin included. */
	if (!satchel_boot_settle_pin(run.boot_fd, error) ||
	    !satchel_boot_settle(run.boot_fd, run.freeze, error))
		return FALSE;
	deployment = deploy_tree(&run, commit, merge, error);
	if (deployment == NULL)
		return FALSE;
	list = list_deployments(&run, deployment, merge, keep);
	return write_deployments(&run, list, error) && settle_and_clean(&run, error);
}

gboolean
satchel_ostree_deploy_finish(SatchelSysroot *sysroot, GError **error)
{
	g_auto(DeployRun) run = {
		.sysroot = sysroot, .ostree = satchel_sysroot_get_ostree(sysroot), .boot_fd = -1};

	return lock_sysroot(&run, error) && open_boot(&run, error) && settle_and_clean(&run, error);
}
