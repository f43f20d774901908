#include "boot_room.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define MODULES "usr/lib/modules"
#define ATTRIBUTES "standard::name,standard::type,standard::size"
/* Device trees lie a folder or two deep, one for each maker of processors. */
#define MAX_DEPTH 4u

/* What libostree copies to /boot of one commit. */
typedef struct {
	GString *names;	    /* path and checksum of each file, in the order of their names */
	guint64 block_size; /* of /boot, bytes */
	guint64 n_blocks;   /* that they fill there */
} BootFiles;

static void
boot_files_clear(BootFiles *files)
{
	if (files->names != NULL)
		g_string_free(files->names, TRUE);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(BootFiles, boot_files_clear)

static gint
compare_names(gconstpointer a, gconstpointer b)
{
	GFileInfo *const *first = a;
	GFileInfo *const *second = b;

	return strcmp(g_file_info_get_name(*first), g_file_info_get_name(*second));
}

/* The entries of a folder by name; none where it is not there. (transfer full) */
static GPtrArray *
list_folder(GFile *folder, GError **error)
{
	g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func(g_object_unref);
	g_autoptr(GError) local_error = NULL;
	g_autoptr(GFileEnumerator) listing = g_file_enumerate_children(
		folder, ATTRIBUTES, G_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS, NULL, &local_error);
	GFileInfo *info = NULL;

	if (g_error_matches(local_error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND) ||
	    g_error_matches(local_error, G_IO_ERROR, G_IO_ERROR_NOT_DIRECTORY))
		return g_steal_pointer(&entries);
	while (listing != NULL &&
	       (info = g_file_enumerator_next_file(listing, NULL, &local_error)) != NULL)
		g_ptr_array_add(entries, info);
	if (local_error != NULL) {
		satchel_sysroot_take_error(g_steal_pointer(&local_error), SATCHEL_ERROR_FAILED,
					   "kernels of the update", error);
		return NULL;
	}
	g_ptr_array_sort(entries, compare_names);
	return g_steal_pointer(&entries);
}

static void
add_file(BootFiles *files, GFile *file, GFileInfo *info)
{
	g_autofree char *path = g_file_get_path(file);
	guint64 size = (guint64)MAX(g_file_info_get_size(info), 0);

	g_string_append_printf(files->names, "%s %s\n", path,
			       ostree_repo_file_get_checksum(OSTREE_REPO_FILE(file)));
	files->n_blocks += size / files->block_size + (size % files->block_size != 0);
}

static gboolean
is_boot_file(const char *name)
{
	static const char *const prefixes[] = {"vmlinuz", "initramfs", "devicetree", ".vmlinuz"};

	for (guint i = 0; i < G_N_ELEMENTS(prefixes); i++) {
		if (g_str_has_prefix(name, prefixes[i]))
			return TRUE;
	}
	return FALSE;
}

/* @all: every file in it, and folders, too; else only kernels, and the device trees beside them. */
static gboolean
add_folder(BootFiles *files, GFile *folder, gboolean all, guint depth, GError **error)
{
	g_autoptr(GPtrArray) entries = list_folder(folder, error);

	if (entries == NULL)
		return FALSE;
	for (guint i = 0; i < entries->len && depth <= MAX_DEPTH; i++) {
		GFileInfo *info = g_ptr_array_index(entries, i);
		const char *name = g_file_info_get_name(info);
		GFileType type = g_file_info_get_file_type(info);
		g_autoptr(GFile) child = g_file_get_child(folder, name);

		if (type == G_FILE_TYPE_REGULAR && (all || is_boot_file(name)))
			add_file(files, child, info);
		if (type == G_FILE_TYPE_DIRECTORY && (all || g_str_equal(name, "dtb")) &&
		    !add_folder(files, child, TRUE, depth + 1, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean
add_modules(BootFiles *files, GFile *root, GError **error)
{
	g_autoptr(GFile) modules = g_file_resolve_relative_path(root, MODULES);
	g_autoptr(GPtrArray) entries = list_folder(modules, error);

	if (entries == NULL)
		return FALSE;
	for (guint i = 0; i < entries->len; i++) {
		const char *name = g_file_info_get_name(g_ptr_array_index(entries, i));
		g_autoptr(GFile) kernel = g_file_get_child(modules, name);

		if (!add_folder(files, kernel, FALSE, 0, error))
			return FALSE;
	}
	return TRUE;
}

/* Where a system has its kernel: the first of these places that has one. */
static gboolean
collect(BootFiles *files, OstreeRepo *repo, const char *commit, GError **error)
{
	static const char *const older[] = {"usr/lib/ostree-boot", "boot"};
	g_autoptr(GFile) root = NULL;
	g_autoptr(GError) local_error = NULL;

	files->names = g_string_new(NULL);
	if (!ostree_repo_read_commit(repo, commit, &root, NULL, NULL, &local_error))
		return satchel_sysroot_take_error(g_steal_pointer(&local_error),
						  SATCHEL_ERROR_FAILED, commit, error);
	if (!add_modules(files, root, error))
		return FALSE;
	for (guint i = 0; i < G_N_ELEMENTS(older) && files->names->len == 0; i++) {
		g_autoptr(GFile) folder = g_file_resolve_relative_path(root, older[i]);

		if (!add_folder(files, folder, FALSE, 0, error))
			return FALSE;
	}
	return TRUE;
}

/* Does a deployment of our system have just these files in /boot? One whose commit cannot be read
 * shares nothing. */
static gboolean
is_shared(SatchelSysroot *sysroot, const BootFiles *files)
{
	g_autoptr(GPtrArray) all =
		ostree_sysroot_get_deployments(satchel_sysroot_get_ostree(sysroot));

	for (guint i = 0; i < all->len; i++) {
		OstreeDeployment *one = g_ptr_array_index(all, i);
		g_auto(BootFiles) its = {.block_size = files->block_size};

		if (!g_str_equal(ostree_deployment_get_osname(one),
				 satchel_sysroot_get_os(sysroot)))
			continue;
		if (collect(&its, satchel_sysroot_get_repo(sysroot),
			    ostree_deployment_get_csum(one), NULL) &&
		    g_string_equal(files->names, its.names))
			return TRUE;
	}
	return FALSE;
}

static gboolean
on_one_file_system(int fd, int other)
{
	struct stat a;
	struct stat b;

	return fstat(fd, &a) == 0 && fstat(other, &b) == 0 && a.st_dev == b.st_dev;
}

/* Root may use what is reserved for root; but ext4 keeps a fiftieth from root, too. */
static guint64
count_usable(const struct statvfs *fs)
{
	guint64 kept = MIN((guint64)fs->f_blocks / 50, 4096);

	if (geteuid() != 0 || fs->f_bfree == fs->f_bavail || fs->f_bfree <= kept)
		return fs->f_bavail;
	return MAX((guint64)fs->f_bavail, (guint64)fs->f_bfree - kept);
}

gboolean
satchel_boot_room_check(SatchelSysroot *sysroot, int boot_fd, const char *commit, GError **error)
{
	OstreeSysroot *ostree = satchel_sysroot_get_ostree(sysroot);
	g_autoptr(GPtrArray) all = ostree_sysroot_get_deployments(ostree);
	g_auto(BootFiles) files = {NULL};
	struct statvfs fs;
	guint64 needed = 0;
	guint64 usable = 0;

	if (fstatvfs(boot_fd, &fs) != 0 || fs.f_frsize == 0) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED, "/boot: free space: %s",
			    g_strerror(errno));
		return FALSE;
	}
	files.block_size = fs.f_frsize;
	if (!collect(&files, satchel_sysroot_get_repo(sysroot), commit, error))
		return FALSE;
	/* On one file system they become hard links. */
	if (!on_one_file_system(boot_fd, ostree_sysroot_get_fd(ostree)) &&
	    !is_shared(sysroot, &files))
		needed = files.n_blocks;
	/* A block each: the entry of every deployment and the new one's, the boot loader's own
	 * file, and the folders and links that hold them: loader.N, entries, OS-CHECKSUM,
	 * loader.tmp. */
	needed += all->len + 1 + 5;
	usable = count_usable(&fs);
	if (needed <= usable)
		return TRUE;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_NO_SPACE,
		    "/boot: %" G_GUINT64_FORMAT " bytes are lacking: kernel and entries of the "
		    "update need %" G_GUINT64_FORMAT ", %" G_GUINT64_FORMAT " are free",
		    (needed - usable) * fs.f_frsize, needed * fs.f_frsize, usable * fs.f_frsize);
	return FALSE;
}
