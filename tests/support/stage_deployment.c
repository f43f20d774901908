#include <ostree.h>

/* Stages a deployment as another updater on the device would: stage_deployment OS COMMIT. The
 * `ostree` program refuses to where it may not look at the first process. */
int
main(int argc, char **argv)
{
	g_autoptr(OstreeSysroot) sysroot = ostree_sysroot_new_default();
	g_autoptr(OstreeDeployment) merge = NULL;
	g_autoptr(OstreeDeployment) staged = NULL;
	g_autoptr(GKeyFile) origin = NULL;
	g_autoptr(GError) error = NULL;

	if (argc != 3)
		return 2;
	ostree_sysroot_set_mount_namespace_in_use(sysroot);
	if (!ostree_sysroot_load(sysroot, NULL, &error)) {
		g_printerr("%s\n", error->message);
		return 1;
	}
	merge = ostree_sysroot_get_merge_deployment(sysroot, argv[1]);
	origin = ostree_sysroot_origin_new_from_refspec(sysroot, argv[2]);
	if (ostree_sysroot_stage_tree(sysroot, argv[1], argv[2], origin, merge, NULL, &staged, NULL,
				      &error))
		return 0;
	g_printerr("%s\n", error->message);
	return 1;
}
