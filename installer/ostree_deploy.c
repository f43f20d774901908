#include "ostree_deploy.h"
#include "boot_room.h"
#include "boot_settle.h"
#include "deploy_list.h"
#include "deploy_order.h"
#include "freeze_guard.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* One deployment: the sysroot's lock is held and /boot is open as long as it lasts. */
typedef struct {
	SatchelSysroot *sysroot;
	OstreeSysroot *ostree;
	gboolean locked;
	int boot_fd;
	const char *commit;	   /* to deploy; NULL: none, an earlier one is finished */
	const char *const *keep;   /* (nullable): other commits whose deployments stay */
	gboolean existing;	   /* its deployment is there already */
	GCancellable *cancellable; /* (nullable): of the checkout */
	GPtrArray *list;	   /* OstreeDeployment: the new list (owned); NULL until prepared */
} DeployRun;

static void
deploy_run_clear(DeployRun *run)
{
	g_clear_pointer(&run->list, g_ptr_array_unref);
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

	/* Of a file system that can only be read, say: it is nothing that the release has done. */
	if (!ostree_sysroot_try_lock(run->ostree, &run->locked, &local_error))
		return satchel_sysroot_take_error(g_steal_pointer(&local_error), SATCHEL_ERROR_BUSY,
						  "the sysroot cannot be locked", error);
	if (run->locked)
		return TRUE;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_BUSY,
		    "another process changes the deployments of %s; try again later",
		    satchel_sysroot_get_path(run->sysroot));
	return FALSE;
}

/* What another program has staged is written at the shutdown, over what we wrote, and cleaned up at
 * once, with no regard to what is in place on the disk. */
static gboolean
refuse_staged(DeployRun *run, GError **error)
{
	OstreeDeployment *staged = ostree_sysroot_get_staged_deployment(run->ostree);

	if (staged == NULL)
		return TRUE;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_BUSY,
		    "another program has staged a deployment of commit %s for the next shutdown; "
		    "reboot, or take it away with 'ostree admin undeploy 0'",
		    ostree_deployment_get_csum(staged));
	return FALSE;
}

static gboolean
open_boot(DeployRun *run, GError **error)
{
	run->boot_fd = openat(ostree_sysroot_get_fd(run->ostree), "boot",
			      O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (run->boot_fd >= 0)
		return TRUE;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED, "boot folder of %s: %s",
		    satchel_sysroot_get_path(run->sysroot), g_strerror(errno));
	return FALSE;
}

static gboolean
begin(DeployRun *run, GError **error)
{
	return lock_sysroot(run, error) && satchel_sysroot_reload(run->sysroot, error) &&
	       open_boot(run, error);
}

/* The deployment that the new one continues: its /etc and its kernel arguments. (transfer full) */
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
deploy_tree(DeployRun *run, OstreeDeployment *merge, GError **error)
{
	g_autoptr(GKeyFile) origin =
		ostree_sysroot_origin_new_from_refspec(run->ostree, run->commit);
	OstreeBootconfigParser *boot = ostree_deployment_get_bootconfig(merge);
	const char *options = ostree_bootconfig_parser_get(boot, "options");
	g_autoptr(OstreeKernelArgs) parsed =
		ostree_kernel_args_from_string(options == NULL ? "" : options);
	g_auto(GStrv) arguments = ostree_kernel_args_to_strv(parsed);
	OstreeDeployment *deployment = NULL;
	g_autoptr(GError) local_error = NULL;

	if (ostree_sysroot_deploy_tree(run->ostree, satchel_sysroot_get_os(run->sysroot),
				       run->commit, origin, merge, arguments, &deployment,
				       run->cancellable, &local_error))
		return deployment;
	deploy_fail(g_steal_pointer(&local_error), run->commit, error);
	return NULL;
}

/* The index of the deployment of run->commit; that of a system that runs goes first. */
static gboolean
find_existing(DeployRun *run, const SatchelDeploySlot *present, guint n_present, guint *index,
	      GError **error)
{
	const char *os = satchel_sysroot_get_os(run->sysroot);

	*index = n_present;
	for (guint i = 0; i < n_present; i++) {
		if (g_str_equal(present[i].os, os) && g_str_equal(present[i].commit, run->commit) &&
		    (*index == n_present || present[i].booted))
			*index = i;
	}
	if (*index < n_present)
		return TRUE;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_ROLLBACK_TARGET_NOT_FOUND,
		    "sysroot %s has no deployment of commit %s",
		    satchel_sysroot_get_path(run->sysroot), run->commit);
	return FALSE;
}

/* (transfer full): SatchelDeploySlot of each of @all, whose strings are borrowed from it. */
static GArray *
describe(DeployRun *run, GPtrArray *all, OstreeDeployment *merge)
{
	GArray *present = g_array_new(FALSE, TRUE, sizeof(SatchelDeploySlot));
	OstreeDeployment *booted = ostree_sysroot_get_booted_deployment(run->ostree);

	for (guint i = 0; i < all->len; i++) {
		OstreeDeployment *one = g_ptr_array_index(all, i);
		SatchelDeploySlot deployed = {
			.os = ostree_deployment_get_osname(one),
			.commit = ostree_deployment_get_csum(one),
			.booted = one == booted,
			.merge = ostree_deployment_equal(one, merge),
			.pinned = ostree_deployment_is_pinned(one),
		};

		g_array_append_val(present, deployed);
	}
	return present;
}

static gboolean
prepare(gpointer data, GError **error)
{
	DeployRun *run = data;
	g_autoptr(GPtrArray) all = ostree_sysroot_get_deployments(run->ostree);
	g_autoptr(OstreeDeployment) merge = get_merge_deployment(run, error);
	g_autoptr(GArray) present = NULL;
	g_autoptr(GArray) kept = NULL;
	g_autoptr(OstreeDeployment) first = NULL;
	guint chosen = all->len;

	if (merge == NULL)
		return FALSE;
	present = describe(run, all, merge);
	if (run->existing) {
		if (!find_existing(run, (SatchelDeploySlot *)(gpointer)present->data, all->len,
				   &chosen, error))
			return FALSE;
		first = g_object_ref(g_ptr_array_index(all, chosen));
	} else {
		first = deploy_tree(run, merge, error);
		if (first == NULL)
			return FALSE;
	}
	kept = satchel_deploy_list_kept((SatchelDeploySlot *)(gpointer)present->data, all->len,
					chosen, satchel_sysroot_get_os(run->sysroot), run->commit,
					run->keep);
	run->list = g_ptr_array_new_with_free_func(g_object_unref);
	g_ptr_array_add(run->list, g_steal_pointer(&first));
	for (guint i = 0; i < kept->len; i++)
		g_ptr_array_add(run->list, g_object_ref(g_ptr_array_index(
						   all, g_array_index(kept, guint, i))));
	return TRUE;
}

/* Without libostree's clean-up, which deletes what the old entry needs as soon as the new one
 * stands in the journal. */
static gboolean
write_deployments(gpointer data, GError **error)
{
	DeployRun *run = data;
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
	if (ostree_sysroot_write_deployments_with_options(run->ostree, run->list, &options, NULL,
							  &local_error))
		return TRUE;
	return deploy_fail(g_steal_pointer(&local_error), "the deployments cannot be written",
			   error);
}

static gboolean
check_room(gpointer data, GError **error)
{
	DeployRun *run = data;

	return satchel_boot_room_check(run->sysroot, run->boot_fd, run->commit, error);
}

static gboolean
pin(gpointer data, GError **error)
{
	DeployRun *run = data;

	return satchel_boot_settle_pin(run->boot_fd, error);
}

/* The /boot of a sysroot that does not run is only synced: to freeze it would stop others, who have
 * to do with its file system and not with this sysroot. */
static gboolean
settle(gpointer data, GError **error)
{
	DeployRun *run = data;

	return satchel_boot_settle(run->boot_fd, satchel_sysroot_is_booted(run->sysroot), error);
}

static gboolean
clean(gpointer data, GError **error)
{
	DeployRun *run = data;
	g_autoptr(GError) local_error = NULL;

	if (!ostree_sysroot_cleanup(run->ostree, NULL, &local_error))
		return deploy_fail(g_steal_pointer(&local_error), "clean-up", error);
	return satchel_sysroot_reload(run->sysroot, error);
}

static const SatchelDeploySteps steps = {.check_room = check_room,
					 .pin = pin,
					 .settle = settle,
					 .prepare = prepare,
					 .write = write_deployments,
					 .clean = clean};

static gboolean
deploy(SatchelSysroot *sysroot, const char *commit, const char *const *keep, gboolean existing,
       GCancellable *cancellable, GError **error)
{
	g_auto(DeployRun) run = {.sysroot = sysroot,
				 .ostree = satchel_sysroot_get_ostree(sysroot),
				 .boot_fd = -1,
				 .commit = commit,
				 .keep = keep,
				 .existing = existing,
				 .cancellable = cancellable};

	return begin(&run, error) && refuse_staged(&run, error) &&
	       satchel_deploy_order_run(&steps, &run, error);
}

gboolean
satchel_ostree_deploy(SatchelSysroot *sysroot, const char *commit, const char *const *keep,
		      GCancellable *cancellable, GError **error)
{
	return deploy(sysroot, commit, keep, FALSE, cancellable, error);
}

gboolean
satchel_ostree_deploy_existing(SatchelSysroot *sysroot, const char *commit, const char *const *keep,
			       GError **error)
{
	return deploy(sysroot, commit, keep, TRUE, NULL, error);
}

gboolean
satchel_ostree_deploy_finish(SatchelSysroot *sysroot, GError **error)
{
	g_auto(DeployRun) run = {
		.sysroot = sysroot, .ostree = satchel_sysroot_get_ostree(sysroot), .boot_fd = -1};

	return begin(&run, error) && satchel_deploy_order_finish(&steps, &run, error);
}
