#include "../../installer/private_copy.h"
#include "../support/temp_dir.h"
#include <fcntl.h>
#include <unistd.h>

typedef struct {
	char *path;
	int fd;
} Folder;

static const char *const names[] = {"one", "two", NULL};

static void
folder_set_up(Folder *folder, gconstpointer data)
{
	folder->path = temp_dir_new();
	folder->fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g_assert_cmpint(folder->fd, >=, 0);
}

static void
folder_tear_down(Folder *folder, gconstpointer data)
{
	close(folder->fd);
	temp_dir_free(folder->path);
}

static void
write_file(const Folder *folder, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(folder->path, name, NULL);

	g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void
test_what_is_there_is_copied_and_removed_again(Folder *folder, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	SatchelPrivateCopy *copy = NULL;
	g_autofree char *dir = NULL;
	g_autofree char *one = NULL;
	g_autofree char *two = NULL;
	g_autofree char *beside = NULL;
	g_autofree char *content = NULL;

	write_file(folder, "one", "1234");
	copy = satchel_private_copy_new(folder->fd, names, 4, &error);
	g_assert_no_error(error);
	dir = g_strdup(satchel_private_copy_get_dir(copy));
	one = g_build_filename(dir, "one", NULL);
	two = g_build_filename(dir, "two", NULL);
	beside = g_build_filename(dir, "one-shm", NULL);
	g_assert_true(g_file_get_contents(one, &content, NULL, NULL));
	g_assert_cmpstr(content, ==, "1234");
	g_assert_cmpint(access(two, F_OK), !=, 0);
	/* What its reader makes goes, too. */
	g_assert_true(g_file_set_contents(beside, "x", -1, NULL));
	satchel_private_copy_free(copy);
	g_assert_cmpint(access(dir, F_OK), !=, 0);
}

static void
assert_unreadable(const Folder *folder)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(satchel_private_copy_new(folder->fd, names, 4, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED);
}

static void
test_a_longer_file_is_an_error(Folder *folder, gconstpointer data)
{
	write_file(folder, "one", "1234");
	write_file(folder, "two", "12345");
	assert_unreadable(folder);
}

static void
test_a_link_is_not_followed(Folder *folder, gconstpointer data)
{
	write_file(folder, "else", "1");
	g_assert_cmpint(symlinkat("else", folder->fd, "two"), ==, 0);
	assert_unreadable(folder);
}

#define ADD(name)                                                                                  \
	g_test_add("/private_copy/" #name, Folder, NULL, folder_set_up, test_##name,               \
		   folder_tear_down)

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD(what_is_there_is_copied_and_removed_again);
	ADD(a_longer_file_is_an_error);
	ADD(a_link_is_not_followed);
	return g_test_run();
}
