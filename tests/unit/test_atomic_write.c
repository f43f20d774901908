#include "../../verify/atomic_write.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
	char *dir;
	int dir_fd;
} Fixture;

static int
open_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	g_assert_cmpint(fd, >=, 0);
	return fd;
}

static void
set_up(Fixture *fixture, gconstpointer data)
{
	fixture->dir = g_dir_make_tmp("satchel-atomic-XXXXXX", NULL);
	g_assert_nonnull(fixture->dir);
	fixture->dir_fd = open_folder(fixture->dir);
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
	g_autoptr(GDir) dir = g_dir_open(fixture->dir, 0, NULL);

	for (const char *name = g_dir_read_name(dir); name != NULL; name = g_dir_read_name(dir)) {
		g_autofree char *path = g_build_filename(fixture->dir, name, NULL);

		g_remove(path);
	}
	g_rmdir(fixture->dir);
	close(fixture->dir_fd);
	g_free(fixture->dir);
}

static gboolean
put(int dir_fd, const char *name, const char *text, GError **error)
{
	g_autoptr(GBytes) content = g_bytes_new(text, strlen(text));

	return satchel_atomic_write(dir_fd, name, content, 0640, error);
}

static void
assert_holds(const Fixture *fixture, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(fixture->dir, name, NULL);
	g_autofree char *content = NULL;

	g_assert_true(g_file_get_contents(path, &content, NULL, NULL));
	g_assert_cmpstr(content, ==, text);
}

static void
assert_n_files(const Fixture *fixture, guint expected)
{
	g_autoptr(GDir) dir = g_dir_open(fixture->dir, 0, NULL);
	guint n = 0;

	while (g_dir_read_name(dir) != NULL)
		n++;
	g_assert_cmpuint(n, ==, expected);
}

static void
test_new_file_has_content_and_mode(Fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	struct stat info;
	mode_t mask = umask(077); /* the mode asked for holds whatever the mask is */

	g_assert_true(put(fixture->dir_fd, "file", "one", &error));
	umask(mask);
	g_assert_no_error(error);
	assert_holds(fixture, "file", "one");
	assert_n_files(fixture, 1);
	g_assert_cmpint(fstatat(fixture->dir_fd, "file", &info, 0), ==, 0);
	g_assert_cmpuint(info.st_mode & 07777, ==, 0640);
}

static void
test_old_file_is_replaced_whole(Fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	g_assert_true(put(fixture->dir_fd, "file", "a longer content", &error));
	g_assert_true(put(fixture->dir_fd, "file", "", &error));
	g_assert_no_error(error);
	assert_holds(fixture, "file", "");
	assert_n_files(fixture, 1);
}

/* Written through, a link planted in the folder would reach any file. */
static void
test_link_is_replaced_and_not_followed(Fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	struct stat info;

	g_assert_true(put(fixture->dir_fd, "victim", "precious", &error));
	g_assert_cmpint(symlinkat("victim", fixture->dir_fd, "file"), ==, 0);
	g_assert_true(put(fixture->dir_fd, "file", "new", &error));
	assert_holds(fixture, "victim", "precious");
	g_assert_cmpint(fstatat(fixture->dir_fd, "file", &info, AT_SYMLINK_NOFOLLOW), ==, 0);
	g_assert_true(S_ISREG(info.st_mode));
}

/* A file size limit makes write() fail half-way, as a failing disk does. */
static void
test_failed_write_leaves_the_old_file_alone(Fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *large = g_strnfill(100000, 'x');
	struct rlimit old, small;

	g_assert_true(put(fixture->dir_fd, "file", "old", &error));
	signal(SIGXFSZ, SIG_IGN);
	g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &old), ==, 0);
	small = (struct rlimit){.rlim_cur = 4096, .rlim_max = old.rlim_max};
	g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &small), ==, 0);
	g_assert_false(put(fixture->dir_fd, "file", large, &error));
	g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &old), ==, 0);
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_FAILURE);
	g_assert_nonnull(strstr(error->message, "file: "));
	g_assert_nonnull(strstr(error->message, g_strerror(EFBIG)));
	assert_holds(fixture, "file", "old");
	assert_n_files(fixture, 1);
}

static void
test_failed_rename_leaves_no_temp_file(Fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(mkdirat(fixture->dir_fd, "file", 0755), ==, 0);
	g_assert_false(put(fixture->dir_fd, "file", "new", &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_FAILURE);
	assert_n_files(fixture, 1);
}

static void
test_folder_that_is_gone_is_an_error(Fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *path = g_build_filename(fixture->dir, "sub", NULL);
	int fd = -1;

	g_assert_cmpint(g_mkdir(path, 0755), ==, 0);
	fd = open_folder(path);
	g_assert_cmpint(g_rmdir(path), ==, 0);
	g_assert_false(put(fd, "file", "new", &error));
	close(fd);
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_FAILURE);
}

/* A file system of its own with one page, in a mount namespace of this process. */
static void
test_full_disk_is_named_as_such(Fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *large = g_strnfill(100000, 'x');
	g_autofree char *path = g_build_filename(fixture->dir, "full", NULL);
	int fd = -1;

	g_assert_cmpint(g_mkdir(path, 0755), ==, 0);
	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("tmpfs", path, "tmpfs", 0, "size=4k") != 0) {
		g_test_skip("needs the right to mount");
		return;
	}
	fd = open_folder(path);
	g_assert_false(put(fd, "file", large, &error));
	g_assert_cmpint(faccessat(fd, "file", F_OK, 0), !=, 0);
	close(fd);
	g_assert_cmpint(umount(path), ==, 0);
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_NO_SPACE);
}

static int
make_temp(const Fixture *fixture, const char *name)
{
	int fd = openat(fixture->dir_fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	g_assert_cmpint(fd, >=, 0);
	return fd;
}

static void
test_sweep_takes_what_a_killed_process_left(Fixture *fixture, gconstpointer data)
{
	close(make_temp(fixture, ".satchel-0123456789abcdef.tmp"));
	satchel_atomic_write_sweep(fixture->dir_fd);
	assert_n_files(fixture, 0);
}

static void
test_sweep_spares_what_is_being_written(Fixture *fixture, gconstpointer data)
{
	int fd = make_temp(fixture, ".satchel-0123456789abcdef.tmp");

	g_assert_cmpint(flock(fd, LOCK_EX), ==, 0);
	satchel_atomic_write_sweep(fixture->dir_fd);
	close(fd);
	assert_n_files(fixture, 1);
}

static void
test_sweep_spares_files_of_others(Fixture *fixture, gconstpointer data)
{
	close(make_temp(fixture, "root.json"));
	close(make_temp(fixture, "notes.tmp"));
	close(make_temp(fixture, ".satchel-notes"));
	satchel_atomic_write_sweep(fixture->dir_fd);
	assert_n_files(fixture, 3);
}

#define ADD(path, function)                                                                        \
	g_test_add("/atomic-write/" path, Fixture, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("new", test_new_file_has_content_and_mode);
	ADD("replace", test_old_file_is_replaced_whole);
	ADD("link", test_link_is_replaced_and_not_followed);
	ADD("failed-write", test_failed_write_leaves_the_old_file_alone);
	ADD("failed-rename", test_failed_rename_leaves_no_temp_file);
	ADD("folder-gone", test_folder_that_is_gone_is_an_error);
	ADD("sweep/killed", test_sweep_takes_what_a_killed_process_left);
	ADD("sweep/living", test_sweep_spares_what_is_being_written);
	ADD("sweep/others", test_sweep_spares_files_of_others);
	ADD("full-disk", test_full_disk_is_named_as_such);
	return g_test_run();
}
