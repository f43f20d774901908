#include "safe_read.h"
#include "path_safety.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Read at a time where the size is not known before. */
#define PIECE_BYTES (64u * 1024u)

typedef int FileFd;

static void
file_fd_clear(FileFd *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FileFd, file_fd_clear)

static void
set_error(GError **error, const char *path, const char *what)
{
	g_autofree char *quoted = satchel_path_quote(path);

	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED, "%s: %s", quoted, what);
}

static void
set_errno(GError **error, const char *path, int errsv)
{
	g_autofree char *quoted = satchel_path_quote(path);

	g_set_error(error, SATCHEL_ERROR,
		    errsv == ENOENT ? SATCHEL_ERROR_METADATA_NOT_FOUND
				    : SATCHEL_ERROR_DOWNLOAD_FAILED,
		    "%s: %s", quoted, g_strerror(errsv));
}

static void
set_too_long(GError **error, const char *path, gsize max_bytes)
{
	g_autofree char *what = g_strdup_printf(
		"is longer than the %" G_GSIZE_FORMAT " bytes it may have", max_bytes);

	set_error(error, path, what);
}

static gboolean
check_components(char **components, const char *path, GError **error)
{
	for (char **name = components; *name != NULL; name++) {
		if (**name == '\0' || strcmp(*name, ".") == 0 || strcmp(*name, "..") == 0) {
			set_error(error, path, "is not a safe path");
			return FALSE;
		}
	}
	if (*components == NULL)
		set_error(error, path, "is an empty path");
	return *components != NULL;
}

static const char *
describe_kind(mode_t mode)
{
	if (S_ISLNK(mode))
		return "is a symbolic link, which is not followed";
	if (S_ISDIR(mode))
		return "is a folder, not a file";
	return "is a special file, not a regular one";
}

static gboolean
check_regular(const struct stat *info, const char *path, GError **error)
{
	if (S_ISREG(info->st_mode))
		return TRUE;
	set_error(error, path, describe_kind(info->st_mode));
	return FALSE;
}

/* The last component. Its kind is looked at before it is opened, because opening a device can do
 * something, and again afterwards, because it may have been exchanged. */
int
satchel_safe_open_in(int dir_fd, const char *name, const char *path, guint64 *size_bytes,
		     GError **error)
{
	g_auto(FileFd) fd = -1;
	struct stat info;

	if (fstatat(dir_fd, name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
		set_errno(error, path, errno);
		return -1;
	}
	if (!check_regular(&info, path, error))
		return -1;
	fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &info) != 0) {
		set_errno(error, path, errno);
		return -1;
	}
	if (!check_regular(&info, path, error))
		return -1;
	*size_bytes = (guint64)info.st_size;
	return g_steal_fd(&fd);
}

/* Reads to the end, and one byte more than allowed, so that a longer file is noticed even where its
 * size was not known or has changed since. */
static GBytes *
read_all(int fd, gsize size_bytes, gsize max_bytes, const char *path, GError **error)
{
	g_autoptr(GByteArray) content = NULL;
	gsize limit = MIN(max_bytes, (gsize)G_MAXINT);
	gsize expected = MIN(size_bytes, limit) + 1;

	content = g_byte_array_sized_new((guint)expected);
	for (;;) {
		gsize have = content->len;
		gsize want = have < expected ? expected - have : PIECE_BYTES;
		ssize_t got = 0;

		want = MIN(want, limit + 1 - have);
		g_byte_array_set_size(content, (guint)(have + want));
		got = TEMP_FAILURE_RETRY(read(fd, content->data + have, want));
		if (got < 0) {
			set_errno(error, path, errno);
			return NULL;
		}
		g_byte_array_set_size(content, (guint)(have + (gsize)got));
		if (got == 0)
			return g_byte_array_free_to_bytes(g_steal_pointer(&content));
		if (content->len > limit) {
			set_too_long(error, path, max_bytes);
			return NULL;
		}
	}
}

/* Why the folder @component of @path did not open. "Not a directory" does not tell of which one,
 * and means a symbolic link, too. */
static void
set_component_errno(GError **error, int parent, const char *component, const char *path, int errsv)
{
	g_autofree char *quoted = NULL;
	g_autofree char *what = NULL;
	struct stat info;

	if ((errsv != ENOTDIR && errsv != ELOOP) ||
	    fstatat(parent, component, &info, AT_SYMLINK_NOFOLLOW) != 0) {
		set_errno(error, path, errsv);
		return;
	}
	quoted = satchel_path_quote(component);
	what = g_strdup_printf("%s %s", quoted,
			       S_ISLNK(info.st_mode) ? describe_kind(info.st_mode)
						     : "is a file, not a folder");
	set_error(error, path, what);
}

/* In one call, where the kernel has it (5.6) and is allowed to; -1 tells nothing but that it was
 * not done. A bundle's object lies three folders deep, and there are many thousands of them. */
static int
open_parent_at_once(int dir_fd, const char *path, const char *name)
{
	const struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};
	g_autofree char *parent = NULL;

	if (name == path)
		return -1;
	parent = g_strndup(path, (gsize)(name - path) - 1);
	return (int)syscall(SYS_openat2, dir_fd, parent, &how, sizeof how);
}

static int
open_parent_by_steps(int dir_fd, const char *path, GError **error)
{
	g_auto(GStrv) components = g_strsplit(path, "/", -1);
	guint n_components = g_strv_length(components);
	g_auto(FileFd) folder = openat(dir_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (folder < 0) {
		set_errno(error, path, errno);
		return -1;
	}
	for (guint i = 0; i + 1 < n_components; i++) {
		int next = openat(folder, components[i],
				  O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (next < 0) {
			set_component_errno(error, folder, components[i], path, errno);
			return -1;
		}
		file_fd_clear(&folder);
		folder = next;
	}
	return g_steal_fd(&folder);
}

int
satchel_safe_open_parent(int dir_fd, const char *path, const char **name, GError **error)
{
	int folder;

	*name = strrchr(path, '/') == NULL ? path : strrchr(path, '/') + 1;
	folder = open_parent_at_once(dir_fd, path, *name);
	/* Which component is wrong, and how, only the steps tell. */
	return folder >= 0 ? folder : open_parent_by_steps(dir_fd, path, error);
}

int
satchel_safe_open(int dir_fd, const char *path, guint64 *size_bytes, GError **error)
{
	g_auto(GStrv) components = NULL;
	g_auto(FileFd) folder = -1;
	const char *name = NULL;

	g_return_val_if_fail(path != NULL && size_bytes != NULL, -1);

	components = g_strsplit(path, "/", -1);
	if (!check_components(components, path, error))
		return -1;
	folder = satchel_safe_open_parent(dir_fd, path, &name, error);
	return folder < 0 ? -1 : satchel_safe_open_in(folder, name, path, size_bytes, error);
}

GBytes *
satchel_safe_read(int dir_fd, const char *path, gsize max_bytes, GError **error)
{
	g_auto(FileFd) fd = -1;
	guint64 size_bytes = 0;

	fd = satchel_safe_open(dir_fd, path, &size_bytes, error);
	if (fd < 0)
		return NULL;
	if (size_bytes > max_bytes) {
		set_too_long(error, path, max_bytes);
		return NULL;
	}
	return read_all(fd, (gsize)size_bytes, max_bytes, path, error);
}

GBytes *
satchel_safe_read_named(const char *path, gsize max_bytes, GError **error)
{
	g_auto(FileFd) fd = -1;
	struct stat info;
	int flags = 0;

	g_return_val_if_fail(path != NULL, NULL);

	/* Opened without waiting, so that a pipe that nobody writes to is empty and no hang; read
	 * with waiting, so that a pipe of the shell (`--key <(…)`) works. */
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &info) != 0 || (flags = fcntl(fd, F_GETFL)) < 0 ||
	    fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) != 0) {
		set_errno(error, path, errno);
		return NULL;
	}
	if (S_ISDIR(info.st_mode)) {
		set_error(error, path, describe_kind(info.st_mode));
		return NULL;
	}
	return read_all(fd, info.st_size < 0 ? 0 : (gsize)info.st_size, max_bytes, path, error);
}
