#include "file_tree.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static void
close_quietly(int fd)
{
	int problem = errno;

	if (fd >= 0)
		close(fd);
	errno = problem;
}

/* Into the folder @path, from @dir_fd on. */
static int
walk(int dir_fd, const char *path, gboolean make)
{
	g_auto(GStrv) names = g_strsplit(path, "/", -1);
	int fd = openat(dir_fd, ".", FOLDER_FLAGS);

	for (char **name = names; fd >= 0 && *name != NULL; name++) {
		int next = -1;

		if (!make || mkdirat(fd, *name, 0755) == 0 || errno == EEXIST)
			next = openat(fd, *name, FOLDER_FLAGS);
		close_quietly(fd);
		fd = next;
	}
	return fd;
}

/* The folder above @path; @name: its last component, borrowed. */
static int
walk_above(int dir_fd, const char *path, gboolean make, const char **name)
{
	const char *slash = strrchr(path, '/');
	g_autofree char *above = NULL;

	*name = slash == NULL ? path : slash + 1;
	if (slash == NULL)
		return openat(dir_fd, ".", FOLDER_FLAGS);
	above = g_strndup(path, (gsize)(slash - path));
	return walk(dir_fd, above, make);
}

int
satchel_file_tree_open_folder(int dir_fd, const char *path)
{
	return walk(dir_fd, path, TRUE);
}

int
satchel_file_tree_create(int dir_fd, const char *path, mode_t mode)
{
	const char *name = NULL;
	int above = walk_above(dir_fd, path, TRUE, &name);
	int fd = -1;

	if (above < 0)
		return -1;
	fd = openat(above, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0 && fchmod(fd, mode) != 0) {
		close_quietly(fd);
		fd = -1;
	}
	close_quietly(above);
	return fd;
}

gboolean
satchel_file_tree_make_folder(int dir_fd, const char *path, mode_t mode)
{
	int fd = walk(dir_fd, path, TRUE);
	gboolean good = fd >= 0 && fchmod(fd, mode) == 0;

	close_quietly(fd);
	return good;
}

gboolean
satchel_file_tree_link(int dir_fd, const char *path, const char *target)
{
	const char *name = NULL;
	int above = walk_above(dir_fd, path, TRUE, &name);
	gboolean good = above >= 0 && symlinkat(target, above, name) == 0;

	close_quietly(above);
	return good;
}

gboolean
satchel_file_tree_move(int from_fd, int to_fd, const char *path)
{
	const char *name = NULL;
	int from = walk_above(from_fd, path, FALSE, &name);
	int to = from >= 0 ? walk_above(to_fd, path, TRUE, &name) : -1;
	gboolean good = to >= 0 && renameat(from, name, to, name) == 0;

	close_quietly(to);
	close_quietly(from);
	return good;
}

gboolean
satchel_file_tree_copy_folder(int from_fd, int to_fd, const char *path)
{
	int from = walk(from_fd, path, FALSE);
	struct stat info;
	gboolean good = from >= 0 && fstat(from, &info) == 0 &&
			satchel_file_tree_make_folder(to_fd, path, info.st_mode & 07777);

	close_quietly(from);
	return good;
}

void
satchel_file_tree_unlink(int dir_fd, const char *path)
{
	const char *name = NULL;
	int above = walk_above(dir_fd, path, FALSE, &name);

	if (above < 0)
		return;
	if (unlinkat(above, name, 0) != 0)
		(void)unlinkat(above, name, AT_REMOVEDIR);
	close(above);
}

GStrv
satchel_file_tree_list(int dir_fd)
{
	g_autoptr(GStrvBuilder) names = g_strv_builder_new();
	int fd = openat(dir_fd, ".", FOLDER_FLAGS);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry = NULL;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (!g_str_equal(entry->d_name, ".") && !g_str_equal(entry->d_name, ".."))
			g_strv_builder_add(names, entry->d_name);
	}
	if (dir != NULL)
		closedir(dir);
	else
		close_quietly(fd);
	return g_strv_builder_end(names);
}

void
satchel_file_tree_remove(int dir_fd, const char *name)
{
	int fd = openat(dir_fd, name, FOLDER_FLAGS);
	g_auto(GStrv) names = NULL;

	if (fd < 0) {
		(void)unlinkat(dir_fd, name, 0);
		return;
	}
	names = satchel_file_tree_list(fd);
	for (char **below = names; *below != NULL; below++)
		satchel_file_tree_remove(fd, *below);
	close(fd);
	(void)unlinkat(dir_fd, name, AT_REMOVEDIR);
}
