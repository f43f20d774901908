#include "../../verify/safe_read.h"
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

typedef struct {
	char *dir;
	int dir_fd;
} Fixture;

static char *
path_in(const Fixture *fixture, const char *name)
{
	return g_build_filename(fixture->dir, name, NULL);
}

static void
put(const Fixture *fixture, const char *name, const char *text)
{
	g_autofree char *path = path_in(fixture, name);
	g_autofree char *parent = g_path_get_dirname(path);

	g_assert_cmpint(g_mkdir_with_parents(parent, 0755), ==, 0);
	g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void
set_up(Fixture *fixture, gconstpointer data)
{
	fixture->dir = g_dir_make_tmp("satchel-safe-read-XXXXXX", NULL);
	g_assert_nonnull(fixture->dir);
	fixture->dir_fd = open(fixture->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g_assert_cmpint(fixture->dir_fd, >=, 0);
	put(fixture, "file", "hello");
	put(fixture, "a/b/file", "deep");
}

static void
remove_tree(const char *path)
{
	g_autoptr(GDir) dir = NULL;

	if (g_file_test(path, G_FILE_TEST_IS_DIR) && !g_file_test(path, G_FILE_TEST_IS_SYMLINK))
		dir = g_dir_open(path, 0, NULL);
	for (const char *name = dir != NULL ? g_dir_read_name(dir) : NULL; name != NULL;
	     name = g_dir_read_name(dir)) {
		g_autofree char *child = g_build_filename(path, name, NULL);

		remove_tree(child);
	}
	g_remove(path);
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
	close(fixture->dir_fd);
	remove_tree(fixture->dir);
	g_free(fixture->dir);
}

static void
assert_reads(const Fixture *fixture, const char *path, const char *text)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) content = satchel_safe_read(fixture->dir_fd, path, 100, &error);

	g_assert_no_error(error);
	g_assert_cmpmem(g_bytes_get_data(content, NULL), g_bytes_get_size(content), text,
			strlen(text));
}

static void
assert_refused(const Fixture *fixture, const char *path, SatchelError code, const char *reason)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) content = satchel_safe_read(fixture->dir_fd, path, 100, &error);

	g_assert_error(error, SATCHEL_ERROR, (int)code);
	g_assert_null(content);
	g_assert_nonnull(strstr(error->message, reason));
}

static void
test_regular_file_is_read_whole(Fixture *fixture, gconstpointer data)
{
	put(fixture, "empty", "");
	assert_reads(fixture, "file", "hello");
	assert_reads(fixture, "a/b/file", "deep");
	assert_reads(fixture, "empty", "");
}

static void
test_absent_file_is_not_found(Fixture *fixture, gconstpointer data)
{
	assert_refused(fixture, "none", SATCHEL_ERROR_METADATA_NOT_FOUND, "none: ");
	assert_refused(fixture, "none/file", SATCHEL_ERROR_METADATA_NOT_FOUND, "none/file: ");
}

static void
test_unsafe_path_is_refused(Fixture *fixture, gconstpointer data)
{
	static const char *const paths[] = {"",	       "/",	     "/etc/passwd", "..",
					    "../file", "a/../file",  ".",	    "./file",
					    "a//file", "a/b/file/.", "a/",	    "a/b/.."};

	for (guint i = 0; i < G_N_ELEMENTS(paths); i++)
		assert_refused(fixture, paths[i], SATCHEL_ERROR_DOWNLOAD_FAILED, "path");
}

static void
test_symbolic_link_is_not_followed(Fixture *fixture, gconstpointer data)
{
	g_assert_cmpint(symlinkat("file", fixture->dir_fd, "link"), ==, 0);
	g_assert_cmpint(symlinkat("nowhere", fixture->dir_fd, "dangling"), ==, 0);
	assert_refused(fixture, "link", SATCHEL_ERROR_DOWNLOAD_FAILED, "symbolic link");
	assert_refused(fixture, "dangling", SATCHEL_ERROR_DOWNLOAD_FAILED, "symbolic link");
}

static void
test_link_in_the_middle_is_not_followed(Fixture *fixture, gconstpointer data)
{
	g_assert_cmpint(symlinkat("a", fixture->dir_fd, "way"), ==, 0);
	assert_refused(fixture, "way/b/file", SATCHEL_ERROR_DOWNLOAD_FAILED, "way/b/file: ");
}

static void
test_folder_is_refused(Fixture *fixture, gconstpointer data)
{
	assert_refused(fixture, "a", SATCHEL_ERROR_DOWNLOAD_FAILED, "folder");
	assert_refused(fixture, "file/x", SATCHEL_ERROR_DOWNLOAD_FAILED, "file/x: ");
}

/* Without O_NONBLOCK, or with a look only afterwards, this would wait for a writer for ever. */
static void
test_fifo_is_refused_at_once(Fixture *fixture, gconstpointer data)
{
	g_assert_cmpint(mkfifoat(fixture->dir_fd, "pipe", 0600), ==, 0);
	assert_refused(fixture, "pipe", SATCHEL_ERROR_DOWNLOAD_FAILED, "special file");
}

static void
test_socket_is_refused(Fixture *fixture, gconstpointer data)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	g_autofree char *path = path_in(fixture, "socket");
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	g_assert_cmpint(fd, >=, 0);
	g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
	g_assert_cmpint(bind(fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
	close(fd);
	assert_refused(fixture, "socket", SATCHEL_ERROR_DOWNLOAD_FAILED, "special file");
}

static void
test_limit_is_the_longest_that_is_read(Fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) at_limit = satchel_safe_read(fixture->dir_fd, "file", 5, &error);
	g_autoptr(GBytes) beyond = NULL;

	g_assert_no_error(error);
	g_assert_cmpuint(g_bytes_get_size(at_limit), ==, 5);
	beyond = satchel_safe_read(fixture->dir_fd, "file", 4, &error);
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED);
	g_assert_null(beyond);
	g_assert_nonnull(strstr(error->message, "4 bytes"));
}

static void
test_opened_file_tells_its_size(Fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	guint64 size_bytes = 0;
	int fd = satchel_safe_open(fixture->dir_fd, "a/b/file", &size_bytes, &error);

	g_assert_no_error(error);
	g_assert_cmpint(fd, >=, 0);
	g_assert_cmpuint(size_bytes, ==, 4);
	g_assert_cmpint(fcntl(fd, F_GETFD) & FD_CLOEXEC, !=, 0);
	close(fd);
}

static void
test_hostile_name_is_quoted(Fixture *fixture, gconstpointer data)
{
	assert_refused(fixture, "a\033[31m", SATCHEL_ERROR_METADATA_NOT_FOUND, "a\\x1b[31m");
}

static void
test_named_file_may_be_a_link(Fixture *fixture, gconstpointer data)
{
	g_autofree char *path = path_in(fixture, "link");
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) content = NULL;

	g_assert_cmpint(symlinkat("file", fixture->dir_fd, "link"), ==, 0);
	content = satchel_safe_read_named(path, 5, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(g_bytes_get_size(content), ==, 5);
}

static void
test_named_file_is_bounded(Fixture *fixture, gconstpointer data)
{
	g_autofree char *path = path_in(fixture, "file");
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) content = satchel_safe_read_named(path, 4, &error);

	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED);
	g_assert_null(content);
	g_clear_error(&error);
	content = satchel_safe_read_named("/dev/zero", 70000, &error);
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED);
	g_assert_null(content);
}

static void
test_named_folder_is_refused(Fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) content = satchel_safe_read_named(fixture->dir, 100, &error);

	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED);
	g_assert_null(content);
}

static void
test_named_absent_file_is_not_found(Fixture *fixture, gconstpointer data)
{
	g_autofree char *path = path_in(fixture, "none");
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) content = satchel_safe_read_named(path, 100, &error);

	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND);
	g_assert_null(content);
}

static void
test_named_pipe_of_the_shell_is_read(Fixture *fixture, gconstpointer data)
{
	int ends[2];
	g_autofree char *path = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) content = NULL;

	g_assert_cmpint(pipe(ends), ==, 0);
	g_assert_cmpint(write(ends[1], "key", 3), ==, 3);
	close(ends[1]);
	path = g_strdup_printf("/dev/fd/%d", ends[0]);
	content = satchel_safe_read_named(path, 100, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(g_bytes_get_size(content), ==, 3);
	close(ends[0]);
}

static void
test_named_pipe_without_a_writer_does_not_hang(Fixture *fixture, gconstpointer data)
{
	g_autofree char *path = path_in(fixture, "pipe");
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) content = NULL;

	g_assert_cmpint(mkfifoat(fixture->dir_fd, "pipe", 0600), ==, 0);
	content = satchel_safe_read_named(path, 100, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(g_bytes_get_size(content), ==, 0);
}

#define ADD(path, function)                                                                        \
	g_test_add("/safe-read/" path, Fixture, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("regular-file", test_regular_file_is_read_whole);
	ADD("absent", test_absent_file_is_not_found);
	ADD("unsafe-path", test_unsafe_path_is_refused);
	ADD("link", test_symbolic_link_is_not_followed);
	ADD("link-in-the-middle", test_link_in_the_middle_is_not_followed);
	ADD("folder", test_folder_is_refused);
	ADD("fifo", test_fifo_is_refused_at_once);
	ADD("socket", test_socket_is_refused);
	ADD("limit", test_limit_is_the_longest_that_is_read);
	ADD("size", test_opened_file_tells_its_size);
	ADD("quoted", test_hostile_name_is_quoted);
	ADD("named/link", test_named_file_may_be_a_link);
	ADD("named/bounded", test_named_file_is_bounded);
	ADD("named/folder", test_named_folder_is_refused);
	ADD("named/absent", test_named_absent_file_is_not_found);
	ADD("named/shell-pipe", test_named_pipe_of_the_shell_is_read);
	ADD("named/idle-pipe", test_named_pipe_without_a_writer_does_not_hang);
	return g_test_run();
}
