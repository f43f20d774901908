#include "../../installer/lock.h"
#include "../support/temp_dir.h"
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

typedef struct {
	char *path;
	int fd;
} Folder;

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
test_a_second_lock_is_busy_and_names_the_first(Folder *folder, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelLock) first = satchel_lock_take(folder->fd, &error);
	g_autofree char *pid = g_strdup_printf("(pid %ld)", (long)getpid());
	SatchelLock *second = NULL;

	g_assert_no_error(error);
	g_assert_nonnull(first);
	second = satchel_lock_take(folder->fd, &error);
	g_assert_null(second);
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_BUSY);
	g_assert_nonnull(strstr(error->message, pid));
}

static void
test_a_released_lock_can_be_taken_and_its_file_stays(Folder *folder, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	SatchelLock *first = satchel_lock_take(folder->fd, &error);
	g_autoptr(SatchelLock) second = NULL;

	satchel_lock_release(first);
	g_assert_cmpint(faccessat(folder->fd, "lock", F_OK, 0), ==, 0);
	second = satchel_lock_take(folder->fd, &error);
	g_assert_nonnull(second);
}

static void
test_a_link_in_place_of_the_lock_is_not_followed(Folder *folder, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(symlinkat("state.json", folder->fd, "lock"), ==, 0);
	g_assert_null(satchel_lock_take(folder->fd, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED);
	g_assert_cmpint(faccessat(folder->fd, "state.json", F_OK, 0), !=, 0);
}

static void
test_a_foreign_lock_that_is_held_is_busy(Folder *folder, gconstpointer data)
{
	g_autofree char *path = g_build_filename(folder->path, "aklite.lock", NULL);
	g_autoptr(GError) error = NULL;
	SatchelLock *second = NULL;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	g_assert_cmpint(flock(fd, LOCK_EX | LOCK_NB), ==, 0);
	g_assert_false(satchel_lock_take_foreign(path, &second, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_BUSY);
	g_assert_nonnull(strstr(error->message, "another updater is running"));
	g_assert_null(second);
	close(fd);
}

static void
test_a_foreign_lock_is_held_until_it_is_released(Folder *folder, gconstpointer data)
{
	g_autofree char *path = g_build_filename(folder->path, "aklite.lock", NULL);
	g_autoptr(GError) error = NULL;
	SatchelLock *lock = NULL;
	int fd = -1;

	g_assert_true(satchel_lock_take_foreign(path, &lock, &error));
	g_assert_no_error(error);
	g_assert_nonnull(lock);
	fd = open(path, O_RDWR | O_CLOEXEC);
	g_assert_cmpint(flock(fd, LOCK_EX | LOCK_NB), !=, 0);
	satchel_lock_release(lock);
	g_assert_cmpint(flock(fd, LOCK_EX | LOCK_NB), ==, 0);
	close(fd);
}

static void
test_without_a_folder_to_lock_in_there_is_no_foreign_lock(Folder *folder, gconstpointer data)
{
	g_autofree char *path = g_build_filename(folder->path, "none", "aklite.lock", NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelLock) lock = NULL;

	g_assert_true(satchel_lock_take_foreign(path, &lock, &error));
	g_assert_no_error(error);
	g_assert_null(lock);
}

static void
test_a_link_in_place_of_the_foreign_lock_is_not_followed(Folder *folder, gconstpointer data)
{
	g_autofree char *path = g_build_filename(folder->path, "aklite.lock", NULL);
	g_autoptr(GError) error = NULL;
	SatchelLock *lock = NULL;

	g_assert_cmpint(symlinkat("state.json", folder->fd, "aklite.lock"), ==, 0);
	g_assert_false(satchel_lock_take_foreign(path, &lock, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED);
	g_assert_cmpint(faccessat(folder->fd, "state.json", F_OK, 0), !=, 0);
}

#define ADD(name)                                                                                  \
	g_test_add("/lock/" #name, Folder, NULL, folder_set_up, test_##name, folder_tear_down)

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD(a_second_lock_is_busy_and_names_the_first);
	ADD(a_released_lock_can_be_taken_and_its_file_stays);
	ADD(a_link_in_place_of_the_lock_is_not_followed);
	ADD(a_foreign_lock_that_is_held_is_busy);
	ADD(a_foreign_lock_is_held_until_it_is_released);
	ADD(without_a_folder_to_lock_in_there_is_no_foreign_lock);
	ADD(a_link_in_place_of_the_foreign_lock_is_not_followed);
	return g_test_run();
}
